"""One repository hardened without a write, in a process of its own, and its entries for the file of the fleet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from hardener.commands.library import harden_tree
from hardener.fleet.attempt import Answer, attempt
from hardener.fleet.owners import Owners
from hardener.fleet.store import Entry
from hardener.report import merged
from hardener.report.results import HardenedTree

_OF_PROCESS = "/proc/self/status"


class Request(Struct, frozen=True, tag="judge"):
    """``folder`` is what to judge, ``options`` are those of ``harden_tree``; ``memory`` are bytes of address space."""

    folder: str
    options: dict[str, Any]
    seconds: float
    memory: int


class Judged(Answer, frozen=True):
    """What was found in a repository."""

    entries: tuple[Entry, ...] = ()
    workloads: int = 0
    peak_bytes: int | None = None


def judge(request: Request) -> Judged:
    """What ``harden_tree`` finds in the folder. Whatever goes wrong is a ``reason``."""

    def judged() -> Judged:
        result = harden_tree(os.curdir, **request.options)
        return Judged(tuple(_entries(result, Owners(os.curdir))), result.workloads, peak())

    done = attempt(request.folder, request.memory, judged)
    return Judged(reason=done, peak_bytes=peak()) if isinstance(done, str) else done


def _entries(result: HardenedTree, owners: Owners) -> Iterator[Entry]:
    lists = {name: getattr(result, name) for name in ("changes", "held", "findings", "waived")}
    risks = {record.id: record.risk for records in lists.values() for record in records}
    for row in merged.rows_of("", {name: list(_records(records)) for name, records in lists.items()}):
        yield Entry(
            _storable(row.file), _storable(row.object), row.rule, risks[row.rule], row.state, row.grade,
            row.severity, row.fingerprint, owners.of(row.file),
        )  # fmt: skip


def _storable(name: str) -> str:
    """``name`` as text that UTF-8 can write: that of a file may be any bytes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _records(records: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The parts of typed records that make a row, as in the JSON report."""
    for record in records:
        item = record.object
        yield {
            "id": record.id, "file": record.file, "severity": record.severity, "grade": getattr(record, "grade", None),
            "message": getattr(record, "message", None),
            "object": item and {"kind": item.kind, "namespace": item.namespace, "name": item.name},
        }  # fmt: skip


def peak() -> int | None:
    """The most bytes of memory that this process had; None where the platform does not tell."""
    try:
        with open(_OF_PROCESS, encoding="ascii") as status:
            # Not that of getrusage: it begins with what the process had that started this one.
            return next((int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:")), None)
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10
