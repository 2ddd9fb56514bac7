"""What a name means at a place: a class of a library, or the one expression that it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.sources.python.libraries.dialects import CDK8S, PULUMI, Known, has_shape, recognise
from hardener.sources.python.names.access_paths import Way
from hardener.sources.python.names.scopes import Binding, Scope
from hardener.sources.python.objects.expressions import is_none, is_variable, string
from hardener.sources.python.parser import syntax

_DEEPEST = 20  # names that stand for each other
_OF_FIELDS = re.compile(r"Enum|Flag|Model|Settings|Schema|Config|TypedDict|NamedTuple|HasTraits")  # classes with fields
_MERGED = 5  # dicts that are merged into each other

Key = tuple[Scope, str]


def single(bindings: list[Binding]) -> tuple[Binding | None, str]:
    """The one binding that gives a value; else None and what the name is."""
    if len(bindings) > 1:
        return None, "assigned more than once"
    binding = bindings[0]
    if binding.value is None or binding.each:
        return None, binding.reason or "assigned more than once"
    return binding, ""


def defined(name: str, scope: Scope) -> Scope | None:
    """The one function or class of the file that ``name`` is."""
    owner = scope.owner(name)
    bindings = owner.bindings[name] if owner is not None else []
    return bindings[0].inner if len(bindings) == 1 else None


def classes(class_: Scope) -> Iterator[Scope]:
    """A class, and those of the file that it derives from, the nearest first."""
    seen: set[Scope] = set()
    waiting = [class_]
    while waiting and len(seen) < _DEEPEST:
        each = waiting.pop(0)
        if each in seen or not isinstance(each.node, syntax.ClassDef) or each.parent is None:
            continue
        seen.add(each)
        yield each
        bases = [base.value.value for base in each.node.bases if isinstance(base.value, syntax.Name)]
        found = [defined(base, each.parent) for base in bases]
        waiting += [base for base in found if base is not None and base.kind == "class"]


def member(scope: Scope, name: str, path: Way) -> tuple[Scope | None, str, Way]:
    """Who binds the name that a path begins with, and the rest of the path. An attribute of ``self`` or of a class of
    the file is a name of that class: "self.job" where it is assigned to ``self``."""
    if path and path[0][0] == "attribute":
        attribute = str(path[0][1])
        own = scope.own_class() if scope.is_instance(name) else None
        known = own if own is not None else defined(name, scope)
        if known is not None and known.kind == "class":
            for each in classes(known):
                for bound in (f"self.{attribute}", attribute) if own is not None else (attribute,):
                    if bound in each.bindings:
                        return each, bound, path[1:]
        if own is not None:
            return own, f"self.{attribute}", path[1:]
    return scope.owner(name), name, path


class Members:
    """Attributes of objects and classes that were given one value: ``self.container``, ``self.IMAGE``, ``X.IMAGE``."""

    def __init__(self, scopes: list[Scope]) -> None:
        # What a class says anew of a name that one above it has, with that one.
        self._anew = {
            (above, name)
            for scope in scopes
            if scope.kind == "class"
            for above in list(classes(scope))[1:]
            for name in map(_attribute, scope.bindings)
            if name in above.bindings or f"self.{name}" in above.bindings
        }

    def key(self, scope: Scope, name: str, path: Way) -> tuple[Key, Way] | None:
        """The class and the name of the value that a path begins with, and the rest of the path; None for what is no
        attribute, or not one value for all."""
        owner, bound, rest = member(scope, name, path)
        if owner is None or owner.kind != "class" or len(rest) == len(path) or bound not in owner.bindings:
            return None
        attribute = _attribute(bound)
        if bound != attribute and attribute in owner.bindings:
            return None  # what the class has, and what its objects have
        if scope.is_instance(name) and (owner, attribute) in self._anew:
            return None
        return ((owner, bound), rest) if bound != attribute or _is_constant(owner, attribute) else None


def _attribute(bound: str) -> str:
    return bound.removeprefix("self.")


def _is_constant(class_: Scope, name: str) -> bool:
    """Whether what a class gives a name is its value: it is a default where what decorates the class, or a class above
    it, makes fields of it."""
    for each in classes(class_):
        assert isinstance(each.node, syntax.ClassDef) and each.parent is not None
        if each.node.decorators:
            return False
        for base in each.node.bases:
            above = base.value
            is_of_file = isinstance(above, syntax.Name) and defined(above.value, each.parent)
            text = last_name(above)
            if text in ("object", "ABC") or is_of_file:
                continue
            if not name.isupper() or not text or _OF_FIELDS.search(text):
                return False
    return True


def last_name(node: syntax.Node) -> str:
    """The name of a class or function without what stands before it: "V1Pod" of ``client.V1Pod``."""
    if isinstance(node, syntax.Attribute):
        return node.attr.value
    return node.value if isinstance(node, syntax.Name) else ""


def meaning(expression: syntax.Node, scope: Scope) -> Known | None:
    """What ``expression``, the callee of a call, means; None for what is no class for a type."""
    for qualified in qualified_names(expression, scope):
        known = recognise(qualified)
        if known is not None:
            return known
    return None


def called(call: syntax.Call, scope: Scope, type_name: str = "") -> Known | None:
    """What the callee of ``call`` means, where an object of ``type_name`` is wanted; None for what is no class for a
    type."""
    base = base_class(call, scope)
    return meaning(*base) if base is not None else meaning(call.func, scope) or _by_shape(call, scope, type_name)


def base_class(call: syntax.Call, scope: Scope) -> tuple[syntax.Node, Scope] | None:
    """The class, and where it is seen from, whose constructor ``super().__init__(...)`` calls, where all that it gets
    stands there; None for any other call. Classes of resources (Pulumi, cdk8s) may get more."""
    function = call.func
    if not isinstance(function, syntax.Attribute) or function.attr.value != "__init__":
        return None
    own = scope.own_class() if isinstance(function.value, syntax.Call) else None
    if own is None or own.parent is None or not isinstance(own.node, syntax.ClassDef):
        return None
    if not isinstance(function.value, syntax.Call) or not _is_named(function.value.func, "super"):
        return None
    for each in own.node.bases:
        known = meaning(each.value, own.parent)
        if known is not None and (known.dialect in (PULUMI, CDK8S) or not any(arg.star for arg in call.args)):
            return each.value, own.parent
    return None


def _is_named(node: syntax.Node, name: str) -> bool:
    return isinstance(node, syntax.Name) and node.value == name


def _by_shape(call: syntax.Call, scope: Scope, type_name: str) -> Known | None:
    """The class of a client that a variable, an attribute or a call holds: ``self.client.V1Pod(spec=...)``. Its name is
    one of the kubernetes client, and all arguments are fields that it has; it has some, or a ``type_name`` that the
    place wants."""
    function: syntax.Node = call.func
    if is_variable(function):
        function, scope = followed(function, scope)
    if not isinstance(function, syntax.Attribute) or not function.attr.value.startswith("V"):
        return None
    known = recognise(f"kubernetes.client.{function.attr.value}")
    if known is None or not (has_shape(function.attr.value, _keywords(call)) or known.type_name == type_name):
        return None
    if not all(each.keyword is not None or each.star == "**" for each in call.args):
        return None
    return None if _is_of_other_library(function.value, scope) else known


def _is_of_other_library(node: syntax.Node, scope: Scope) -> bool:
    """Whether what a class is taken from is imported, or bound by nobody."""
    while isinstance(node, syntax.Attribute):
        node = node.value
    if not isinstance(node, syntax.Name):
        return False
    owner = scope.owner(node.value)
    return owner is None or any(each.qualified for each in owner.bindings[node.value])


def _keywords(call: syntax.Call) -> list[str]:
    return [each.keyword.value for each in call.args if each.keyword is not None]


def qualified_names(expression: syntax.Node, scope: Scope, depth: int = 0) -> list[str]:
    """The full names that ``expression`` may stand for: "kubernetes.client.V1Pod"."""
    parts: list[str] = []
    while isinstance(expression, syntax.Attribute):
        parts.append(expression.attr.value)
        expression = expression.value
    if not isinstance(expression, syntax.Name) or depth > _DEEPEST:
        return []
    end = "".join(f".{part}" for part in reversed(parts))
    return _names_of(expression.value, end, scope, depth)


def _names_of(name: str, end: str, scope: Scope, depth: int) -> list[str]:
    """The full names that a name with the attributes behind it, ``end``, may stand for."""
    owner = scope.owner(name)
    if owner is None:
        stars = [star.module.lstrip(".") for each in scope.outward() for star in each.stars]
        return [f"{star}.{name}{end}" for star in reversed(stars)]
    bindings = owner.bindings[name]
    if all(binding.qualified or is_none(binding.value) for binding in bindings):  # None where a library is absent
        return [binding.meant(binding.qualified + end) for binding in bindings if binding.qualified]
    if len(bindings) == 1 and isinstance(bindings[0].value, syntax.Name | syntax.Attribute):
        return [found + end for found in qualified_names(bindings[0].value, bindings[0].scope, depth + 1)]
    return []


def followed(node: syntax.Node, scope: Scope) -> tuple[syntax.Node, Scope]:
    """The expression that a name was given, and where; any other one as it is."""
    if isinstance(node, syntax.Name) and (owner := scope.owner(node.value)) is not None:
        binding, _ = single(owner.bindings[node.value])
        if binding is not None and binding.value is not None:
            return binding.value, binding.scope
    return node, scope


def is_dict_call(node: syntax.Call, scope: Scope) -> bool:
    """Whether it is ``dict(...)`` of Python."""
    return isinstance(node.func, syntax.Name) and node.func.value == "dict" and scope.owner("dict") is None


def entries(node: syntax.Node, scope: Scope, depth: int = 0) -> dict[str, tuple[syntax.Node, Scope]]:
    """The values of a dict by those keys that are texts, and where they are seen from; none of anything else."""
    found: dict[str, tuple[syntax.Node, Scope]] = {}
    for key, value in _pairs(node, scope):
        if key == "**" and depth < _MERGED:
            found |= entries(*followed(value, scope), depth + 1)
        elif key is not None:
            found[key] = (value, scope)
    return found


def _pairs(node: syntax.Node, scope: Scope) -> Iterator[tuple[str | None, syntax.Node]]:
    """The keys of a dict with their values: "**" for what is spread into it, None for what is no text."""
    if isinstance(node, syntax.Dict):
        for element in node.elements:
            yield (string(element.key) if isinstance(element, syntax.DictElement) else "**"), element.value
    elif isinstance(node, syntax.Call) and is_dict_call(node, scope):
        for argument in node.args:
            yield (argument.keyword.value if argument.keyword else argument.star or "**"), argument.value
    elif isinstance(node, syntax.BinaryOperation) and node.operator == "|":
        yield "**", node.left
        yield "**", node.right
