"""Compare the node tree of the text with the data as it should be, and record the splices between the two."""

from __future__ import annotations

from collections.abc import Collection as Collection_
from collections.abc import Hashable
from typing import Any

from .align import align, mark
from .blocks import BlockEditor, Entries
from .flows import FlowEditor
from .positions import Alias, Collection, Mapping, Node, Scalar, Sequence
from .scalars import same
from .source import Source
from .splices import Splices
from .style import Styles
from .text_error import TextError
from .values import Kept, Owners, filled, is_merge, key_of, merge_sources, scalar_value, value_of


class Differ:
    """Walks text and data together, once."""

    def __init__(
        self,
        source: Source,
        owners: Owners,
        *,
        literals: bool = True,
        swallow: bool = False,
        replaced: Collection_[tuple[str, str]] = (),
        moving: bool = False,
    ) -> None:
        """`replaced` are keys with the ones that stand for them from now on, so that their line keeps its comment;
        `moving` takes the lines of an item along when it changes its place."""
        self.source = source
        self.owners = owners
        self.replaced = replaced
        self.moving = moving
        self.may_merge = "<<" in source.text
        self.splices = Splices(source)
        styles = Styles(source)
        styles.literals = literals
        self.blocks = BlockEditor(source, self.splices, styles)
        self.blocks.swallow = swallow
        self.flows = FlowEditor(source, self.splices, styles)
        self.at_anchor: dict[int, Any] = {}  # what each anchored node holds after the edits, by its number

    def document(self, root: Node, value: Any) -> None:
        """Record what makes the document `root` hold `value`; None takes the document away."""
        if value is None and not isinstance(root, Scalar):
            if root.anchor is not None or root.tag is not None:
                raise TextError("a document with an anchor or a tag at its root would be removed", self._line(root))
            start = root.start
            if isinstance(root, Mapping | Sequence) and not _flow(root):
                start = self.source.entry_start(root, 0)
            if self.source.leads_line(start):
                start = self.source.line_start(self.source.line(start))
            end = self.source.tight_end(root)
            rest = self.source.text[end : self.source.line_end(end)]
            self.splices.erase(start, end if rest.strip() else self.source.after_line(end))
            return
        self._node(root, value, [], 0)

    def _line(self, node: Node) -> int:
        return self.source.line(node.start) + 1

    def _node(self, node: Node, value: Any, chain: list[Collection], index: int) -> None:
        if isinstance(value, Kept):
            if value.at == node.at:
                return
            value = filled(value, self.source.tree)
        if isinstance(node, Alias):
            self._alias(node, value)
            return
        if node.anchor is not None:
            self.at_anchor[node.at] = value
        if isinstance(node, Mapping) and isinstance(value, dict):
            self._mapping(node, value, chain, index)
        elif isinstance(node, Sequence) and isinstance(value, list):
            self._sequence(node, value, chain, index)
        elif not isinstance(node, Scalar) or isinstance(value, (dict, list)) or not same(scalar_value(node), value):
            self._set(node, value, chain, index)

    def _alias(self, node: Alias, value: Any) -> None:
        if not self._anchor_holds(node.target, value):
            raise TextError(
                f"alias *{node.target.anchor} would differ from its anchor: make the same change at the anchor, "
                f"or write a copy in place of the alias",
                self._line(node),
            )

    def _anchor_holds(self, target: Node, value: Any) -> bool:
        if target.at not in self.at_anchor:
            raise TextError(f"anchor &{target.anchor} would go while an alias needs it", self._line(target))
        return same(self.at_anchor[target.at], value)

    def _set(self, node: Node, value: Any, chain: list[Collection], index: int) -> None:
        if chain and not chain[-1].flow:
            self.blocks.set_value(chain, index, node, value)
        elif chain or _flow(node):
            self.flows.set_value(chain, node, value)
        elif isinstance(node, Scalar) and not node.absent and not isinstance(value, (dict, list)):
            self.flows.set_value(chain, node, value)
        elif isinstance(node, Scalar) and node.absent:
            raise TextError("an empty document cannot be filled", self._line(node))
        else:
            raise TextError("the document would be replaced", self._line(node))

    def _mapping(self, node: Mapping, value: dict[str, Any], chain: list[Collection], index: int) -> None:
        own, merged = self._entries(node, value)
        gone = {i for key, i in own.items() if key not in value}
        inner = [*chain, node]
        if gone and self.replaced and not merged and not node.flow:
            self._rename(node, own, gone, value)
        if 2 * len(gone) == len(node.children):
            if gone or value:
                self._all_gone(node, value, inner, index)
            return
        self._kept_entries(node, own, gone, value, inner)
        adds: list[tuple[int, Entries]] = []
        if len(own) - len(gone) < len(value):
            adds = self._added_entries(node, own, gone, merged, value)
        if gone or adds:
            (self.flows if node.flow else self.blocks).edit(inner, gone, adds)

    def _entries(self, node: Mapping, value: dict[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
        """The indexes of a mapping's own entries by their keys; and what a merge gives it, which is all in `value`."""
        if not self.may_merge:
            return {key: i for i, key in enumerate(self.source.keys(node.at))}, {}
        own: dict[str, int] = {}
        merged: dict[str, Any] = {}
        for i, (key_node, value_node) in enumerate(node.pairs):
            if is_merge(key_node):
                merged = self._merged(value_node)
            else:
                own[key_of(key_node)] = i
        for key in merged:
            if key not in value:
                raise TextError(f"key {key!r} comes from a merge and cannot be removed here", self._line(node))
        return own, merged

    def _kept_entries(
        self, node: Mapping, own: dict[str, int], gone: set[int], value: dict[str, Any], inner: list[Collection]
    ) -> None:
        children = node.children
        for key, i in own.items():
            if i not in gone:
                item = value[key]
                if type(item) is not Kept or item.at != children[2 * i + 1]:
                    self._node(self.source.tree.node(children[2 * i + 1]), item, inner, i)

    @staticmethod
    def _added_entries(
        node: Mapping, own: dict[str, int], gone: set[int], merged: dict[str, Any], value: dict[str, Any]
    ) -> list[tuple[int, Entries]]:
        """The new entries, each behind the one that stands before it in ``value``."""
        adds: list[tuple[int, Entries]] = []
        after = -1
        last = next(i for i in range(len(node.children) // 2 - 1, -1, -1) if i not in gone)
        for key, item in value.items():
            if key in own:
                after = own[key]
            elif key not in merged:
                _extend(adds, after, (key, item))
            elif not same(merged[key], item):
                _extend(adds, last, (key, item))
        if merged:
            # In front of the merge a key would lose against it in some readers.
            adds = [(last if after < 0 else after, entries) for after, entries in adds]
        return adds

    def _rename(self, node: Mapping, own: dict[str, int], gone: set[int], value: dict[str, Any]) -> None:
        """Give the entries another key that become another one in their place."""
        for i, new in self._replacements(node, own, gone, value):
            old = next(key for key, place in own.items() if place == i)
            del own[old]
            own[new] = i
            gone.discard(i)
            self.blocks.rename(node, i, new)

    def _replacements(
        self, node: Mapping, own: dict[str, int], gone: set[int], value: dict[str, Any]
    ) -> list[tuple[int, str]]:
        """The entries that become another one in their place, with its key."""
        came: dict[int, list[str]] = {}
        after = -1
        for key in value:
            if key in own:
                after = own[key]
            else:
                came.setdefault(after, []).append(key)
        found = []
        for key, i in own.items():
            new = came.get(i - 1, [])
            alone = i in gone and i - 1 not in gone and i + 1 not in gone and len(new) == 1
            if alone and (key, new[0]) in self.replaced and self.blocks.can_rename(node, i):
                found.append((i, new[0]))
        return found

    def _merged(self, value: Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for source in merge_sources(value):
            new = self.at_anchor.get(source.at)
            for key, item in (new if isinstance(new, dict) else value_of(source)).items():
                found.setdefault(key, item)
        return found

    def _all_gone(self, node: Collection, value: Any, inner: list[Collection], index: int) -> None:
        """No entry stays: `inner` ends with `node`."""
        chain = inner[:-1]
        if value and _size(node) and node.flow:
            self.flows.rewrite_all(inner, value)
        elif value and not chain and not node.flow:
            self.blocks.replace_all(inner, list(value.items()) if isinstance(value, dict) else value)
        else:
            self._set(node, value, chain, index)

    def _sequence(self, node: Sequence, value: list[Any], chain: list[Collection], index: int) -> None:
        inner = [*chain, node]
        if not node.children or not value:
            if node.children or value:
                self._all_gone(node, value, inner, index)
            return
        gone, adds = self._items(node, value, inner)
        if self.moving and gone and adds and not node.flow:
            adds = self._moved(node, gone, adds)
        if len(gone) == len(node.children):
            self._all_gone(node, value, inner, index)
        elif gone or adds:
            (self.flows if node.flow else self.blocks).edit(inner, gone, adds)

    def _items(
        self, node: Sequence, value: list[Any], inner: list[Collection]
    ) -> tuple[set[int], list[tuple[int, Entries]]]:
        """Change the items that stay; give those that go, and the new ones behind others."""
        gone: set[int] = set()
        adds: list[tuple[int, Entries]] = []
        after = -1
        for i, j in self._aligned(node, value):
            if j is None:
                assert i is not None
                gone.add(i)
            elif i is None:
                _extend(adds, after, filled(value[j], self.source.tree))
            else:
                item, after = value[j], i
                if type(item) is not Kept or item.at != node.children[i]:
                    self._node(self.source.tree.node(node.children[i]), item, inner, i)
        return gone, adds

    def _moved(self, node: Sequence, gone: set[int], adds: list[tuple[int, Entries]]) -> list[tuple[int, Entries]]:
        """Move the lines of items that go and come again; give the additions that are left."""
        left = []
        for after, entries in adds:
            i = next((i for i in sorted(gone) if same(value_of(node.items[i]), entries[0])), None)
            if after < 0 or i is None or len(entries) > 1 or not self.blocks.move(node, i, after):
                left.append((after, entries))
            else:
                gone.discard(i)
        return left

    def _aligned(self, node: Sequence, value: list[Any]) -> list[tuple[int | None, int | None]]:
        items, tree = node.children, self.source.tree
        owned = list(map(self.owners.node, value))
        if owned[: len(items)] == items:  # all stay, and others may come behind them
            stay: list[tuple[int | None, int | None]] = [(i, i) for i in range(len(items))]
            return stay + [(None, j) for j in range(len(items), len(value))]
        if len(items) == len(value) and all(
            at == old if at is not None else not isinstance(new, dict | list)
            for old, new, at in zip(items, value, owned, strict=True)
        ):
            return [(i, i) for i in range(len(items))]

        mine = set(items)
        present = {at for at in owned if at in mine}
        old: list[Hashable] = [at if at in present else mark(value_of(tree.node(at))) for at in items]
        new = [at if at in present else mark(item) for item, at in zip(value, owned, strict=True)]
        return align(old, new)


def _extend(adds: list[tuple[int, Entries]], after: int, entry: Any) -> None:
    if adds and adds[-1][0] == after:
        adds[-1][1].append(entry)
    else:
        adds.append((after, [entry]))


def _size(node: Node) -> int:
    return len(node.children) if isinstance(node, Mapping | Sequence) else 0


def _flow(node: Node) -> bool:
    return isinstance(node, Mapping | Sequence) and (node.flow or not _size(node))
