"""A part of a workload, which somebody merges into a whole one: whether it says anything that could weaken that.

Applied by itself it is refused, since a container has no image; merged by server-side apply it sets what it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hardener.kubernetes.components.component import is_static_control_plane_name
from hardener.support import shapes

_HARMLESS = re.compile(r"[0-9.]{1,20}|true|false|")  # a value that is no secret and no command
_KEYS = {
    "object": frozenset({"apiVersion", "kind", "metadata", "spec"}),
    "metadata": frozenset({"name", "namespace", "labels", "annotations"}),
    "workload": frozenset({"replicas", "template", "minReadySeconds", "revisionHistoryLimit"}),
    "template": frozenset({"spec"}),  # labels of pods are what policies go by
    "pod": frozenset({"containers", "terminationGracePeriodSeconds"}),
    "container": frozenset({"name", "args", "env", "resources", "imagePullPolicy"}),
    "variable": frozenset({"name", "value"}),
}
_OF_KUBERNETES = "kubernetes.io/"  # labels and annotations that mean something to a cluster
_FOR_PEOPLE = "app.kubernetes.io/"


def sets_nothing_weak(document: Any) -> bool:
    """Whether ``document``, a workload whose pods stand at ``spec.template``, says only what weakens no workload."""
    return all(test(part) for test, part in _parts(document))


_Test = Callable[[Any], bool]


def _parts(document: Any) -> Iterator[tuple[_Test, Any]]:
    """What stands in ``document``, each with what has to hold of it."""
    found = shapes.mapping(document)
    spec = shapes.mapping(found.get("spec"))
    template = shapes.mapping(spec.get("template"))
    pod = shapes.mapping(template.get("spec"))
    yield from ((_only(name), part) for name, part in (("object", found), ("workload", spec), ("pod", pod)))
    yield _is_for_people, found.get("metadata", {})
    yield _only("template"), template
    containers = pod.get("containers")
    yield (lambda value: isinstance(value, list)), containers
    for container in shapes.listed(containers):
        yield _only("container"), container
        yield _are_words, shapes.mapping(container).get("args", [])
        yield _are_variables, shapes.mapping(container).get("env", [])


def _only(name: str) -> _Test:
    return lambda value: isinstance(value, dict) and _KEYS[name].issuperset(value)


def _is_for_people(metadata: Any) -> bool:
    if not _only("metadata")(metadata):
        return False
    keys = [str(key) for name in ("labels", "annotations") for key in shapes.mapping(metadata.get(name))]
    return all(key.startswith(_FOR_PEOPLE) or _OF_KUBERNETES not in key for key in keys)


def _are_words(args: Any) -> bool:
    """Whether ``args`` start a program of the workload's own, with no settings that a rule knows."""
    if not isinstance(args, list) or not all(isinstance(word, str) for word in args):
        return False
    return all(word.startswith("/") and not is_static_control_plane_name(word.rpartition("/")[2]) for word in args)


def _are_variables(env: Any) -> bool:
    return isinstance(env, list) and all(
        _only("variable")(each) and _HARMLESS.fullmatch(str(each.get("value", ""))) for each in env
    )
