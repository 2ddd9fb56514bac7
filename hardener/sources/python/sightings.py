"""What looks like a workload in a program, whether or not an object of it was read: a search of its syntax tree that
knows names and keys, and neither imports nor types.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from hardener.sources.python.libraries import types
from hardener.sources.python.libraries.dialects import KUBE, fields_by_keyword

# Words of which one is in any such file; the most plain ones first, since a search for them costs least.
_CALL = re.compile(rb"(?:V1(?:Container|EphemeralContainer|Pod\w*|Deployment|StatefulSet|DaemonSet|Job|CronJob)|PodOp"
                   rb"erator|ContainerArgs|\bContainer)\(")  # fmt: skip
_KEYS = (b"ullPolicy", b"ull_policy", b"olumeMounts", b"olume_mounts", b"securityContext", b"env_from")
_LIBRARIES = (b"kubernetes", b"lightkube", b"cdk8s", b"hikaru", b"k8s")
_CLASSES = re.compile(r"V1(?:Container|EphemeralContainer|Pod|PodSpec|PodTemplateSpec|Deployment|StatefulSet|DaemonSet"
                      r"|Job|CronJob)|\w*PodOperator|ContainerArgs|Container")  # fmt: skip
_WITH_POD = frozenset({"spec", "template", "containers"})  # what makes a class of the client one with a pod
_LISTS = frozenset({"containers", "initContainers", "init_containers", "ephemeralContainers"})
# Fields that nothing but a container of Kubernetes has beside its name and image.
_OWN = frozenset(
    {
        "imagePullPolicy", "image_pull_policy", "securityContext", "security_context", "volumeMounts", "volume_mounts",
        "envFrom", "env_from", "livenessProbe", "readinessProbe", "liveness_probe", "readiness_probe",
    }
)  # fmt: skip


def sightings(raw: bytes, covered: Iterable[tuple[int, int]] = ()) -> list[tuple[int, str]]:
    """The line and the name of each that begins outside of the ``covered`` lines (first and last); none of what Python
    cannot read."""
    if not _may_hold(raw):
        return []
    try:
        with warnings.catch_warnings():  # of odd escapes in literals
            warnings.simplefilter("ignore")
            tree = ast.parse(raw)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    known = list(covered)
    has_library = any(word in raw for word in _LIBRARIES)
    found = {
        (line, what)
        for line, what in _outermost(tree, has_library)
        if not any(first <= line <= last for first, last in known)
    }
    return sorted(found)


def _may_hold(raw: bytes) -> bool:
    if any(key in raw for key in _KEYS) or (b"ontainers" in raw and b"image" in raw):
        return True
    return _CALL.search(raw) is not None


def _outermost(tree: ast.AST, has_library: bool) -> Iterator[tuple[int, str]]:
    """Those that stand in no other one."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        what = _what(node, has_library)
        if what:
            yield node.lineno, what  # type: ignore[attr-defined]
        else:
            waiting += ast.iter_child_nodes(node)


def _what(node: ast.AST, has_library: bool) -> str:
    """What a node looks like; "" for any other one."""
    if isinstance(node, ast.Call):
        return _called(node, has_library)
    return _written(node) if isinstance(node, ast.Dict) else ""


def _called(call: ast.Call, has_library: bool) -> str:
    function: Any = call.func
    name = str(getattr(function, "attr", None) or getattr(function, "id", ""))
    if _CLASSES.fullmatch(name) is None:
        return ""
    given = {each.arg for each in call.keywords}
    if name == "Container":  # of lightkube and cdk8s, and of many others
        return name if has_library and {"name", "image"} <= given else ""
    if name.startswith("V1") and name.endswith("Container"):  # also one that is filled in later
        return name
    if name.endswith(("ContainerArgs", "PodOperator")):
        return name if "image" in given else ""
    return name if not _WITH_POD.isdisjoint(given) and _holds_image(call) else ""


def _holds_image(node: ast.AST) -> bool:
    """Whether a container stands in what is written out there."""
    return any(isinstance(each, ast.keyword) and each.arg == "image" for each in ast.walk(node))


def _written(node: ast.Dict) -> str:
    keys = _keys(node)
    if {"name", "image"} <= keys and not _OWN.isdisjoint(keys) and _are_of_container(keys):
        return "a container"
    for key, value in zip(node.keys, node.values, strict=True) if not _LISTS.isdisjoint(keys) else ():
        name = str(getattr(key, "value", ""))
        if name in _LISTS and any(map(_is_container, getattr(value, "elts", ()))):
            return name
    return ""


def _is_container(node: ast.AST) -> bool:
    """Whether it is one, or what a patch says of one."""
    keys = _keys(node) if isinstance(node, ast.Dict) else set()
    return ("image" in keys or ("name" in keys and not _OWN.isdisjoint(keys))) and _are_of_container(keys)


def _keys(node: ast.Dict) -> set[str]:
    return {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _are_of_container(keys: set[str]) -> bool:
    """Whether no key is one that a container of Kubernetes has not: other platforms have containers, too."""
    return all(key in types.fields("Container") or key in fields_by_keyword(KUBE, "Container") for key in keys)
