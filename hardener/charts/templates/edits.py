"""A change of a rendered object as lines of the template that it comes from, and keys of values."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from hardener.charts.rendered import field_of
from hardener.charts.templates.key_names import VALUE, Keys, candidates
from hardener.charts.templates.lines import Place, Templates
from hardener.charts.templates.template_text import Block, Line, Node, is_literal
from hardener.errors import HardenError
from hardener.kubernetes.objects import key_order
from hardener.sources.yaml.render import item_lines, leaf, pair_lines
from hardener.sources.yaml.style import Layout
from hardener.support.data_path import Path, value_at

# What is a setting of the user, and becomes a value; all else is written as it is.
_SETTINGS = frozenset(("securityContext", "resources", "automountServiceAccountToken"))
_ROOT = re.compile(r"\b(?:include|template)\s+[\"`][^\"`]+[\"`]\s+([.$])\s*(?:$|[|)])")


class ByHandError(HardenError):
    """No line can be given; the message says why, ``place`` where a person would begin."""

    def __init__(self, reason: str, place: Place | None = None) -> None:
        super().__init__(reason)
        self.place = place


class Operation(Struct, frozen=True, eq=False):
    """What is to be done at ``path`` of a rendered object: "add" or "replace" a value of a map, "append" an item to a
    list, or "drop" what is there. What is empty is replaced. ``last``: nothing is left beside what goes."""

    kind: str
    path: Path
    value: Any = None
    before: Any = None
    last: bool = False


class Lines(Struct, frozen=True):
    """Lines that come in front of ``line`` of the file ``name``, in place of ``removed`` lines from there on."""

    name: str
    line: int
    removed: int
    added: tuple[str, ...]


def operations(before: Any, after: Any, path: Path = ()) -> Iterator[Operation]:
    """Yield what makes ``after`` of ``before``; the items of lists are told apart by their names."""
    if isinstance(before, dict) and isinstance(after, dict) and before:
        for key in before:
            if key not in after:
                yield Operation("drop", (*path, key), None, before[key], not after)
        for key, value in after.items():
            if key not in before:
                yield Operation("add", (*path, key), value)
            else:
                yield from operations(before[key], value, (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and before:
        name = field_of(before, after)
        yield from _on_items(before, after, path) if name is None else _on_named_items(before, after, path, name)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Operation("replace", path, after, before)


def _on_items(before: list[Any], after: list[Any], path: Path) -> Iterator[Operation]:
    for index, (old, new) in enumerate(zip(before, after, strict=False)):
        yield from operations(old, new, (*path, index))
    for index in range(len(after), len(before)):
        yield Operation("drop", (*path, index), None, before[index], not after)
    for item in after[len(before) :]:
        yield Operation("append", path, item)


def _on_named_items(before: list[Any], after: list[Any], path: Path, name: str) -> Iterator[Operation]:
    known = {item[name]: item for item in after}
    for index, old in enumerate(before):
        if old[name] in known:
            yield from operations(old, known[old[name]], (*path, index))
        else:
            yield Operation("drop", (*path, index), None, old, not after)
    seen = {item[name] for item in before}
    for item in after:
        if item[name] not in seen:
            yield Operation("append", path, item)


def operated(data: Any, made: list[Operation]) -> None:
    """Do the operations on ``data``; their paths mean it as it was."""
    for operation in sorted(
        made, key=lambda one: (one.kind == "drop", [-i if isinstance(i, int) else 0 for i in one.path])
    ):
        *way, last = operation.path
        parent = value_at(data, tuple(way))
        if operation.kind == "append":
            parent[last].append(operation.value)
        elif operation.kind == "drop":
            del parent[last]
        else:
            parent[last] = operation.value


def _hands_on_values(node: Node) -> bool:
    """Whether one of the actions of ``node`` gives what it includes all values of the chart."""
    given = [found[1] for action in node.actions if (found := _ROOT.search(action))]
    return any(root == "$" or not _rebinds(node.blocks) for root in given)


class Editor(Struct):
    """Writes operations on rendered objects into the templates of a chart, and keeps the keys of values they need.

    ``values`` are those of the chart, as its ``values.yaml`` has them; ``new`` the keys to add.
    """

    templates: Templates
    values: Mapping[str, Any]
    new: dict[Keys, Any] = field(default_factory=dict)
    lines: list[Lines] = field(default_factory=list)
    _owners: dict[Keys, tuple[str, int, str]] = field(default_factory=dict)
    _named: frozenset[Keys] | None = None
    _count: int | None = None
    _asked: list[Keys] = field(default_factory=list)

    def write(self, name: str, root: Node, kind: str, operation: Operation) -> list[Keys]:
        """Write one operation on the document ``root``, which the template ``name`` printed: the keys of values that it
        asks for. Raises ByHandError, and leaves everything as it was."""
        kept = dict(self.new), list(self.lines), dict(self._owners)
        self._asked = []
        try:
            self._write(name, root, kind, operation)
        except ByHandError:
            self.new, self.lines, self._owners = kept
            raise
        return self._asked

    def _write(self, name: str, root: Node, kind: str, operation: Operation) -> None:
        *above, last = operation.path
        type_name: str | None = key_order.of_kind(kind)
        for part in above:
            type_name = key_order.child(type_name, part)
        if operation.kind == "append":
            self._append(self._place(name, root, operation.path), operation)
        elif operation.kind == "add":
            self._add(self._place(name, root, tuple(above)), str(last), type_name, operation)
        else:
            place = self._place(name, root, operation.path)
            if operation.kind == "drop":
                self._drop(place, operation)
            elif last == "image" and self._digest(place, operation):
                pass
            elif operation.before in ({}, [], None) and isinstance(operation.value, dict | list):
                self._fill(place, type_name, operation)
            else:
                self._replace(place, operation)

    def _place(self, name: str, root: Node, path: Path) -> Place:
        place = self.templates.of_node(name, self._rendered(name, root, path))
        node = place.node
        if node is None or not place.exact:
            raise ByHandError("an action of the template prints it whole", place)
        if any(block.word == "range" for one in (node, *place.through) for block in one.blocks):
            raise ByHandError("it is in a range, which prints several", place)
        if not all(map(_hands_on_values, place.through)):
            raise ByHandError("what it is part of is not given all values", place)
        return place

    def _rendered(self, name: str, root: Node, path: Path) -> Node:
        """What was rendered at ``path`` below ``root``."""
        rendered = root
        for part in path:
            if isinstance(part, str):
                below = [child for child in rendered.children if child.kind == "key" and child.name == part]
            else:
                below = [child for child in rendered.children if child.kind == "item"][part : part + 1]
            if not below:
                raise ByHandError("it is in brackets", self.templates.of_node(name, rendered))
            rendered = below[0]
        return rendered

    # What is written.

    def _add(self, place: Place, key: str, type_name: str | None, operation: Operation) -> None:
        node = place.node
        assert node is not None
        off = next((child for child in node.children if child.name == key), None)
        if off is not None:
            block = off.blocks[-1].action if off.blocks != _base(node) else ""
            why = f"the template has the key, but not where {block} fails" if block else "the template has the key"
            raise ByHandError(why, Place(place.name, off.line, off, True, place.through))
        for child in node.children:
            if child.kind == "out":
                self._check_printer(child, key, place)
        before, column = self._spot(place, node, key, type_name)
        if key in _SETTINGS and type_name in ("Container", "PodSpec", "ServiceAccount"):
            added = self._setting(place, node, key, type_name, operation.value, column)
        else:
            added = _literal({key: operation.value}, column, self._offset(node))
        self._insert(place.name, before, added)

    def _setting(self, place: Place, node: Node, key: str, type_name: str, value: Any, column: int) -> list[str]:
        name = self._name(place, node, key, type_name, value)
        root = "$.Values" if _rebinds(node.blocks) else ".Values"
        expression = ".".join((root, *name))
        lead = f"{' ' * column}{key}: "
        if isinstance(value, dict | list):
            return [f"{lead}{{{{- toYaml {expression} | nindent {column + 2} }}}}"]
        return [f"{lead}{{{{ {expression}{' | quote' if isinstance(value, str) else ''} }}}}"]

    def _append(self, place: Place, operation: Operation) -> None:
        node = place.node
        assert node is not None
        items = [child for child in node.children if child.kind == "item"]
        column = items[0].column if items else None
        if column is None:
            raise ByHandError("an action of the template prints the list", place)
        if node.parent is not None and node.blocks != _base(node.parent):
            raise ByHandError("the list depends on a condition", place)
        layout = Layout(offset=self._offset(node))
        self._insert(place.name, self._behind(place, node), item_lines([operation.value], column, layout))

    def _fill(self, place: Place, type_name: str | None, operation: Operation) -> None:
        """What is empty is written anew, with what it is to hold."""
        node, key = place.node, str(operation.path[-1])
        assert node is not None
        if node.kind != "key" or node.children or node.value not in ("", "{}", "[]", "null", "~"):
            raise ByHandError("an action of the template prints it", place)
        if key in _SETTINGS and type_name in ("Container", "PodSpec"):
            assert node.parent is not None
            added = self._setting(place, node.parent, key, type_name, operation.value, node.column)
        else:
            added = _literal({key: operation.value}, node.column, self._offset(node))
        added[0] = self._line(place, node)[: node.column] + added[0].lstrip(" ")
        self._change(place.name, node.line, 1, added)

    def _replace(self, place: Place, operation: Operation) -> None:
        node = place.node
        assert node is not None
        scalar = not isinstance(operation.value, dict | list) and not isinstance(operation.before, dict | list)
        if not scalar or node.children or not node.value or not is_literal(node.value) or node.value[0] in "|>":
            raise ByHandError("the template makes its value by an action", place)
        line = self._line(place, node)
        text = leaf(operation.value, '"')
        if "{{" in text:
            raise ByHandError("its value holds the braces of an action", place)
        lead = re.escape(node.name) if node.kind == "key" else ""
        pattern = rf"({lead}[\"']?\s*:\s+|-\s+)([\"']?){re.escape(node.value)}\2(?=\s|$)"
        new, count = re.subn(pattern, lambda found: found[1] + text, line, count=1)
        if not count:
            raise ByHandError("its value is not written out there", place)
        self._change(place.name, node.line, 1, [new])

    def _drop(self, place: Place, operation: Operation) -> None:
        node = place.node
        assert node is not None and node.parent is not None
        inside = [node]
        for one in inside:
            inside.extend(one.children)
        if any(one.blocks != node.blocks or one.actions for one in inside):
            raise ByHandError("an action of the template has part in it", place)
        if operation.last:
            raise ByHandError("nothing else is beside it", place)
        if node.parent.kind == "item" and node.parent.line == node.line:
            raise ByHandError("it is on the line of the dash", place)
        self._change(place.name, node.line, node.end - node.line + 1, [])

    def _digest(self, place: Place, operation: Operation) -> bool:
        """Write a digest behind an image whose parts are values; False where it is none of this."""
        node, value, before = place.node, operation.value, operation.before
        assert node is not None
        if not isinstance(value, str) or not isinstance(before, str) or is_literal(node.value):
            return False
        named = [tuple(found[1:].split(".")) for action in node.actions for found in VALUE.findall(action)]
        above = next((path[:-1] for path in reversed(named) if path[-1] in ("tag", "repository", "name")), None)
        if not value.startswith(before + "@") or not above:
            raise ByHandError("the template makes the image in a way of its own", place)
        name = (*above, "digest")
        if value_at(dict(self.values), name) is not None or name in self._known():
            raise ByHandError(f"the chart has {'.'.join(name)} for something else", place)
        self._own(name, place, node, value.removeprefix(before + "@"))
        line = self._line(place, node)
        end = re.search(r"""\}\}[^{}"'#]*?(?=["']?\s*(?:#.*)?$)""", line)
        if end is None:
            raise ByHandError("the template makes the image in a way of its own", place)
        root = "$.Values" if _rebinds(node.blocks) else ".Values"
        text = f"{{{{ with {root}.{'.'.join(name)} }}}}@{{{{ . }}}}{{{{ end }}}}"
        self._change(place.name, node.line, 1, [line[: end.end()] + text + line[end.end() :]])
        return True

    # Names of values.

    def _name(self, place: Place, node: Node, key: str, type_name: str, value: Any) -> Keys:
        others = [one for one in _containers(node) if one is not node]
        for name in candidates(key, node, type_name, others, self.values, alone=self._pods() < 2, file=place.name):
            owner = self._owners.get(name)
            if owner is not None and owner != (place.name, node.line, key):
                continue
            there = value_at(dict(self.values), name)
            if owner is None and (there not in (None, {}, []) or name in self._known()):
                continue
            if any(not isinstance(value_at(dict(self.values), name[:end]), dict | None) for end in range(1, len(name))):
                continue
            self._own(name, place, node, value, key)
            return name
        raise ByHandError("no name for its value is free", place)

    def _own(self, name: Keys, place: Place, node: Node, value: Any, key: str = "image") -> None:
        if name in self.new and self.new[name] != value:
            raise ByHandError("its template prints several objects, which are to differ", place)
        self._owners[name] = place.name, node.line, key
        self.new[name] = value
        self._asked.append(name)

    def _known(self) -> frozenset[Keys]:
        """The values that the templates name."""
        if self._named is None:
            texts = self.templates.texts.values()
            self._named = frozenset(tuple(found[1:].split(".")) for text in texts for found in VALUE.findall(text))
        return self._named

    def _pods(self) -> int:
        """How many lists of containers the templates have."""
        if self._count is None:
            self._count = 0
            for name in self.templates.texts:
                template = self.templates.template(name)
                nodes = [*template.documents, *(root for roots in template.defines.values() for root in roots)]
                for node in nodes:
                    nodes.extend(node.children)
                    self._count += node.kind == "key" and node.name == "containers"
        return self._count

    # Places in the text.

    def _check_printer(self, action: Node, key: str, place: Place) -> None:
        for include in action.includes:
            found = self.templates.defined(include)
            nodes = list(found[1]) if found else []
            for one in nodes:
                nodes.extend(one.children)
            if found is None or any(one.kind == "key" and one.name == key for one in nodes):
                raise ByHandError(f"the template {include} may print the key as well", place)

    def _spot(self, place: Place, node: Node, key: str, type_name: str | None) -> tuple[int, int]:
        """The line before which a key comes, and its column."""
        base = _base(node)
        keys = [child for child in node.children if child.kind == "key" and child.blocks == base]
        if node.value[:1] in ("{", "["):
            raise ByHandError("it is in brackets", place)
        if not keys:
            raise ByHandError("an action of the template prints it whole", place)
        where, anchor = key_order.place(type_name, [child.name for child in keys], key)
        beside = next((child for child in keys if child.name == anchor), keys[-1])
        if where == "before" and beside.line != node.line and self._opened(place.name, beside.line) == base:
            return beside.line, keys[0].column
        return self._behind(place, beside), keys[0].column

    def _behind(self, place: Place, node: Node) -> int:
        """The line behind a node and the ends of the blocks that begin in it."""
        lines = self._text(place.name)
        for line in range(node.end, len(lines) + 1):
            found = self._at(place.name, line)
            if line > node.end and not found.is_silent:  # an `else` with something of another node
                raise ByHandError("a block begins in it that ends elsewhere", place)
            if found.end == line and found.after == node.blocks:
                if lines[line - 1].rstrip().endswith("-}}"):
                    break
                return line + 1
        raise ByHandError("the template goes on in the same line", place)

    def _opened(self, name: str, number: int) -> tuple[Block, ...] | None:
        """The blocks that are open where a line begins; None in the middle of an action."""
        if number == 1:
            return ()
        found = self._at(name, number - 1)
        return found.after if found.end == number - 1 else None

    def _at(self, name: str, number: int) -> Line:
        """The line of the template that holds its ``number``-th line of text."""
        lines = self.templates.template(name).lines
        return lines[min(bisect_left(lines, number, key=lambda line: line.end), len(lines) - 1)]

    def _text(self, name: str) -> list[str]:
        return self.templates.texts[name].split("\n")

    def _line(self, place: Place, node: Node) -> str:
        return self._text(place.name)[node.line - 1].rstrip("\r")

    def _offset(self, node: Node) -> int:
        """By how much the lists of the template stand behind their keys."""
        top = [node, *node.above()][-1]
        nodes = [top]
        for one in nodes:
            nodes.extend(one.children)
            if one.kind == "item" and one.parent is not None and one.parent.kind == "key":
                return max(one.column - one.parent.column, 0)
        return 2

    def _insert(self, name: str, line: int, added: list[str]) -> None:
        self._change(name, line, 0, added)

    def _change(self, name: str, line: int, removed: int, added: list[str]) -> None:
        new = Lines(name, line, removed, tuple(added))
        if new in self.lines:  # several objects of one template
            return
        if removed and any(_overlap(new, other) for other in self.lines):
            raise ByHandError("several changes meet in one line", Place(name, line))
        self.lines.append(new)


def changed_text(text: str, lines: Iterable[Lines]) -> str:
    """Return the text of a template with ``lines`` in it."""
    found = text.split("\n")
    end = "\r" if found[0].endswith("\r") else ""
    ordered = sorted(lines, key=lambda one: (one.line, one.removed > 0))
    for one in reversed(ordered):
        found[one.line - 1 : one.line - 1 + one.removed] = [line + end for line in one.added]
    return "\n".join(found)


def _overlap(one: Lines, other: Lines) -> bool:
    first, second = sorted((one, other), key=lambda lines: lines.line)
    return one.name == other.name and bool(first.removed) and second.line < first.line + first.removed


def _base(node: Node) -> tuple[Block, ...]:
    """The blocks that are open wherever a node is: those of a document are those of its kind."""
    if node.kind == "document":
        return next((child.blocks for child in node.children if child.name == "kind"), node.blocks)
    return node.blocks


def _rebinds(blocks: tuple[Block, ...]) -> bool:
    """Whether the dot is another there than at the top."""
    return any(block.word in ("with", "range") for block in blocks)


def _containers(node: Node) -> list[Node]:
    """The containers of the pod that a container is in, or of a pod itself."""
    pod = next(
        (one for one in (node, *node.above()) if any(child.name == "containers" for child in one.children)), None
    )
    lists = [child for child in pod.children if child.name in ("containers", "initContainers")] if pod else []
    return [item for one in lists for item in one.children if item.kind == "item"]


def _literal(pairs: dict[str, Any], column: int, offset: int) -> list[str]:
    lines = pair_lines(pairs.items(), column, Layout(offset=offset))
    if any("{{" in line for line in lines):
        raise ByHandError("its value holds the braces of an action")
    return lines
