"""What later statements do to an object: ``pod.spec.containers.append(...)``, ``job["spec"] = ...``.

A field that is set once, by a statement that runs whenever the object is made, has that value. When other statements
run is not asked: what they set is not known anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import libcst as cst

from .expressions import string
from .keys import field_of
from .literals import opaque
from .model import Entry, Mapping, Node, Opaque, Scalar, Sequence, more_open
from .places import Places
from .resolve import Key
from .scan import Scan
from .scopes import Change, Scope
from .steps import Way, steps

Changes = dict[cst.CSTNode, list[tuple[Way, Change]]]
_DEEPEST = 10  # names that stand for parts of each other


def changes_by_value(scan: Scan) -> Changes:
    """Every change with its path, by the expressions whose objects it changes: that of ``pod`` for
    ``c = pod.spec.containers[0]; c.image = x``."""
    direct: dict[Key, list[tuple[Way, Change]]] = {}
    for change in scan.changes:
        owner, name, path = _named(change.scope, change.name, change.path)
        if owner is not None:
            direct.setdefault((owner, name), []).append((path, change))
    collector = _Collector(scan)
    for key, changes in direct.items():
        paths = [path for path, change in changes if change.how in ("set", "removed")]
        for path, change in changes:
            sure = _is_sure(change, path, key, paths)
            collector.name(*key, path, change if sure else replace(change, value=None), 0)
    return collector.found


def _named(scope: Scope, name: str, path: Way) -> tuple[Scope | None, str, Way]:
    """Who binds the name that a path begins with. An attribute of ``self`` is a name of the class."""
    if path and path[0][0] == "attribute" and scope.is_instance(name) and (own := scope.own_class()) is not None:
        return own, f"self.{path[0][1]}", path[1:]
    return scope.owner(name), name, path


def _is_sure(change: Change, path: Way, key: Key, paths: list[Way]) -> bool:
    """Whether all that the name stands for has the value that ``change`` sets."""
    scope, name = key
    bindings = scope.bindings.get(name, [])
    if change.value is None or len(bindings) != 1 or bindings[0].block is not change.block:
        return False
    if scope is not change.scope or any(kind not in ("attribute", "key") for kind, _ in path):
        return False
    return sum(other == path for other in paths) == 1


class _Collector:
    def __init__(self, scan: Scan) -> None:
        self.comprehensions = scan.comprehensions
        self.found: Changes = {}

    def name(self, owner: Scope, name: str, path: Way, change: Change, depth: int) -> None:
        if depth > _DEEPEST:
            return
        if depth == 1:  # what is set through another name may be set on something else by then
            change = replace(change, value=None)
        for binding in owner.bindings.get(name, ()):
            if binding.value is not None:
                step: Way = (("any", None),) if binding.each else ()
                self.value(binding.value, binding.scope, (*step, *path), change, depth)

    def value(self, value: cst.CSTNode, scope: Scope, path: Way, change: Change, depth: int) -> None:
        begin, before = steps(value)
        if begin:
            owner, begin, whole = _named(scope, begin, (*before, *path))
            if owner is not None:
                self.name(owner, begin, whole, change, depth + 1)
            return
        known = self.found.setdefault(value, [])
        if any(path == other and change.node is by.node for other, by in known):
            return
        known.append((path, change))
        for inner, rest in _inner(value, path):
            self.value(inner, self.comprehensions.get(value, scope), rest, change, depth)


def _inner(value: cst.CSTNode, path: Way) -> Iterator[tuple[cst.CSTNode, Way]]:
    """The expressions in ``value`` whose object a path through it changes."""
    if isinstance(value, cst.NamedExpr):
        yield value.value, path
    elif isinstance(value, cst.IfExp):
        yield from ((value.body, path), (value.orelse, path))
    elif isinstance(value, cst.BooleanOperation):
        yield from ((value.left, path), (value.right, path))
    if not path:
        return
    (kind, name), rest = path[0], path[1:]
    if isinstance(value, cst.BinaryOperation):
        yield from ((value.left, path), (value.right, path))
    elif isinstance(value, cst.ListComp | cst.GeneratorExp):
        yield value.elt, rest
    elif isinstance(value, cst.List | cst.Tuple):
        for element in value.elements:
            yield element.value, path if isinstance(element, cst.StarredElement) else rest
    elif isinstance(value, cst.Dict):
        for entry in value.elements:
            if not isinstance(entry, cst.DictElement):
                continue
            own = string(entry.key)
            if kind == "any" or own is None or own == name:
                yield entry.value, rest


class Later:
    """Applies changes to the nodes of the objects. ``read`` gives the node for the value that a change gives a field of
    a mapping."""

    def __init__(self, places: Places, read: Callable[[Mapping, str, Change], Node]) -> None:
        self._places = places
        self._read = read
        self._applied: set[tuple[Node, cst.CSTNode]] = set()

    def changed(self, node: Node, path: Way, change: Change) -> Node:
        """``node`` as it is after ``change`` at ``path`` below it; another node where it is not known any more."""
        if isinstance(node, Opaque):
            return node
        if not path:
            return self._grown(node, change)
        if len(path) == 1:
            if (node, change.node) in self._applied:
                return node
            self._applied.add((node, change.node))
        (kind, name), rest = path[0], path[1:]
        if isinstance(node, Sequence):
            self._items(node, kind, name, rest, change)
        elif isinstance(node, Mapping):
            if kind in ("attribute", "key"):
                self._field(node, field_of(node, kind, str(name)), rest, change)
            elif rest:
                for entry in node.fields.values():
                    entry.value = self.changed(entry.value, rest, change)
            else:
                node.open = more_open(node.open, self._why(change))
        return node

    def _grown(self, node: Node, change: Change) -> Node:
        if isinstance(node, Mapping | Sequence):
            node.open = more_open(node.open, self._why(change))
            return node
        assert isinstance(node, Scalar)
        return opaque(change.node, self._places, f"changed later (line {self._line(change)})")

    def _field(self, mapping: Mapping, field: str, rest: Way, change: Change) -> None:
        entry = mapping.fields.get(field)
        if entry is not None and rest:
            entry.value = self.changed(entry.value, rest, change)
            return
        if entry is None and not rest and change.value is not None:
            mapping.fields[field] = Entry(self._read(mapping, field, change), None)
            return
        if not rest and change.how not in ("set", "removed"):
            if entry is not None:
                entry.value = self.changed(entry.value, (), change)
            else:
                mapping.fields[field] = Entry(self._later(change), None)
            return
        mapping.fields[field] = Entry(self._later(change), entry.item if entry is not None else None)

    def _items(self, sequence: Sequence, kind: str, index: str | int | None, rest: Way, change: Change) -> None:
        if kind == "index" and isinstance(index, int) and not -len(sequence.items) <= index < len(sequence.items):
            return
        numbers = [index] if isinstance(index, int) else range(len(sequence.items)) if kind == "any" else []
        for number in numbers:
            if rest or change.how not in ("set", "removed"):
                sequence.items[number] = self.changed(sequence.items[number], rest, change)
            elif kind == "index":
                sequence.items[number] = self._later(change)
            else:
                sequence.open = more_open(sequence.open, self._why(change))

    def _later(self, change: Change) -> Opaque:
        what = "removed" if change.how == "removed" else "set"
        return opaque(change.node, self._places, f"{what} later (line {self._line(change)})")

    def _why(self, change: Change) -> str:
        function = change.node.func if isinstance(change.node, cst.Call) else change.node
        text = " ".join(self._places.text(function).split())
        return f"{text} (line {self._line(change)})"

    def _line(self, change: Change) -> int:
        return self._places.line(self._places.start(change.node))
