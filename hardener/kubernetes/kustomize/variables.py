"""What ``vars`` of a kustomization make of an object, as plain data.

Source: sigs.k8s.io/kustomize 5.8, api/internal/konfig/builtinpluginconsts/varreference.go, api/filters/refvar.
Elsewhere ``$(NAME)`` stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hardener.support.data_path import Path

Data = dict[str, Any]

_REFERENCE = re.compile(r"\$\$|\$\((?P<name>[^)]*)\)")
_OF_CONTAINERS = tuple(
    (key, *end)
    for key in ("containers", "initContainers")
    for end in (("args",), ("command",), ("env", "value"), ("volumeMounts", "mountPath"))
)
_SERVER: Path = ("volumes", "nfs", "server")


def _of(start: Path, *more: Path) -> tuple[Path, ...]:
    return (*((*start, *path) for path in _OF_CONTAINERS), *more)


_TEMPLATE: Path = ("spec", "template", "spec")
_JOB: Path = ("spec", "jobTemplate", "spec", "template")
_EVERYWHERE: tuple[Path, ...] = (("metadata", "labels"), ("metadata", "annotations"))
_FIELDS: dict[str, tuple[Path, ...]] = {
    **dict.fromkeys(("DaemonSet", "Job", "ReplicaSet"), _of(_TEMPLATE, (*_TEMPLATE, *_SERVER))),
    "Deployment": _of(_TEMPLATE, (*_TEMPLATE, *_SERVER), ("spec", "template", "metadata", "annotations")),
    "StatefulSet": _of(_TEMPLATE, ("spec", "volumeClaimTemplates", "spec", "nfs", "server")),
    "CronJob": _of((*_JOB, "spec"), (*_JOB, *_SERVER)),
    "Pod": _of(("spec",), ("spec", *_SERVER)),
    "Ingress": (("spec", "rules", "host"), ("spec", "tls", "hosts"), ("spec", "tls", "secretName")),
    "Service": (("spec", "ports", "port"), ("spec", "ports", "targetPort")),
    "PersistentVolume": (("spec", "nfs", "server"),),
}


def expanded(data: Data, values: Mapping[str, Any]) -> Data:
    """``data`` with what the variables ``values`` hold in place of their names; what stays is shared with it."""
    found: Any = data
    for path in (*_FIELDS.get(str(data.get("kind")), ()), *_EVERYWHERE):
        found = _put(found, path, values)
    made: Data = found
    return made


def holds(value: Any, path: Path) -> bool:
    """Whether ``path``, of an object of the kind of ``value``, is one at which variables are filled in."""
    plain = tuple(part for part in path if isinstance(part, str))
    return any(plain[: len(each)] == each for each in (*_FIELDS.get(str(value.get("kind")), ()), *_EVERYWHERE))


def _put(value: Any, path: Path, values: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_put(item, path, values) for item in value]
    if not path:
        return _filled(value, values)
    if not isinstance(value, dict) or path[0] not in value:
        return value
    return {**value, path[0]: _put(value[path[0]], path[1:], values)}


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, values) if isinstance(each, str) else each for key, each in value.items()}
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole is not None and whole["name"] in values:
        return values[whole["name"]]
    return _REFERENCE.sub(lambda found: _named(found, values), value)


def _named(found: re.Match[str], values: Mapping[str, Any]) -> str:
    if found["name"] is None:
        return "$"
    return str(values[found["name"]]) if found["name"] in values else found[0]
