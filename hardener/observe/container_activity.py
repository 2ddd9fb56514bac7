"""What was seen of a container while it ran, and what the changes of its file system come to."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from operator import and_, or_
from typing import Any

from msgspec import Struct, field

from hardener.kubernetes.pods.capabilities import BY_BIT
from hardener.observe.questions import Answer
from hardener.observe.timers import Entry

# What an engine itself puts into a container; podman names the user there that it is started as.
_OF_ENGINE = (
    "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/etc/passwd", "/etc/group", "/.dockerenv",
    "/run/.containerenv",
)  # fmt: skip
_KERNEL = ("/dev", "/proc", "/sys")
_BYTECODE = "__pycache__"  # Python goes on without a word where it cannot keep what it compiled (PEP 3147)
_LOOKS = 6  # the last ones
_SECOND, _MOST_SECONDS = 1.0, 600  # that are kept of what it used
_MOST_FOLDERS = 24  # more are no list of places that a person would mount


class Activity(Struct, eq=False):
    """What was seen. ``user`` and ``groups`` are those of the first process, as they were at last; ``connections`` are
    (address, port) that it connected to, ``callers`` (address, own port) that connected to it.

    ``calls`` are the names of its system calls, where somebody counted them. ``sees_sockets``: somebody could look at
    them at all. ``busy``: at the last look one of its processes had work to do. ``capabilities`` are those of the
    last look, too: what a program gives up before it serves it does not use.

    ``memory_at`` is when it used the most memory, in seconds after its start; ``cpu`` the most of processors that it
    kept busy over a second, in thousandths, and ``cpu_at`` when; ``usage`` (second, bytes, thousandths) over time.
    ``outside`` are names outside of its namespace that it asked for.

    ``programs``: how many processes there are of each program, at the last looks alike; ``lately``: at one of them at
    least. ``unprivileged`` and ``lately_unprivileged``: the same of those that are not root.
    ``sees_programs``: somebody could count them. ``users`` are those of all processes at any look;
    ``regrouped``: one of them that was not root had left the group of root, too; ``jailed``: one had another root
    folder than the others. ``waits``: the seconds of the ``sleep`` that it is in, ``longest_wait`` of the longest of
    all. ``kept``: the mount points of volumes that it wrote to, ``prepared``: empty folders of its image that belong to
    one of its users. ``later``: places that it wrote to when it had been looked at for as long as any other run, and
    had not been told to end. ``answers``: what its ports answered, ``complaints``: lines of its log, by what is the
    same in each run. ``code``: with what it ended when it was told to, ``done``: it has ended by itself, with 0.
    ``exercised``: what a user gave to find out whether it works says that it does. ``timers``: what waits for its hour
    and was started once, and whether that ended well. ``age``: the seconds from its start until its files were looked
    at.

    ``stored``: the files that it changed in the places that it wrote to, with their sizes, None where nobody looked; of
    these ``for_exercise`` got what they hold while it was exercised, or right after that. ``raised``: the programs that
    it ran, or read, which give rights by a bit or capabilities of their file.
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
    calls: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    memory_at: int | None = None
    cpu: int | None = None
    cpu_at: int | None = None
    usage: list[tuple[int, int, int]] = field(default_factory=list)
    _last: tuple[float, float] | None = None
    regrouped: bool = False
    jailed: bool = False
    sees_sockets: bool = False
    busy: bool = False
    programs: dict[str, int] = field(default_factory=dict)
    lately: dict[str, int] = field(default_factory=dict)
    unprivileged: dict[str, int] = field(default_factory=dict)
    lately_unprivileged: dict[str, int] = field(default_factory=dict)
    sees_programs: bool = False
    users: set[int] = field(default_factory=set)
    waits: float = 0
    longest_wait: float = 0
    kept: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    stored: dict[str, int] | None = None
    for_exercise: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)
    age: float = 0
    prepared: set[str] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    complaints: dict[str, str] = field(default_factory=dict)
    code: int | None = None
    done: bool = False
    exercised: bool = False
    timers: dict[Entry, bool] = field(default_factory=dict)
    _looks: list[Counter[str]] = field(default_factory=list)
    _unprivileged_looks: list[Counter[str]] = field(default_factory=list)

    def look(self, found: Mapping[str, Any], address: str, moment: float = 0.0) -> None:
        """Take in what ``namespace_agent.look`` found of a container whose pod is at ``address``, so many seconds after
        its start."""
        self.busy = bool(found.get("busy"))
        self.jailed = self.jailed or bool(found.get("jailed"))
        self._take_users(found["users"])
        if found["sockets"] is not None:
            self.sees_sockets = True
            self._take_sockets(found["sockets"], address)
        if found["memory"] is not None and found["memory"] > (self.memory or 0):
            self.memory, self.memory_at = found["memory"], int(moment)
        if found.get("processor") is not None:
            self._take_processor(found["processor"], found.get("now") or 0, moment)
        if not self.timers:  # what was started once may still be there
            self._count(found.get("programs") or [], found.get("unprivileged") or [])
            self.waits = max(found.get("waits") or [0])
            self.longest_wait = max(self.longest_wait, self.waits)

    def glance(self, found: Mapping[str, Any]) -> None:
        """Take in who its processes are, of what ``namespace_agent.look`` found while somebody used it: what comes and
        goes meanwhile is nothing to compare."""
        self.jailed = self.jailed or bool(found.get("jailed"))
        self._take_users(found.get("users") or ())

    def take_used(self, other: Activity) -> None:
        """Take in what the same container was seen to use later."""
        self.users |= other.users
        self.regrouped, self.jailed = self.regrouped or other.regrouped, self.jailed or other.jailed

    def _take_users(self, found: Sequence[tuple[int, Sequence[int], int]]) -> None:
        """Note who its processes are, the first one first, with their groups and effective capabilities."""
        if not found:
            return
        self.user, self.groups = found[0][0], tuple(found[0][1])
        self.users |= {user for user, _, _ in found}
        self.regrouped = self.regrouped or any(user and 0 not in groups for user, groups, _ in found)
        effective = 0
        for _, _, mask in found:
            effective |= mask
        self.capabilities = {name for bit, name in enumerate(BY_BIT) if effective >> bit & 1}

    def _take_processor(self, spent: float, memory: int, moment: float) -> None:
        """Note once a second what it used: ``spent`` seconds of processors since its start, and its ``memory`` now."""
        if self._last is None:
            self._last = moment, spent
            return
        since, before = self._last
        if moment - since < _SECOND:
            return
        self._last = moment, spent
        busy = round(1000 * (spent - before) / (moment - since))
        if len(self.usage) < _MOST_SECONDS:
            self.usage.append((int(moment), memory, busy))
        if busy > (self.cpu or 0):
            self.cpu, self.cpu_at = busy, int(moment)

    def _take_peaks(self, other: Activity) -> None:
        if other.memory is not None and other.memory > (self.memory or 0):
            self.memory, self.memory_at = other.memory, other.memory_at
        if other.cpu is not None and other.cpu > (self.cpu or 0):
            self.cpu, self.cpu_at = other.cpu, other.cpu_at

    def _count(self, programs: list[str], unprivileged: list[str]) -> None:
        """Note the processes that are there at several looks: the others come and go."""
        if not programs:
            return
        self.sees_programs = True
        self._looks = [*self._looks[1 - _LOOKS :], Counter(programs)]
        self._unprivileged_looks = [*self._unprivileged_looks[1 - _LOOKS :], Counter(unprivileged)]
        self.programs, self.lately = _least_and_most(self._looks)
        self.unprivileged, self.lately_unprivileged = _least_and_most(self._unprivileged_looks)

    def _take_sockets(self, sockets: list[Any], address: str) -> None:
        own = {port for _, _, port, _, _, listens, _ in sockets if listens}
        for protocol, here, port, there, other, listens, held in sockets:
            if listens:
                if held and not _is_loopback(here):
                    self.listens.add(f"{port}/{protocol}")
            elif there == address or _is_loopback(there) or there in ("0.0.0.0", "::"):
                continue
            elif port in own:
                self.callers.add((there, port))
            else:
                self.connections.add((there, other))

    def take(self, other: Activity) -> None:
        """Take in what was seen of the same container before it was started again."""
        if self.user is None:
            self.user, self.groups = other.user, other.groups
        for name in (
            "capabilities", "listens", "connections", "callers", "wrote", "occupied", "calls", "outside", "users",
            "kept", "prepared", "complaints", "raised",
        ):  # fmt: skip
            getattr(self, name).update(getattr(other, name))
        self.regrouped, self.jailed = self.regrouped or other.regrouped, self.jailed or other.jailed
        self._take_peaks(other)
        self.token = self.token if not other.token else True

    def learn(self, other: Activity) -> None:
        """Take in what the same container did as it ran with changes; who it is, and what it may, is as it was. One
        that had no token then says nothing of it."""
        for name in ("listens", "wrote", "occupied", "calls", "outside"):
            getattr(self, name).update(getattr(other, name))
        self._take_peaks(other)
        if other.token is not None:
            self.token = self.token or other.token


def _least_and_most(looks: Sequence[Counter[str]]) -> tuple[dict[str, int], dict[str, int]]:
    """How many there were at each of ``looks``, and at one of them."""
    return dict(reduce(and_, looks)), dict(reduce(or_, looks))


def gains_rights(seen: Activity) -> bool:
    """Whether it ran a program that gives rights by its file, and not only as root, who has them."""
    return bool(seen.raised and seen.users - {0})


def folders_written(
    changed: Mapping[str, str],
    mounted: Collection[str],
    *,
    is_folder: Callable[[str], bool],
    is_occupied: Callable[[str], bool],
) -> tuple[set[str], set[str]]:
    """The folders that a container wrote to, each so that a volume there takes what it wrote, and those of them in
    which its image has files. A folder of the image that a volume at one of them would hide is one, too: who writes
    there does not make it. What Python compiled does not count. What has no name that a manifest could hold counts as a
    file of the folder above. Where they are more than a person would mount, they are the root itself.

    ``changed`` are paths of its file system with A (new), C (changed) or D (gone), ``mounted`` those of its volumes.
    ``is_folder`` tells of a path as it is now, ``is_occupied`` whether the image has files below it.
    """
    paths = {path: kind for path, kind in changed.items() if not _is_beside(path, changed, mounted)}
    parents = {posixpath.dirname(path) for path in paths}
    paths = {path: kind for path, kind in paths.items() if _BYTECODE not in path.split("/")}
    above_nameless = {_nameable(path) for path in paths if not path.isprintable()}
    named = {path: kind for path, kind in paths.items() if path.isprintable()}
    changes = _Changes(named, parents, is_folder, is_occupied)
    wrote, occupied = changes.folders(above_nameless)
    outermost = {path for path in wrote if not any(_is_below(path, other) for other in wrote)}
    return outermost | changes.nested(outermost - occupied), occupied & outermost


class _Changes:
    """The changed ``paths`` of a file system, each with its kind; in the folders ``parents`` something changed."""

    def __init__(
        self,
        paths: Mapping[str, str],
        parents: Collection[str],
        is_folder: Callable[[str], bool],
        is_occupied: Callable[[str], bool],
    ) -> None:
        self._paths, self._parents, self._is_folder = paths, parents, is_folder
        self._has_files = lru_cache(maxsize=None)(lambda path: path == "/" or is_occupied(path))

    def folders(self, known: Collection[str]) -> tuple[set[str], set[str]]:
        """The folders ``known`` and those that take what was written outside of them; then those of them that hold
        files of the image, as the known ones do."""
        wrote, occupied = set(known), set(known)
        for path in self.roots():
            if any(path == each or _is_below(path, each) for each in wrote):
                continue
            if len(wrote) >= _MOST_FOLDERS:
                return {"/"}, {"/"}
            folder = self.folder_of(path)
            wrote.add(folder)
            if self.is_beside_files(folder, path):
                occupied.add(folder)
        return wrote, occupied

    def nested(self, places: Collection[str]) -> set[str]:
        """The folders of the image below ``places`` in which something changed."""
        above = {self.folder_of(path) for path in self.roots() if any(_is_below(path, place) for place in places)}
        kept = {
            path for path in above if self._paths.get(path) != "A" and any(_is_below(path, each) for each in places)
        }
        return set(sorted(kept)[:_MOST_FOLDERS])

    def roots(self) -> Iterator[str]:
        """The paths, in order, but for what is new in a new folder, and folders in which something changed."""
        for path, kind in sorted(self._paths.items()):
            is_in_new = kind == "A" and self._paths.get(posixpath.dirname(path)) == "A"
            if not is_in_new and not (kind == "C" and path in self._parents):
                yield path

    def folder_of(self, path: str) -> str:
        """The folder where a volume takes what was written at ``path``: itself or the one above."""
        above, kind = posixpath.dirname(path), self._paths[path]
        if kind == "C":
            return path if self._is_folder(path) else above  # its owner or mode changed
        is_new = kind == "A" and self._has_files(above)
        # A folder of its own beside files of the image.
        return path if is_new and (path in self._parents or self._is_folder(path)) else above

    def is_beside_files(self, folder: str, path: str) -> bool:
        """Whether the image has files in ``folder``, where that takes what was written at ``path``."""
        return (folder != path or self._paths[path] == "C") and self._has_files(folder)


def _nameable(path: str) -> str:
    """The deepest folder above ``path`` whose name can be written down."""
    while not path.isprintable():
        path = posixpath.dirname(path)
    return path


def _is_below(path: str, other: str) -> bool:
    return path != other and path.startswith(other.rstrip("/") + "/")


def _is_beside(path: str, changed: Mapping[str, str], mounted: Collection[str]) -> bool:
    """Whether the engine made it, or the kernel, or it leads to a volume."""
    places = [posixpath.normpath(place) for place in (*mounted, *_OF_ENGINE)]
    places += [place.removeprefix("/var") for place in places if place.startswith("/var/run/")]  # a link in most images
    if any(path == root or path.startswith(f"{root}/") for root in (*_KERNEL, *places)):
        return True
    if not any(_is_below(place, path) for place in places):
        return False
    # It leads to one, and nothing else changed in it.
    below = (other for other in changed if posixpath.dirname(other) == path and other not in places)
    return all(any(place.startswith(f"{other}/") for place in places) for other in below)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
