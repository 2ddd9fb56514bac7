"""Read one segment: plain data, and where each part of it stands."""

import gc
import re
from collections.abc import Sequence as Path
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .positions import Alias, Mapping, Node, Scalar, Sequence, compose
from .source import Source
from .text_error import TextError
from .values import At, Owners, check_expansion, is_merge, key_of, merge_sources, value_of


@dataclass(slots=True)
class Comment:
    """A comment: its 1-based line, its text from `#` on, and whether it stands alone on the line."""

    line: int
    text: str
    alone: bool


@dataclass(slots=True)
class _Place:
    """What a path leads to: the key or item (`entry` is where it begins), and its value."""

    entry: int
    key: Node | None
    value: Node
    found: bool


class Parsed:
    """One segment as read.

    `documents` holds plain dict, list, str, int, float, bool and None, exactly as the Kubernetes API reads them, one
    per document (None for an empty one). Lines count from 1 within the segment, offsets are characters.
    """

    def __init__(self, source: Source, documents: list[Any]) -> None:
        self.source = source
        self.documents = documents
        self._indexes: dict[int, dict[str, int]] = {}
        self._known: dict[tuple[str | int, ...], _Place] = {}

    @property
    def text(self) -> str:
        """The text as it was given."""
        return self.source.text

    def line(self, document: int, path: Path[str | int]) -> int:
        """Line of the key or item at `path`; for something absent, of its nearest ancestor that exists."""
        place = self._place(document, path)
        return self.source.line(place.entry) + 1 if place else 1

    def column(self, document: int, path: Path[str | int]) -> int:
        """Column from 0 of the key or item at `path`; for something absent, of its nearest ancestor that exists."""
        place = self._place(document, path)
        return 0 if place is None else place.entry - self.source.starts[self.source.line(place.entry)]

    def end_line(self, document: int, path: Path[str | int]) -> int:
        """Last line of the entry at `path` (or of its nearest ancestor), comments and blank lines below excluded."""
        place = self._place(document, path)
        if place is None:
            return 1
        return self.source.line(max(place.entry, self.source.tight_end(place.value) - 1)) + 1

    def value_line(self, document: int, path: Path[str | int]) -> int | None:
        """Line on which the value at `path` begins, None if there is none."""
        place = self._place(document, path)
        return None if place is None or not place.found else self.source.line(place.value.start) + 1

    def flow_end(self, document: int, path: Path[str | int]) -> int | None:
        """Line of the bracket that ends the flow collection at `path`, None for anything else."""
        place = self._place(document, path)
        if place is None or not place.found or not isinstance(place.value, Mapping | Sequence) or not place.value.flow:
            return None
        return self.source.line(max(place.value.start, self.source.tight_end(place.value) - 1)) + 1

    def depth(self, document: int, path: Path[str | int]) -> int:
        """How many steps of `path` lead to something that exists in the text."""
        for depth in range(len(path), 0, -1):
            place = self._place(document, path[:depth])
            if place is not None and place.found:
                return depth
        return 0

    def span(self, document: int, path: Path[str | int]) -> tuple[int, int] | None:
        """Offsets of the value at `path` (of `*name` for an alias), None if there is none."""
        place = self._place(document, path)
        if place is None or not place.found:
            return None
        return place.value.start, max(place.value.start, self.source.tight_end(place.value))

    def comment(self, document: int, path: Path[str | int]) -> str | None:
        """The comment at the end of the line of a scalar's value, or of the key of anything else."""
        place = self._place(document, path)
        if place is None or not place.found:
            return None
        value = place.value
        at = place.entry
        if isinstance(value, Alias) or (isinstance(value, Scalar) and value.style not in ("|", ">")):
            at = max(value.start, value.end - 1) if not (isinstance(value, Scalar) and value.absent) else place.entry
        return self.source.line_comment(at)

    def comments(self) -> list[Comment]:
        """Every comment of the segment in order."""
        source = self.source
        if "#" not in source.text:
            return []
        found = []
        for line in range(len(source.starts) - 1):
            start = source.starts[line]
            if source.text.find("#", start, source.starts[line + 1]) >= 0 and (text := source.line_comment(start)):
                found.append(Comment(line + 1, text, source.is_comment_line(line)))
        return found

    def has_plain(self, text: str) -> bool:
        """True when an unquoted one-line or folded scalar, key or value, contains `text`."""
        if text not in self.source.text:
            return False
        return any(not node.style and text in node.text for node in self.source.tree.scalars)

    def shared(self) -> list[list[tuple[str | int, ...]]]:
        """Groups of paths, each beginning with the number of its document, that share one text: an anchored mapping or
        sequence and its aliases. Merge keys are not among them."""
        groups: dict[int, list[tuple[str | int, ...]]] = {}

        def visit(node: Node, path: tuple[str | int, ...]) -> None:
            target = node
            while isinstance(target, Alias):
                target = target.target
            if not isinstance(target, Mapping | Sequence):
                return
            if target is not node or target.anchor:
                groups.setdefault(id(target), []).append(path)
            if isinstance(target, Sequence):
                for index, item in enumerate(target.items):
                    visit(item, (*path, index))
            else:
                for key, value in target.pairs:
                    if not is_merge(key):
                        visit(value, (*path, key_of(key)))

        for number, root in enumerate(self.source.tree.roots):
            if root is not None:
                visit(root, (number,))
        return [paths for paths in groups.values() if len(paths) > 1]

    def _place(self, document: int, path: Path[str | int]) -> _Place | None:
        # Reports ask for many places below the same parents, so each is looked for once.
        key = (document, *path)
        known = self._known.get(key)
        if known is not None:
            return known
        if not path:
            root = self.source.tree.roots[document] if document < len(self.source.tree.roots) else None
            place = None if root is None else _Place(root.start, None, root, True)
        else:
            place = self._place(document, path[:-1])
            if place is not None and place.found:
                entered = self._enter(place.value, path[-1])
                place = entered or _Place(place.entry, place.key, place.value, False)
        if place is not None:
            self._known[key] = place
        return place

    def _enter(self, node: Node, step: str | int) -> _Place | None:
        while isinstance(node, Alias):
            node = node.target
        if isinstance(node, Sequence):
            if not isinstance(step, int) or not -len(node.items) <= step < len(node.items):
                return None
            index = step % len(node.items)
            return _Place(self.source.entry_start(node, index), None, node.items[index], True)
        if not isinstance(node, Mapping) or not isinstance(step, str):
            return None
        position = self._index(node).get(step)
        if position is not None:
            key, value = node.pairs[position]
            return _Place(key.start, key, value, True)
        for key, value in node.pairs:
            if is_merge(key):
                for source in merge_sources(value):
                    if (entered := self._enter(source, step)) is not None:
                        return entered
        return None

    def _index(self, node: Mapping) -> dict[str, int]:
        index = self._indexes.get(id(node))
        if index is None:
            index = {key_of(key): i for i, (key, _) in enumerate(node.pairs) if not is_merge(key)}
            self._indexes[id(node)] = index
        return index

    @cached_property
    def lone_comments(self) -> list[str]:
        """The lines that hold a comment and nothing else, as written, without their line ends."""
        source = self.source
        return [
            source.text[source.starts[line] : source.line_end(source.starts[line])] for line in source.comment_lines
        ]


_HALF = re.compile("[\ud800-\udfff]")


def parse(text: str) -> Parsed:
    """Read one segment (no byte order mark).

    Raises TextError for text that is not YAML, and for YAML that Kubernetes or this engine does not take: duplicate or
    complex keys, custom tags, undefined aliases, lone carriage returns, too deep nesting, aliases that explode.
    """
    return parse_with_owners(text, None)


def parse_with_owners(text: str, owners: Owners | None) -> Parsed:
    """Like `parse`, and note in `owners` which node each container came from."""
    collecting = gc.isenabled()
    gc.disable()  # nothing here is garbage yet; the collector would walk the growing tree again and again
    try:
        source = Source(text, compose(text))
        if "\\u" in text or "\\U" in text:
            _join_halves(source.tree.scalars)
        if "*" in text:
            for root in source.tree.roots:
                if root is not None:
                    check_expansion(root, len(source.tree.scalars) + len(source.tree.collections))
        documents = [None if root is None else value_of(root, owners) for root in source.tree.roots]
        return Parsed(source, documents)
    except At as refusal:
        raise TextError(refusal.reason, source.line(refusal.node.start) + 1) from None
    except RecursionError:
        raise TextError("nested too deeply") from None
    finally:
        if collecting:
            gc.enable()


def _join_halves(scalars: list[Scalar]) -> None:
    """Make one character of each pair of escapes that JSON writes for it; half a one is no text, and is refused."""
    for scalar in scalars:
        if scalar.style == '"' and _HALF.search(scalar.text):
            try:
                scalar.text = scalar.text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                raise At("a text holds half of a character", scalar) from None
