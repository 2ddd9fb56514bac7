"""Capabilities that program files carry: as harden lock --deep read them, else as the image table knows them.

Source: capabilities(7). A file with a capability that is effective at once is not started where the container may not
have it; with `no_new_privs` it is started and does not get it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hardener.authoring.edits import Evidence
from hardener.authoring.known import items
from hardener.facts.images.container_commands import every_word, own_command
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.pods.capabilities import BIND, DEFAULT, plain
from hardener.tree.core_views import Container

from ._ports import low_ports

_LISTS = ("securityContext", "capabilities")
_OLDEST_SYSCTL = (1, 22)


def carried(container: Container) -> dict[str, str]:
    """Those without which a program that is started fails at once, by path, as the lock knows them."""
    files = known_image(container).files
    return files.value.carried(every_word(container), own_command=own_command(container)) if files is not None else {}


def said(container: Container) -> dict[str, tuple[str, ...]]:
    """Those that its Dockerfile gives to programs, else those that its program is known to have, by who says so."""
    known = known_image(container)
    found: dict[str, tuple[str, ...]] = {}
    for capability in known.carried:
        found[capability.place] = (*found.get(capability.place, ()), capability.value)
    if not found and known.capabilities is not None and known.capabilities.value:
        found[known.capabilities.place] = known.capabilities.value
    return found


def held(container: Container) -> dict[str, list[str]]:
    """Those that a program which is started may use and gets from nothing else, by who says so and where."""
    files = known_image(container).files
    found: dict[str, list[str]] = {}
    if files is not None:
        found = {files.says(path): names.split(", ") for path, names in _started(container).items()}
    elif (carried := said(container)) and own_command(container):
        found = {f"{where}: its program": list(names) for where, names in carried.items()}
    return {source: left for source, names in found.items() if (left := _given(container, names))}


def within_reach(container: Container) -> Iterator[Evidence]:
    """Program files with capabilities that something may start unseen, and that it could start until now."""
    files = known_image(container).files
    started = _started(container)
    if files is not None:
        for path, names in files.value.within_reach(own_command=own_command(container)).items():
            if path not in started and (left := _given(container, names.split(", "))):
                yield files.fact(container, f"{path} carries {', '.join(left)}, and the container may start it")
    for source, caps in _of_other_programs(container).items():
        if left := _given(container, caps):
            text = f"{source}: a program of its image carries {', '.join(left)}, and the container may start it"
            yield container.fact(text, "image")


def _of_other_programs(container: Container) -> dict[str, tuple[str, ...]]:
    """Those of the image where the manifest starts another program, by who says so."""
    if known_image(container).files is not None or own_command(container):
        return {}
    return said(container)


def raisers(container: Container) -> Iterator[Evidence]:
    """Setuid programs that were put into the image and that something may start unseen."""
    files = known_image(container).files
    if files is not None:
        for path in files.value.raisers(own_command=own_command(container)):
            yield files.fact(container, f"{path} is setuid root, and the container may start it")


def lost_without_raising(container: Container) -> Iterator[Evidence]:
    """What the programs of ``container`` need and do not get where no process can raise its privileges."""
    serves = bool(low_ports(container)) or any(may_serve_low_ports(container))
    keeps_ports = not serves or _ports_come_back(container)
    for source, names in held(container).items():
        lost = [name for name in names if name != BIND or not keeps_ports]
        if lost:
            yield container.fact(f"{source} carries {', '.join(lost)}, and would not get it", "image")


def may_serve_low_ports(container: Container) -> Iterator[Evidence]:
    """A program that may bind low ports, of which nobody names any port."""
    if not (low_ports(container) or container.items("ports") or items(known_image(container).ports)):
        for source, names in held(container).items():
            if BIND in names:
                yield container.fact(f"{source} carries {BIND}, and which ports it serves is not known", "image")


def has_no_privileged(container: Container, program: str) -> bool:
    """Whether the image is known to have no ``program`` that gets more than its user has: then it works without, or it
    does not work already."""
    files = known_image(container).files
    return (
        files is not None
        and not any("NET_RAW" in text for _, text in files.value.capabilities)
        and not any(program.rstrip("6") in path or "busybox" in path or "bbsuid" in path for path in files.value.setuid)
    )


def _started(container: Container) -> dict[str, str]:
    files = known_image(container).files
    return files.value.held(every_word(container), own_command=own_command(container)) if files is not None else {}


def _given(container: Container, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that the container may have as it is."""
    dropped, added = ({plain(name) for name in container.strings(*_LISTS, key)} for key in ("drop", "add"))
    return [
        name for name in names if name in added or "ALL" in added or (name in DEFAULT and not dropped & {"ALL", name})
    ]


def _ports_come_back(container: Container) -> bool:
    """Whether a setting of the pod gives low ports back (see unprivileged-ports)."""
    pod = container.pod
    version = pod.tree.settings.kubernetes_version
    return pod.get("hostNetwork") is not True and not pod.partial and version >= _OLDEST_SYSCTL
