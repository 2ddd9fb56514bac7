"""Security contexts in whose place the program may have another one when it runs: what a caller or a setting gives,
what a branch sets later, what a function sets that gets the whole container.

What is given there wins, so what is written here holds where nothing is given: ``given or V1SecurityContext(...)``, or
the argument of a constructor that a later statement replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

from hardener.sources.python.libraries.dialects import KUBE
from hardener.sources.python.model import Mapping, Node, Opaque
from hardener.sources.python.names.resolve import called, single
from hardener.sources.python.names.scan import Scan
from hardener.sources.python.names.scopes import OF_SPEC, Binding, Scope
from hardener.sources.python.objects import assembled
from hardener.sources.python.objects.expressions import is_none, is_variable
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places

FIELD = "securityContext"
_OF_USER = frozenset({"runAsUser", "runAsGroup", "runAsNonRoot"})
_OF_PODS = re.compile(rb"\bpod_security_context\b|\bpodSecurityContext\b")
_ATTRIBUTE = "security_context"
_HOLDERS = frozenset({"Container", "PodSpec"})
_READING = frozenset({"get", "pop"})  # methods that give None for what is absent
FILLED = "filled"
_DEEPEST = 10  # names that stand for each other
# What `or` can be written behind; a conditional needs parentheses first.
_OPERANDS = syntax.Name | syntax.Attribute | syntax.Subscript | syntax.Call | syntax.IfExp


def is_written_by(mapping: Mapping, field: str) -> bool:
    """Whether ``field`` of ``mapping`` is a security context that ``or`` gives a default: a constructor of the client
    of Kubernetes, or a dict. Other libraries have values that are always true."""
    if field != FIELD or mapping.type_name not in _HOLDERS or mapping.keywords is not None:
        return False
    if mapping.form == "call":
        return mapping.dialect is KUBE
    return mapping.form == "dict" and mapping.dialect in (None, KUBE)


def types_looked_at(scan: Scan) -> Iterator[str]:
    """The types of the objects of which the program looks at the security context: "Container"; "" for one that is not
    known. That of ``self`` is a setting."""
    for scope in scan.scopes:
        for name, attribute in scope.members:
            if attribute == _ATTRIBUTE and not scope.is_instance(name):
                yield "PodSpec" if name == OF_SPEC else _type_of(name, scope)


def _type_of(name: str, scope: Scope) -> str:
    """The type of the one object that a name was given, "" where that is not known."""
    owner = scope.owner(name)
    binding = single(owner.bindings[name])[0] if owner is not None else None
    if binding is None or not isinstance(binding.value, syntax.Call):
        return ""
    known = called(binding.value, binding.scope)
    return known.type_name if known is not None else ""


def may_be_replaced(made: Mapping) -> bool:
    """Whether what stands in a security context holds apart from the rest of its pod. What containers may do depends
    on the user that is written for the pod, and another context may have another one."""
    return made.type_name != "PodSecurityContext" or _OF_USER.isdisjoint(made.fields)


def is_absent(node: Node) -> TypeGuard[Mapping]:
    """Whether it is a security context that no text holds."""
    return isinstance(node, Mapping) and node.replaced is not None and node.bracket is None


def is_default(node: Node) -> TypeGuard[Mapping]:
    """Whether it is a security context that no text holds, or one that the program fills first."""
    return is_absent(node) or (isinstance(node, Mapping) and node.replaced is not None and node.place == FILLED)


def given_for_pods(places: Places) -> Opaque | None:
    """What the program takes from elsewhere as the security context of pods; None where it names none. It holds for a
    container without one of its own."""
    found = _OF_PODS.search(places.source)
    if found is None:
        return None
    start, end = found.span()
    return Opaque(start, end, places.line(start), "${" + found[0].decode() + "}", "given for the pod")


def absent(at: Node, type_name: str, context: Mapping, given: Opaque, place: str) -> Mapping:
    """A security context that no text holds, at the place of ``at``; see ``Mapping`` for ``given`` and ``place``."""
    made = assembled.holder(at, type_name, context)
    made.replaced, made.place = given, place
    return made


def may_be_absent(node: syntax.Node, scope: Scope, depth: int = 0) -> bool:
    """Whether an expression may come to nothing, as a setting or an argument that nobody gives: a parameter, an
    attribute, a key, a variable that was None before. A constant and what a function makes are held for whole."""
    if depth > _DEEPEST:
        return False
    if isinstance(node, syntax.Attribute):
        return not node.attr.value.isupper()
    if isinstance(node, syntax.Subscript):
        return True
    if isinstance(node, syntax.Call):
        return _reads(node)
    if isinstance(node, syntax.IfExp):
        return any(_is_nothing(arm) or may_be_absent(arm, scope, depth + 1) for arm in (node.body, node.orelse))
    if isinstance(node, syntax.BooleanOperation):
        return may_be_absent(node.right, scope, depth + 1)
    if not is_variable(node) or (owner := scope.owner(node.value)) is None:
        return False
    return any(_gives_nothing(each, depth) for each in owner.bindings[node.value])


def operand(node: syntax.Node) -> bool:
    """Whether a default can be written behind an expression."""
    return isinstance(node, _OPERANDS) or (isinstance(node, syntax.BooleanOperation) and node.operator == "or")


def _gives_nothing(binding: Binding, depth: int) -> bool:
    if binding.value is None:
        return binding.reason == "a parameter"
    return not binding.each and (_is_nothing(binding.value) or may_be_absent(binding.value, binding.scope, depth + 1))


def _is_nothing(node: syntax.Node) -> bool:
    return is_none(node) or (isinstance(node, syntax.Dict) and not node.elements)


def _reads(call: syntax.Call) -> bool:
    """Whether it reads a key or an attribute that may be absent: ``settings.get("a")``, ``getattr(settings, "a")``."""
    function = call.func
    if isinstance(function, syntax.Attribute):
        return function.attr.value in _READING
    return isinstance(function, syntax.Name) and function.value == "getattr"


def chosen_dicts(bindings: list[Binding]) -> list[syntax.Dict]:
    """The dicts of which a name is one, where it is nothing else but one of them or None; none of any other
    name."""
    found: list[syntax.Dict] = []
    for each in bindings:
        if isinstance(each.value, syntax.Dict) and not each.each:
            found.append(each.value)
        elif not is_none(each.value):
            return []
    return found
