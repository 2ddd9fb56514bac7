"""How many workloads run side by side: as many as the processors and the free memory of this machine allow.

Sources: proc_meminfo(5); Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")

_MIB = 1024 * 1024
_LEAST = 256 * _MIB  # for a workload of which nothing is known, or little
_TIMES = 2  # as much as it used: page cache, and what a second start needs
_FOR_EACH = 2  # workloads for a processor: most wait most of the time
_MOST = 16
# The bound of the control group that this process is in, and what is used of it.
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def at_once(used: Iterable[int | None], processors: int, free: int | None) -> int:
    """How many run at a time of workloads that ``used`` so many bytes as they are (None: not known), where there are so
    many ``processors`` and ``free`` bytes (None: not known). At least one does."""
    largest = max((bytes or 0 for bytes in used), default=0)
    by_memory = _MOST if free is None else free // max(_LEAST, _TIMES * largest)
    return max(1, min(_MOST, _FOR_EACH * processors, by_memory))


def up_together(free: int | None) -> int:
    """How many workloads of several applications are up at a time as they are, when nothing is known of them yet."""
    return _MOST if free is None else max(1, min(_MOST, free // _LEAST))


def batches(items: Iterable[_Item], size: Callable[[_Item], int], most: int) -> Iterator[list[_Item]]:
    """``items`` by as many as have at ``most`` that ``size`` together; one that is larger is alone."""
    batch: list[_Item] = []
    for item in items:
        if batch and sum(map(size, [*batch, item])) > most:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int | None:
    """The bytes that more programs of this machine can have now; None where nobody says."""
    found = [_available(), *(_left(*files) for files in _GROUPS)]
    return min((each for each in found if each is not None), default=None)


def _available() -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii", errors="replace") as file:
            line = next(line for line in file if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def _left(most: str, used: str) -> int | None:
    """What is left of the bound in the file ``most``; None where there is none."""
    try:
        with open(most, encoding="ascii") as bound, open(used, encoding="ascii") as now:
            return max(0, int(bound.read()) - int(now.read()))
    except (OSError, ValueError):
        return None
