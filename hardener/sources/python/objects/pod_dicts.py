"""Parts of pods that are dicts, without a class or a kind that says so: known by what they hold, and by what they are
handed to.

A dict is a part where it stands in the ``spec`` of something, with containers that have a name, an image and one more
field, and no key that Kubernetes does not have: task definitions of other platforms, compositions of Docker and values
of charts look alike at first. One that a function returns is a part where the function is called for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hardener.sources.python.libraries import types
from hardener.sources.python.names.access_paths import Way, steps
from hardener.sources.python.names.resolve import Key, entries, followed, is_dict_call, member
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.objects.call_effects import function_of
from hardener.sources.python.objects.extract import Extractor
from hardener.sources.python.objects.mutations import copied_by
from hardener.sources.python.parser import syntax

Place = tuple[syntax.Node, Scope]

_FEWEST = 3  # fields of a container: a patch of an image has two
_CONTAINERS = frozenset({"containers", "initContainers", "init_containers"})
_SPEC = re.compile(r"(?:\w*_)?spec|podSpec|podspec")
_OBSERVED = frozenset({"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"})
_ELSEWHERE = b"gce-container-declaration"  # what starts containers on a machine reads a few fields of a pod alone
_OTHER_PLATFORMS = (_ELSEWHERE, b"podProperties", b"pod_properties", b"eksProperties")  # jobs of Batch
_ADDING = frozenset({"append", "insert", "extend"})
_INIT = _CONTAINERS - {"containers"}
# Fields that only a container of Kubernetes has; what it shares with Azure and Cloud Run tells where a pod is near.
_OF_KUBERNETES = frozenset({"securityContext", "imagePullPolicy", "envFrom"})
_OF_PODS = frozenset({"volumeMounts", "livenessProbe", "readinessProbe"})
_NEAR = re.compile(rb"(?i)kube|k8s|\bpods?\b|pod_?spec")
_MOST = 1000  # expressions that one may stand for


def by_structure(extractor: Extractor, dicts: list[Place]) -> Iterator[tuple[Place, str]]:
    """The dicts that hold a pod, each with its type: a PodTemplateSpec, or a PodSpec where more stands beside it."""
    if _ELSEWHERE in extractor.places.source:
        return
    found = [(node, scope, own) for node, scope in dicts if "spec" in (own := entries(node, scope))]
    patches = {id(template[0]) for _, _, own in found if (template := _patched_template(own)) is not None}
    for node, scope, own in found:
        if node in extractor.inner or id(node) in patches or _is_observed(own):
            continue
        spec = followed(*own["spec"])
        if _is_spec(spec):
            yield ((node, scope), "PodTemplateSpec") if own.keys() <= {"metadata", "spec"} else (spec, "PodSpec")


def _patched_template(own: dict[str, Place]) -> Place | None:
    """The pod template in a patch of a workload: a dict with the entries ``own`` that does not say its kind."""
    inner = entries(*followed(*own["spec"]))
    if "template" not in inner or {"apiVersion", "kind"} & own.keys():
        return None
    return followed(*inner["template"])


def _is_observed(own: dict[str, Place]) -> bool:
    """Whether a dict is what an API server answers."""
    if "status" in own:
        return True
    return "metadata" in own and bool(_OBSERVED & entries(*followed(*own["metadata"])).keys())


def appended(extractor: Extractor) -> Iterator[Place]:
    """The dicts that are added to the containers of a pod: ``pod["spec"]["containers"].append({...})``."""
    for target, value, scope in _additions(extractor):
        name, way = steps(target)
        if not way or way[-1][1] not in _CONTAINERS:
            continue
        around = way[-2][1] if len(way) > 1 else name
        if isinstance(around, str) and _SPEC.fullmatch(around):
            yield from (place for place in meant(value, scope, extractor) if _is_container(place))


def _additions(extractor: Extractor) -> Iterator[tuple[syntax.Node, syntax.Node, Scope]]:
    """What a list gets, with the list: by its methods, by ``+=``, and by a statement that sets it."""
    for call, scope in extractor.scan.calls:
        if isinstance(call.func, syntax.Attribute) and call.func.attr.value in _ADDING and call.args:
            yield call.func.value, call.args[-1].value, scope
    yield from extractor.scan.added
    for change in extractor.scan.changes:
        if change.how == "set" and change.value is not None and change.holder is None:
            yield change.node, change.value, change.scope


def alone(extractor: Extractor, dicts: list[Place]) -> Iterator[Place]:
    """The dicts that are containers wherever they go: they have a field that containers of other platforms have not, or
    are listed as init containers."""
    source = extractor.places.source
    if any(word in source for word in _OTHER_PLATFORMS):
        return
    foreign = {node for spec in _foreign_specs(dicts) for node in _containers_of(spec, extractor)}
    is_near = _NEAR.search(source) is not None
    sure = _OF_KUBERNETES | _OF_PODS if is_near else _OF_KUBERNETES
    for place in dicts:
        if place[0] not in foreign and not sure.isdisjoint(entries(*place)) and _is_container(place):
            yield place
    for value in _init_containers(extractor, dicts) if is_near else ():
        yield from (place for place in meant(*value, extractor) if place[0] not in foreign and _is_container(place))


def _init_containers(extractor: Extractor, dicts: list[Place]) -> Iterator[Place]:
    """What stands below a key, is an argument or gets into a list that is called init containers."""
    for node, scope in dicts:
        own = entries(node, scope)
        yield from (own[key] for key in _INIT & own.keys())
    for call, scope in extractor.scan.calls:
        yield from ((each.value, scope) for each in call.args if each.keyword and each.keyword.value in _INIT)
    for target, value, scope in _additions(extractor):
        name, way = steps(target)
        if (way[-1][1] if way else name) in _INIT:
            yield value, scope


def _foreign_specs(dicts: list[Place]) -> Iterator[Place]:
    """The specs in patches of workloads, and in what an API server answered."""
    for node, scope in dicts:
        own = entries(node, scope)
        if "spec" not in own:
            continue
        if _is_observed(own):
            yield own["spec"]
        template = _patched_template(own)
        inner = entries(*template) if template is not None else {}
        if "spec" in inner:
            yield inner["spec"]


def _containers_of(spec: Place, extractor: Extractor) -> Iterator[syntax.Node]:
    own = entries(*followed(*spec))
    for key in _CONTAINERS & own.keys():
        yield from (node for node, _ in meant(*own[key], extractor))


def wanted(extractor: Extractor) -> Iterator[tuple[Place, str]]:
    """The dicts that stand where a part of a pod is wanted and that no one value is: what a function of the file
    returns, either arm of a condition, an item of a dict, what a list of them gets; each with the type of the part."""
    for node, scope, type_name in extractor.wanted:
        yield from _fitting(node, scope, type_name, extractor)
    for target, value, scope in _additions(extractor) if extractor.lists else ():
        if (type_name := extractor.lists.get(_list(target, scope), "")) and value not in extractor.inner:
            yield from _fitting(value, scope, type_name, extractor)


def _fitting(node: syntax.Node, scope: Scope, type_name: str, extractor: Extractor) -> Iterator[tuple[Place, str]]:
    for place in meant(node, scope, extractor):
        if entries(*place) and _fits(place, type_name):
            yield place, type_name


def _list(target: syntax.Node, scope: Scope) -> Key | None:
    """The name of what is added to; None for what is a part of something."""
    name, way = steps(target)
    owner, name, rest = member(scope, name, way) if name else (None, "", way)
    return (owner, name) if owner is not None and not rest else None


def meant(node: syntax.Node, scope: Scope, extractor: Extractor) -> Iterator[Place]:
    """The dicts that an expression may stand for, with those in lists of them."""
    waiting: list[Place] = [(node, scope)]
    seen: set[syntax.Node] = set()
    while waiting and len(seen) < _MOST:
        node, scope = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if _is_dict(node, scope):
            yield node, scope
        elif (look := _ALTERNATIVES.get(type(node))) is not None:
            waiting += reversed(list(look(node, scope, extractor)))


def _of_name(node: Any, scope: Scope, extractor: Extractor) -> Iterator[Place]:
    yield from _values(scope.owner(node.value), node.value)


def _values(owner: Scope | None, name: str) -> Iterator[Place]:
    for binding in owner.bindings.get(name, ()) if owner is not None else ():
        if binding.value is not None:
            yield binding.value, binding.scope


def _of_part(node: Any, scope: Scope, extractor: Extractor) -> Iterator[Place]:
    """What an attribute of the class was given, and the items of a dict or list that a name stands for."""
    name, path = steps(node)
    owner, name, rest = member(scope, name, path) if name else (None, "", ())
    for place in _values(owner, name):
        yield from _inside(place, rest)


def _inside(place: Place, way: Way) -> Iterator[Place]:
    """What stands where a way leads in dicts and lists that are written there."""
    places = [place]
    for kind, step in way:
        below: list[Place] = []
        for each in places:
            own = entries(*each)
            known = [own[str(step)]] if kind == "key" and step in own else list(own.values())
            below += known or _elements(*each)
        places = below
    yield from places


def _elements(node: syntax.Node, scope: Scope) -> list[Place]:
    return [(each.value, scope) for each in node.elements] if isinstance(node, syntax.List | syntax.Tuple) else []


def _of_call(node: Any, scope: Scope, extractor: Extractor) -> Iterator[Place]:
    """What a function of the file returns, or what is copied."""
    function = function_of(node, scope)[0]
    if function is not None:
        yield from ((each, function) for each in (*function.returns, *function.yields))
        return
    copied = copied_by(node)[0]
    if copied is not None:
        yield copied, scope
    elif isinstance(node.func, syntax.Attribute) and node.func.attr.value in ("get", "setdefault"):
        yield from _of_part(node, scope, extractor)


def _of_comprehension(node: Any, scope: Scope, extractor: Extractor) -> Iterator[Place]:
    yield node.elt, extractor.scan.comprehensions.get(node, scope)


_Look = Callable[[Any, Scope, Extractor], Iterator[Place] | list[Place]]
_ALTERNATIVES: dict[type[syntax.Node], _Look] = {
    syntax.Name: _of_name,
    syntax.Attribute: _of_part,
    syntax.Subscript: _of_part,
    syntax.Call: _of_call,
    syntax.IfExp: lambda node, scope, _: [(node.body, scope), (node.orelse, scope)],
    syntax.BooleanOperation: lambda node, scope, _: [(node.left, scope), (node.right, scope)],
    syntax.BinaryOperation: lambda node, scope, _: [(node.left, scope), (node.right, scope)],
    syntax.List: lambda node, scope, _: _elements(node, scope),
    syntax.Tuple: lambda node, scope, _: _elements(node, scope),
    syntax.ListComp: _of_comprehension,
    syntax.GeneratorExp: _of_comprehension,
    syntax.NamedExpr: lambda node, scope, _: [(node.value, scope)],
    syntax.Await: lambda node, scope, _: [(node.expression, scope)],
}
"""What else an expression may be, by its kind."""


def _is_spec(place: Place) -> bool:
    """Whether it can only be the spec of a pod."""
    own = entries(*place)
    if "containers" not in own or not _fits(place, "PodSpec"):
        return False
    node, scope = followed(*own["containers"])
    if isinstance(node, syntax.ListComp):
        return _is_dict(node.elt, scope) and _is_container((node.elt, scope))
    items = [each.value for each in node.elements] if isinstance(node, syntax.List | syntax.Tuple) else []
    return any(_is_container(followed(item, scope)) for item in items)


def _is_container(place: Place) -> bool:
    own = entries(*place)
    return len(own) >= _FEWEST and {"name", "image"} <= own.keys() and _fits(place, "Container")


def _is_dict(node: syntax.Node, scope: Scope) -> bool:
    return isinstance(node, syntax.Dict) or (isinstance(node, syntax.Call) and is_dict_call(node, scope))


def _fits(place: Place, type_name: str, depth: int = 0) -> bool:
    """Whether all keys that are written in a dict, or in the dicts of a list, are fields of the type."""
    node, scope = place
    if depth > 10:
        return False
    if isinstance(node, syntax.List | syntax.Tuple):
        inner = types.item_type(type_name)
        return all(_fits(followed(each.value, scope), inner, depth + 1) for each in node.elements)
    if not _is_dict(node, scope) or not types.fields(type_name):
        return True
    return all(
        key in types.fields(type_name) and _fits(followed(*value), types.field_type(type_name, key), depth + 1)
        for key, value in entries(node, scope).items()
    )
