"""What was seen of a container while it ran, and what the changes of its file system come to."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import Struct, field

# Bits by their numbers: include/uapi/linux/capability.h.
_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
# What an engine itself puts into a container; podman names the user there that it is started as.
_OF_ENGINE = (
    "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/etc/passwd", "/etc/group", "/.dockerenv",
    "/run/.containerenv",
)  # fmt: skip
_KERNEL = ("/dev", "/proc", "/sys")
_BYTECODE = "__pycache__"  # Python goes on without a word where it cannot keep what it compiled (PEP 3147)
_MOST_FOLDERS = 24  # more are no list of places that a person would mount


class Activity(Struct, eq=False):
    """What was seen. ``user`` and ``groups`` are those of the first process, as they were at last; ``connections`` are
    (address, port) that it connected to, ``callers`` (address, own port) that connected to it.

    ``sees_sockets``: somebody could look at them at all. ``busy``: at the last look one of its processes had work to
    do. ``capabilities`` are those of the last look, too: what a program gives up before it serves it does not use.
    """

    user: int | None = None
    groups: tuple[int, ...] = ()
    capabilities: set[str] = field(default_factory=set)
    listens: set[str] = field(default_factory=set)
    connections: set[tuple[str, int]] = field(default_factory=set)
    callers: set[tuple[str, int]] = field(default_factory=set)
    memory: int | None = None
    token: bool | None = None
    wrote: set[str] = field(default_factory=set)
    occupied: set[str] = field(default_factory=set)
    sees_sockets: bool = False
    busy: bool = False

    def look(self, found: Mapping[str, Any], address: str) -> None:
        """Take in what ``namespace_agent.look`` found of a container whose pod is at ``address``."""
        self.busy = bool(found.get("busy"))
        if found["users"]:
            self.capabilities = set()
        for number, (user, groups, effective) in enumerate(found["users"]):
            if number == 0:
                self.user, self.groups = user, tuple(groups)
            self.capabilities |= {name for bit, name in enumerate(_CAPABILITIES) if effective >> bit & 1}
        sockets = found["sockets"] or []
        self.sees_sockets = self.sees_sockets or found["sockets"] is not None
        own = {port for _, _, port, _, _, listens, _ in sockets if listens}
        for protocol, here, port, there, other, listens, held in sockets:
            if listens:
                if held and not here.startswith("127.") and here != "::1":
                    self.listens.add(f"{port}/{protocol}")
            elif there == address or there.startswith("127.") or there in ("::1", "0.0.0.0", "::"):
                continue
            elif port in own:
                self.callers.add((there, port))
            else:
                self.connections.add((there, other))
        if found["memory"] is not None:
            self.memory = max(self.memory or 0, found["memory"])

    def take(self, other: Activity) -> None:
        """Take in what was seen of the same container before it was started again."""
        if self.user is None:
            self.user, self.groups = other.user, other.groups
        for name in ("capabilities", "listens", "connections", "callers", "wrote", "occupied"):
            getattr(self, name).update(getattr(other, name))
        if other.memory is not None:
            self.memory = max(self.memory or 0, other.memory)
        self.token = self.token if not other.token else True

    def learn(self, other: Activity) -> None:
        """Take in what the same container did as it ran with changes; who it is, and what it may, is as it was. One
        that had no token then says nothing of it."""
        for name in ("listens", "wrote", "occupied"):
            getattr(self, name).update(getattr(other, name))
        if other.memory is not None:
            self.memory = max(self.memory or 0, other.memory)
        if other.token is not None:
            self.token = self.token or other.token


def folders_written(
    changed: Mapping[str, str],
    mounted: Collection[str],
    *,
    is_folder: Callable[[str], bool],
    is_occupied: Callable[[str], bool],
) -> tuple[set[str], set[str]]:
    """The folders that a container wrote to, each so that a volume there takes what it wrote, and those of them in
    which its image has files. What Python compiled does not count. What has no name that a manifest could hold counts
    as a file of the folder above. Where they are more than a person would mount, they are the root itself.

    ``changed`` are paths of its file system with A (new), C (changed) or D (gone), ``mounted`` those of its volumes.
    ``is_folder`` tells of a path as it is now, ``is_occupied`` whether the image has files below it.
    """
    paths = {path: kind for path, kind in changed.items() if not _is_beside(path, changed, mounted)}
    parents = {posixpath.dirname(path) for path in paths}
    paths = {path: kind for path, kind in paths.items() if _BYTECODE not in path.split("/")}
    odd = {_nameable(path) for path in paths if not path.isprintable()}
    paths = {path: kind for path, kind in paths.items() if path.isprintable()}
    wrote: set[str] = set()
    occupied: set[str] = set()
    known: dict[str, bool] = {}

    def filled(path: str) -> bool:
        if path not in known:
            known[path] = path == "/" or is_occupied(path)
        return known[path]

    for folder in sorted(odd):
        wrote.add(folder)
        occupied.add(folder)
    for path, kind in sorted(paths.items()):
        above = posixpath.dirname(path)
        if kind == "A" and paths.get(above) == "A":
            continue  # what is new in a new folder
        if kind == "C" and path in parents:
            continue  # a folder in which something changed
        if any(path == each or path.startswith(each.rstrip("/") + "/") for each in wrote):
            continue
        folder = above
        if kind == "A" and filled(above) and (path in parents or is_folder(path)):
            folder = path  # a folder of its own beside files of the image
        elif kind == "C" and is_folder(path):
            folder = path  # its owner or mode changed
        if len(wrote) >= _MOST_FOLDERS:
            return {"/"}, {"/"}
        wrote.add(folder)
        if (folder != path and filled(folder)) or (folder == path and kind == "C" and filled(path)):
            occupied.add(folder)
    wrote = {path for path in wrote if not any(_is_below(path, other) for other in wrote)}
    return wrote, occupied & wrote


def _nameable(path: str) -> str:
    """The deepest folder above ``path`` whose name can be written down."""
    while not path.isprintable():
        path = posixpath.dirname(path)
    return path


def _is_below(path: str, other: str) -> bool:
    return path != other and path.startswith(other.rstrip("/") + "/")


def _is_beside(path: str, changed: Mapping[str, str], mounted: Collection[str]) -> bool:
    """Whether the engine made it, or the kernel, or it leads to a volume."""
    if path in _OF_ENGINE or any(path == root or path.startswith(f"{root}/") for root in _KERNEL):
        return True
    places = [posixpath.normpath(place) for place in (*mounted, *_OF_ENGINE)]
    places += [place.removeprefix("/var") for place in places if place.startswith("/var/run/")]  # a link in most images
    if any(path == place or path.startswith(f"{place}/") for place in places):
        return True
    return any(place.startswith(path.rstrip("/") + "/") for place in places) and not any(
        posixpath.dirname(other) == path
        for other in changed
        if other not in places and not any(place.startswith(f"{other}/") for place in places)
    )
