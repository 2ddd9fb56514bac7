"""Parts of pods that are dicts, without a class or a kind that says so: known by what they hold, and by what they are
handed to.

A dict is a part where it stands in the ``spec`` of something, with containers that have a name, an image and one more
field, and no key that Kubernetes does not have: task definitions of other platforms, compositions of Docker and values
of charts look alike at first. One that a function returns is a part where the function is called for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.sources.python.libraries import types
from hardener.sources.python.names.access_paths import steps
from hardener.sources.python.names.resolve import entries, followed, is_dict_call
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.objects.extract import Extractor
from hardener.sources.python.parser import syntax

Place = tuple[syntax.Node, Scope]

_FEWEST = 3  # fields of a container: a patch of an image has two
_CONTAINERS = frozenset({"containers", "initContainers", "init_containers"})
_SPEC = re.compile(r"(?:\w*_)?spec|podSpec|podspec")
_OBSERVED = frozenset({"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"})
_ELSEWHERE = b"gce-container-declaration"  # what starts containers on a machine reads a few fields of a pod alone


def by_structure(extractor: Extractor, dicts: list[Place]) -> Iterator[tuple[Place, str]]:
    """The dicts that hold a pod, each with its type: a PodTemplateSpec, or a PodSpec where more stands beside it."""
    if _ELSEWHERE in extractor.places.source:
        return
    found = [(node, scope, own) for node, scope in dicts if "spec" in (own := entries(node, scope))]
    patches = {id(template) for _, _, own in found if (template := _patched_template(own)) is not None}
    for node, scope, own in found:
        if node in extractor.inner or id(node) in patches or _is_observed(own):
            continue
        spec = followed(*own["spec"])
        if _is_spec(spec):
            yield ((node, scope), "PodTemplateSpec") if own.keys() <= {"metadata", "spec"} else (spec, "PodSpec")


def _patched_template(own: dict[str, Place]) -> syntax.Node | None:
    """The pod template in a patch of a workload: a dict with the entries ``own`` that does not say its kind."""
    inner = entries(*followed(*own["spec"]))
    if "template" not in inner or {"apiVersion", "kind"} & own.keys():
        return None
    return followed(*inner["template"])[0]


def _is_observed(own: dict[str, Place]) -> bool:
    """Whether a dict is what an API server answers."""
    if "status" in own:
        return True
    return "metadata" in own and bool(_OBSERVED & entries(*followed(*own["metadata"])).keys())


def appended(extractor: Extractor) -> Iterator[Place]:
    """The dicts that are added to the containers of a pod: ``pod["spec"]["containers"].append({...})``."""
    for call, scope in extractor.scan.calls:
        if not isinstance(call.func, syntax.Attribute) or call.func.attr.value not in ("append", "insert"):
            continue
        name, way = steps(call.func.value)
        if not call.args or not way or way[-1][1] not in _CONTAINERS:
            continue
        around = way[-2][1] if len(way) > 1 else name
        place = followed(call.args[-1].value, scope)
        if isinstance(around, str) and _SPEC.fullmatch(around) and _is_container(place):
            yield place


def returned(extractor: Extractor) -> Iterator[tuple[Place, str]]:
    """The dicts that functions of the file return where a part of a pod is wanted, each with the type of the part."""
    for call, scope, type_name in extractor.wanted:
        function = _function(call.func, scope)
        for node in function.returns if function is not None else ():
            place = followed(node, function or scope)
            if _is_dict(*place) and entries(*place) and _fits(place, type_name):
                yield place, type_name


def _function(callee: syntax.Node, scope: Scope) -> Scope | None:
    """The inside of the one function of the file that ``callee`` names: by its name, or as a method of ``self``."""
    owner: Scope | None = None
    name = ""
    if isinstance(callee, syntax.Name):
        name, owner = callee.value, scope.owner(callee.value)
    elif isinstance(callee, syntax.Attribute) and isinstance(callee.value, syntax.Name):
        if scope.is_instance(callee.value.value):
            name, owner = callee.attr.value, scope.own_class()
    bindings = owner.bindings.get(name, []) if owner is not None else []
    return bindings[0].inner if len(bindings) == 1 else None


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
