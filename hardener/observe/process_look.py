"""What the processes of a container are and hold at a moment, as the kernel tells.

It uses the standard library alone, as ``namespace_agent`` does, which calls it.
Sources: proc_pid_status(5), proc_net_tcp (Documentation/networking/proc_net_tcp.rst of Linux), Documentation/
admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
from collections.abc import Iterable
from typing import Any

_LISTENS, _MOST_SOCKETS = "0A", 20_000
_GONE = frozenset(("00", "07"))  # no state, closed
EPHEMERAL = 32768  # a port of UDP from here on is that of a client
_SLEEP = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_FOR_EVER = 7 * 86400  # seconds


def look(pid: int, container: str) -> dict[str, Any]:
    """What the processes of the container with the first process ``pid`` are and hold now; what cannot be read is None.
    ``container`` is its id, by which its control group is known as its own.

    ``users``: (number of user, numbers of its groups, effective capabilities as a number) of each process, the first
    one first. ``sockets``: (protocol, local address, local port, remote address, remote port, whether it listens) of
    its network namespace. ``memory``: the most bytes that its control group used, ``now`` what it uses now;
    ``processor``: the seconds of processors that it has used. ``busy``: whether one of them runs, or waits for a
    processor or a disk, at this moment. ``jailed``: whether their roots are several (chroot). ``programs``: the name of
    each process, ``unprivileged`` of each that is not root. ``waits``: the seconds of each ``sleep`` among them.
    """
    group = {name: path for name, path in _group(pid).items() if container in path}
    pids = _pids(group) or _family(pid)
    statuses = _statuses(pid, pids)
    return {
        "users": list(statuses.values()),
        "sockets": _sockets(pid, _held(pids)),
        "memory": _peak(group) or _most(pids),
        "now": _number(_places(group, "memory"), "memory.current", "memory.usage_in_bytes"),
        "processor": _spent(group),
        "busy": any(_is_busy(each) for each in pids),
        "jailed": len({root for each in pids if (root := _root(each)) is not None}) > 1,
        "programs": _names(pids),
        "unprivileged": _names(each for each, (user, _, _) in statuses.items() if user),
        "waits": [waits for each in pids if _name(each) == "sleep" and (waits := _sleeps(each)) is not None],
    }


def _statuses(first: int, pids: Iterable[int]) -> dict[int, tuple[int, list[int], int]]:
    """What ``_status`` tells of each, the ``first`` one first."""
    return {each: found for each in sorted(pids, key=lambda each: each != first) if (found := _status(each))}


def _names(pids: Iterable[int]) -> list[str]:
    return [name for each in pids if (name := _name(each))]


def _group(pid: int) -> dict[str, str]:
    """The control group of a process, by controller; "" is that of the unified hierarchy."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in lines_of(f"/proc/{pid}/cgroup"):
            _, names, path = line.split(":", 2)
            found |= dict.fromkeys(names.split(","), path)
    return found


def _places(group: dict[str, str], controller: str) -> list[str]:
    found = [f"/sys/fs/cgroup/{controller}{group[controller]}"] if controller in group else []
    if "" in group:
        found += [f"/sys/fs/cgroup{group['']}", f"/sys/fs/cgroup/unified{group['']}"]
    return found


def _pids(group: dict[str, str]) -> list[int]:
    for place in _places(group, "pids") + _places(group, "memory"):
        with contextlib.suppress(OSError, ValueError):
            return [int(line) for line in lines_of(f"{place}/cgroup.procs")]
    return []


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _sleeps(pid: int) -> float | None:
    """How many seconds a ``sleep`` takes; None for one that is never over."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode("utf-8", "replace").split("\0")
    except OSError:
        return None
    found = [_SLEEP.fullmatch(word) for word in words if word and word[0].isdigit()]
    seconds = sum(float(each[1]) * _UNITS[each[2]] for each in found if each is not None)
    return seconds if 0 < seconds < _FOR_EVER else None


def _is_busy(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in ("R", "D")
    except (OSError, IndexError):
        return False


def _root(pid: int) -> tuple[int, int] | None:
    try:
        found = os.stat(f"/proc/{pid}/root")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _family(pid: int) -> list[int]:
    """A process and those that share its namespace of processes: where it has no control group of its own."""
    try:
        own = os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return [pid]
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdecimal() and os.readlink(f"/proc/{name}/ns/pid") == own:
                found.append(int(name))
    return found


def _most(pids: list[int]) -> int | None:
    """The most bytes that processes held, all together."""
    found = None
    for pid in pids:
        with contextlib.suppress(OSError, ValueError):
            for line in lines_of(f"/proc/{pid}/status"):
                if line.startswith("VmHWM:"):
                    found = (found or 0) + int(line.split()[1]) * 1024
    return found


def _peak(group: dict[str, str]) -> int | None:
    return _number(_places(group, "memory"), "memory.peak", "memory.max_usage_in_bytes")


def _spent(group: dict[str, str]) -> float | None:
    nanoseconds = _number(_places(group, "cpuacct"), "cpuacct.usage")
    if nanoseconds is not None:
        return nanoseconds / 1e9
    for place in _places(group, "cpuacct"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            said = dict(line.split() for line in lines_of(f"{place}/cpu.stat"))
            return int(said["usage_usec"]) / 1e6
    return None


def _number(places: list[str], *names: str) -> int | None:
    """The number that stands in the first of the files ``names`` that is there."""
    for place in places:
        for name in names:
            with contextlib.suppress(OSError, ValueError):
                return int(lines_of(f"{place}/{name}")[0])
    return None


def _status(pid: int) -> tuple[int, list[int], int] | None:
    try:
        said = dict(line.split(":\t", 1) for line in lines_of(f"/proc/{pid}/status") if ":\t" in line)
        groups = {int(said["Gid"].split()[1]), *map(int, said["Groups"].split())}
        return int(said["Uid"].split()[1]), sorted(groups), int(said["CapEff"], 16)
    except (OSError, ValueError, KeyError, IndexError):
        return None


def _held(pids: list[int]) -> set[str] | None:
    """The inodes of the sockets that processes hold; None where nobody may look."""
    found: set[str] = set()
    for pid in pids:
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    kind, _, inode = os.readlink(f"/proc/{pid}/fd/{name}").partition(":")
                    if kind == "socket":
                        found.add(inode.strip("[]"))
        except PermissionError:
            return None
        except OSError:
            continue  # it has ended
    return found


def _sockets(pid: int, held: set[str] | None) -> list[tuple[str, str, int, str, int, bool, bool]] | None:
    """Those of its network namespace, and whether each is ``held``: containers of a pod share one, and ``carry``
    listens there too."""
    found = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        try:
            lines = lines_of(f"/proc/{pid}/net/{name}")[1 : _MOST_SOCKETS + 1]
        except OSError:
            if name == "tcp":
                return None
            continue
        for line in lines:
            _, local, remote, state, *more = line.split()
            inode = more[5] if len(more) > 5 else ""
            (here, port), (there, other) = _address(local), _address(remote)
            protocol = name.rstrip("6")
            if protocol == "udp":
                listens = other == 0 and port < EPHEMERAL
                if other == 0 and not listens:
                    continue
            elif state in _GONE:
                continue
            else:
                listens = state == _LISTENS
            own = held is None or inode in held
            found.append((protocol, here, port, there, other, listens, own))
    return found


def _address(text: str) -> tuple[str, int]:
    """ "0100007F:1F90" -> ("127.0.0.1", 8080); the kernel writes words of the machine's own order."""
    number, _, port = text.partition(":")
    raw = b"".join(
        bytes.fromhex(number[at : at + 8])[:: -1 if sys.byteorder == "little" else 1] for at in range(0, len(number), 8)
    )
    if len(raw) == 16 and raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw), int(port, 16)


def lines_of(path: str) -> list[str]:
    """The lines of a file of the kernel. Raises OSError."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()
