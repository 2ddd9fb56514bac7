"""Objects that a program makes step by step. A dict that it fills before it becomes a security context (``context =
{}``, then ``context.update(given)``): what fills it wins over what stands in it, so what is written into its literal is
a default. A container that functions get and give back: ``box = changed(box)``."""

from __future__ import annotations

import re
from collections import Counter

from msgspec import Struct

from hardener.sources.python.names.resolve import Key
from hardener.sources.python.names.scan import Scan
from hardener.sources.python.names.scopes import Binding, Change, Scope
from hardener.sources.python.objects.expressions import is_none, is_variable, string
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places


class Gathered:
    """The dicts of a file that are filled in this way."""

    def __init__(self, scan: Scan, places: Places) -> None:
        self._places = places
        self._changes: dict[Key, list[Change]] = {}
        for change in scan.changes:
            if (owner := change.scope.owner(change.name)) is not None:
                self._changes.setdefault((owner, change.name), []).append(change)
        self._scopes = scan.scopes
        self._loads: Counter[Key] | None = None

    def literal(self, value: syntax.Node, scope: Scope) -> Binding | None:
        """Where the dict is made that ``value`` means: ``context``, or ``context or None``. None where the program does
        anything else with it, as to look at whether it is empty: then a default would change what it does."""
        name = _without_none(value)
        owner = scope.owner(name.value) if is_variable(name) else None
        if not is_variable(name) or owner is None or owner.kind != "function":
            return None
        key = owner, name.value
        made = [each for each in owner.bindings[name.value] if not is_none(each.value)]
        if len(made) != 1 or made[0].each or not _has_named_keys(made[0].value):
            return None
        emptied = [each for each in owner.bindings[name.value] if each is not made[0]]
        changes = self._changes.get(key, [])
        if not changes or not all(map(_fills, changes)):
            return None
        guards = sum(self._is_guarded(each, name.value) for each in emptied)
        return made[0] if self._loaded(key) == len(changes) + guards + 1 else None

    def _is_guarded(self, binding: Binding, name: str) -> bool:
        """Whether ``name`` becomes None where it is empty: ``if not name: name = None``."""
        if binding.block is None:
            return False
        before = self._places.source[: binding.block.start].rstrip().removesuffix(b":")
        return re.search(rb"\bif not %s$" % re.escape(name.encode()), before) is not None

    def _loaded(self, key: Key) -> int:
        if self._loads is None:
            self._loads = Counter()
            for scope in self._scopes:
                for name, count in scope.loads.items():
                    if (owner := scope.owner(name)) is not None:
                        self._loads[owner, name] += count
        return self._loads[key]


class GivenBack(Struct, frozen=True):
    """An object that functions get and give back under the same name: the expression that makes it, where that is seen
    from, and the calls."""

    value: syntax.Node
    scope: Scope
    calls: list[tuple[syntax.Call, Scope]]


def given_back(bindings: list[Binding], name: str) -> GivenBack | None:
    """What a name stands for after ``box = V1Container(); box = changed(box)``; None where it may be another object."""
    made, *others = bindings
    if not isinstance(made.value, syntax.Call | syntax.Dict) or made.each or _gets(made.value, name):
        return None
    calls = [(each.value, each.scope) for each in others if isinstance(each.value, syntax.Call) and not each.each]
    if len(calls) != len(others) or not all(_gets(call, name) for call, _ in calls):
        return None
    return GivenBack(made.value, made.scope, calls)


def _gets(value: syntax.Node, name: str) -> bool:
    """Whether it is a call that gets the object of ``name``."""
    if not isinstance(value, syntax.Call):
        return False
    return any(isinstance(each.value, syntax.Name) and each.value.value == name for each in value.args)


def _without_none(value: syntax.Node) -> syntax.Node:
    """What ``value or None`` is where it is something."""
    is_choice = isinstance(value, syntax.BooleanOperation) and value.operator == "or"
    return value.left if isinstance(value, syntax.BooleanOperation) and is_choice and is_none(value.right) else value


def _has_named_keys(node: syntax.Node | None) -> bool:
    """Whether it is a dict literal whose keys all stand there: what is spread into one may be given."""
    if not isinstance(node, syntax.Dict):
        return False
    return all(isinstance(each, syntax.DictElement) and string(each.key) is not None for each in node.elements)


def _fills(change: Change) -> bool:
    """Whether a change puts something into the dict that wins over what is there."""
    if change.how == "update":
        return not change.path
    return change.how == "set" and len(change.path) == 1 and change.path[0][0] == "key"
