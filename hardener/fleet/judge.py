"""One repository hardened without a write, in a process of its own, and its entries for the file of the fleet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from hardener.commands.library import harden_tree
from hardener.errors import HardenError
from hardener.fleet.owners import Owners
from hardener.fleet.store import Entry
from hardener.report import merged
from hardener.report.redactor import Redactor
from hardener.report.results import HardenedTree
from hardener.support.printable import plain_line

_LONGEST = 300  # characters of a reason
_OF_PROCESS = "/proc/self/status"


class Request(Struct, frozen=True):
    """``folder`` is what to judge, ``options`` are those of ``harden_tree``; ``memory`` are bytes of address space."""

    folder: str
    options: dict[str, Any]
    seconds: float
    memory: int


class Judged(Struct, frozen=True):
    """What was found; ``reason`` says why it was not judged, ``signal`` by which signal the process was ended."""

    entries: tuple[Entry, ...] = ()
    workloads: int = 0
    peak_bytes: int | None = None
    reason: str | None = None
    signal: int | None = None


def judge(request: Request) -> Judged:
    """What ``harden_tree`` finds in the folder, which becomes the working directory: names of files are seen from it.
    Whatever goes wrong is a ``reason``, since another repository may be judged all the same."""
    try:
        os.chdir(request.folder)
        result = harden_tree(os.curdir, **request.options)
        entries = tuple(_entries(result, Owners(os.curdir)))
    except MemoryError:
        return Judged(reason=out_of_memory(request.memory), peak_bytes=peak())
    except HardenError as error:
        return Judged(reason=_line(error), peak_bytes=peak())
    except Exception as error:
        return Judged(reason=_line(f"harden failed: {type(error).__name__}: {error}"), peak_bytes=peak())
    return Judged(entries, result.workloads, peak())


def out_of_memory(memory: int) -> str:
    """Why a repository was not judged that needs more than ``memory`` bytes."""
    return f"needs more than {memory >> 20} MiB of memory (--memory)"


def _line(error: object) -> str:
    return plain_line(Redactor().text(str(error)))[:_LONGEST]


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
