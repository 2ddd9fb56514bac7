"""A pod template as the checks read it, and the words they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from hardener.support.data_path import Path
from hardener.support.shapes import listed

_NOTHING: Mapping[Any, Any] = {}


class Holder(NamedTuple):
    """What may hold a security context: the pod itself (its path is empty), or a container."""

    name: str
    path: Path
    data: Mapping[Any, Any]
    security: Mapping[Any, Any]


class Pod(NamedTuple):
    """A pod template, read once for all checks."""

    annotations: Mapping[Any, Any]
    spec: Mapping[Any, Any]
    security: Mapping[Any, Any]
    containers: tuple[Holder, ...]
    """In the order of policy/visitor.go: initContainers, containers, ephemeralContainers."""
    holders: tuple[Holder, ...]
    """The pod, then its containers."""


class Problem(NamedTuple):
    """The reason and the detail of Kubernetes, and where to look."""

    reason: str
    detail: str
    paths: Iterable[Path]


Run = Callable[[Pod], Problem | None]
"""A check at one of its revisions."""


def read(template: Any) -> Pod:
    """The template for the checks; wrong types are absent."""
    template = mapping(template)
    spec = mapping(template.get("spec"))
    containers = tuple(
        Holder(text(item.get("name")), (key, index), item, mapping(item.get("securityContext")))
        for key in ("initContainers", "containers", "ephemeralContainers")
        for index, item in items(spec.get(key))
    )
    security = mapping(spec.get("securityContext"))
    annotations = mapping(mapping(template.get("metadata")).get("annotations"))
    return Pod(annotations, spec, security, containers, (Holder("", (), spec, security), *containers))


def mapping(value: Any) -> Mapping[Any, Any]:
    """The mapping, or an empty one."""
    if value is None or type(value) is dict:  # as nearly all are, and to ask a class that is abstract takes long
        return value or _NOTHING
    return value if isinstance(value, Mapping) else _NOTHING


def items(value: Any) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """The mappings of a list, with their indexes."""
    return (
        (index, item) for index, item in enumerate(listed(value)) if type(item) is dict or isinstance(item, Mapping)
    )


def text(value: Any) -> str:
    """The text, or an empty one."""
    return value if isinstance(value, str) else ""


def integer(value: Any) -> int | None:
    """The integer that kubectl sends: a whole float is one, a boolean is none, nor is what 64 bits do not hold."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else None


def profile_of(holder: Holder, field: str) -> str | None:
    """The type of a seccomp or AppArmor profile, "" for a profile without one, None where there is no profile."""
    profile = holder.security.get(field)
    return text(profile.get("type")) if profile is not None and isinstance(profile, Mapping) else None


def windows(pod: Pod) -> bool:
    """Whether the pod says that it is for Windows."""
    return mapping(pod.spec.get("os")).get("name") == "windows"


def quoted(words: Iterable[str]) -> str:
    """`"a", "b"`."""
    return ", ".join(f'"{word}"' for word in words)


def equation(key: str, value: str) -> str:
    """`key="value"`, for an annotation."""
    return f"{key}={json.dumps(value, ensure_ascii=False)}"


def plural(word: str, number: int) -> str:
    """`word`, or `words` unless there is one."""
    return word if number == 1 else f"{word}s"


def counted(word: str, names: list[str]) -> str:
    """`containers "a", "b"`."""
    return f"{plural(word, len(names))} {quoted(names)}"


def setters(holders: Iterable[Holder]) -> str:
    """`pod and containers "a", "b"`; a holder that comes several times is named once."""
    once = {holder.path: holder.name for holder in holders}
    names = [name for path, name in once.items() if path]
    return " and ".join((["pod"] if () in once else []) + ([counted("container", names)] if names else []))


def context_paths(holders: Iterable[Holder], *field: str | int) -> list[Path]:
    """The paths of a field of the security context of each holder."""
    return [(*holder.path, "securityContext", *field) for holder in holders]
