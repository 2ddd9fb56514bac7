"""What a container is told to run in the place of what its image runs: all words of it, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.facts.images.programs import program_of
from hardener.facts.images.what_starts import unknown_start, unknown_word
from hardener.kubernetes.images.general_purpose import is_general_purpose, started_with
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.pods.script_parts import VALUE
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Container, OpaqueError

Words = tuple[str, ...]

_HOOKS = ("postStart", "preStop")
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_REFERENCE = late_pattern(r"\$\(([-._a-zA-Z0-9]+)\)")


class Told(Struct, frozen=True):
    """What runs in a container, word for word; what a kubelet fills in is a VALUE.

    - `starts`: its command with the arguments, then its hooks. `probes`: what looks after it.
    - `workdir`: the folder that they run in, where it is written. `mounts`: the places of its volumes.
    - `is_all`: its image does nothing by itself, and holds nothing of its own that they might need.
    - `is_open`: a part of it is filled in later.
    """

    starts: tuple[Words, ...]
    probes: tuple[Words, ...]
    workdir: str | None
    mounts: tuple[str, ...]
    is_all: bool
    is_open: bool = False


def told(container: Container) -> Told | None:
    """What ``container`` is told to run; None where its image runs its own program, or not all of it is written."""
    if container.image is None:
        return None
    is_general = is_general_purpose(container.image)
    if program_of(container) is None or unknown_start(container) is not None or unknown_word(container) is not None:
        return _OPEN if is_general else None
    if not container.command and not is_general:
        return None
    try:
        return _told(container, container.image, is_general)
    except (OpaqueError, WrongShapeError):
        return None


_OPEN = Told((), (), None, (), is_all=True, is_open=True)


def _told(container: Container, image: ImageReference, is_general: bool) -> Told | None:
    command = started_with(image, container.strings("command"), container.strings("args"))
    shares_processes = container.pod.get("shareProcessNamespace") is True or container.pod.get("hostPID") is True
    if not command or shares_processes or container.items("volumeDevices"):
        return None
    names = {item.text("name") for item in container.items("env")} if not container.has("envFrom") else None
    hooks = (container.strings("lifecycle", hook, "exec", "command") for hook in _HOOKS)
    probes = (container.strings(probe, "exec", "command") for probe in _PROBES)
    workdir = container.text("workingDir")
    return Told(
        starts=tuple(_filled_in([command, *hooks], names)),
        probes=tuple(_filled_in(probes, names)),
        workdir=workdir if workdir and workdir.startswith("/") else None,
        mounts=tuple(path for mount in container.items("volumeMounts") if (path := mount.text("mountPath"))),
        is_all=is_general,
    )


def _filled_in(lists: Iterable[Words], names: set[str | None] | None) -> Iterator[Words]:
    """``lists`` that are not empty, with a VALUE for each variable that the kubelet fills in: those of ``names``, and
    all where these are not known."""

    def fill(found: re.Match[str]) -> str:
        return VALUE if names is None or found[1] in names else found[0]

    for words in lists:
        if words:
            yield tuple(_REFERENCE.sub(fill, word) for word in words)
