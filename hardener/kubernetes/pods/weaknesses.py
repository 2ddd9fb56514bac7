"""What in a custom resource loosens a pod, wherever its operator takes it from: the names are those of a pod spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from hardener.kubernetes.pods.capabilities import BASELINE, plain
from hardener.support.data_path import Path

_DEEPEST = 60
_NO_SPEC = frozenset({"apiVersion", "kind", "metadata", "status"})


class Weakness(NamedTuple):
    """A place that loosens a pod: what stands there in words, the severity, and the transform that speaks of the like
    in a pod."""

    path: Path
    what: str
    severity: str
    transform: str


class _Rule(NamedTuple):
    is_weak: Callable[[object], bool]
    severity: str
    transform: str


def _is_true(value: object) -> bool:
    return value is True


def _is_of_node(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("path"), str)


_RULES: dict[str, _Rule] = {
    "privileged": _Rule(_is_true, "high", "no-privileged"),
    "hostNetwork": _Rule(_is_true, "high", "no-host-network"),
    "hostPID": _Rule(_is_true, "high", "no-host-pid"),
    "hostIPC": _Rule(_is_true, "high", "no-host-ipc"),
    "hostProcess": _Rule(_is_true, "high", "no-host-process"),
    "hostPath": _Rule(_is_of_node, "high", "no-host-path"),
    "allowPrivilegeEscalation": _Rule(_is_true, "medium", "no-privilege-escalation"),
    "procMount": _Rule(lambda value: value == "Unmasked", "medium", "proc-mount-default"),
}
_OF_CONTEXTS: dict[str, _Rule] = {
    "runAsUser": _Rule(lambda value: type(value) is int and value == 0, "medium", "run-as-user"),
    "runAsNonRoot": _Rule(lambda value: value is False, "medium", "run-as-non-root"),
}
# Fields of a pod spec as a text, which Argo lays over the pod of a workflow.
_PATCHES = frozenset({"podSpecPatch"})
_IN_TEXT = re.compile(r"\b(privileged|hostNetwork|hostPID|hostIPC)[\"']?[ \t]*:[ \t]*true\b")


def weaknesses(document: Mapping[str, object]) -> list[Weakness]:
    """The places of a custom resource that loosen a pod, the worst first, else in the order of the text."""
    own: dict[object, object] = {key: value for key, value in document.items() if key not in _NO_SPEC}
    found = list(_below(own, ()))
    return sorted(found, key=lambda each: each.severity != "high")


def _below(value: object, path: Path) -> Iterator[Weakness]:
    if len(path) > _DEEPEST:
        return
    for key, child in _children(value):
        place = (*path, key)
        yield from _at(place, child)
        yield from _below(child, place)


def _children(value: object) -> list[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        return [(key, child) for key, child in value.items() if isinstance(key, str)]
    return list(enumerate(value)) if isinstance(value, list) else []


def _at(path: Path, value: object) -> Iterator[Weakness]:
    key = str(path[-1])
    rule = _RULES.get(key) or (_OF_CONTEXTS.get(key) if _is_in_context(path) else None)
    if rule is not None and rule.is_weak(value):
        shown = "hostPath" if isinstance(value, Mapping) else f"{key}: {_shown(value)}"
        yield Weakness(path, shown, rule.severity, rule.transform)
    elif path[-2:] == ("capabilities", "add") and isinstance(value, list):
        yield from _added(path, [plain(name) for name in value if isinstance(name, str)])
    elif key in _PATCHES and isinstance(value, str) and (match := _IN_TEXT.search(value)):
        yield Weakness(path, f"{match[1]}: true", "high", "no-privileged")


def _is_in_context(path: Path) -> bool:
    return any(isinstance(part, str) and part.lower().endswith("securitycontext") for part in path[:-1])


def _added(path: Path, names: list[str]) -> Iterator[Weakness]:
    beyond = [name for name in names if name not in BASELINE]
    if beyond:
        severity = "high" if not {"ALL", "SYS_ADMIN"}.isdisjoint(beyond) else "medium"
        yield Weakness(path, f"capabilities {', '.join(beyond)}", severity, "drop-capabilities")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
