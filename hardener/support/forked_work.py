"""Numbered work that this process and forked copies of it share, with its results in the order of the numbers."""

from __future__ import annotations

import gc
import marshal
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, TypeVar

_Result = TypeVar("_Result")

_RUN = 32  # numbers that are worked on at a time
_AHEAD = 1 << 20  # bytes that a copy may be ahead of what is read


def results(
    work: Callable[[int], _Result],
    pack: Callable[[int, _Result], bytes],
    unpack: Callable[[int, bytes], _Result],
    count: int,
    processes: int,
) -> Iterator[_Result]:
    """What ``work`` makes of each number below ``count``, in ``processes`` of which this is one.

    A copy has all that the work needs; what it makes comes back as ``pack`` writes and ``unpack`` reads it. What a copy
    does not give, since its work raised something or it was ended, is worked out, and raised, here.
    """
    runs = [range(start, min(start + _RUN, count)) for start in range(0, count, _RUN)]
    copies: list[_Copy] = []
    gc.freeze()  # a collector that walks what the processes share would copy it into each of them
    try:
        for number in range(1, min(processes, len(runs))):
            with suppress(OSError):  # no more processes, or no memory for one
                copies.append(_Copy(runs[number::processes], lambda at: pack(at, work(at)), copies))
        for number, run in enumerate(runs):
            copy = number % processes - 1
            packed = copies[copy].read() if 0 <= copy < len(copies) else None
            yield from map(work, run) if packed is None else map(unpack, run, packed)
    finally:
        gc.unfreeze()
        for each in copies:
            each.close()


class _Copy:
    """A copy of this process that makes bytes of the numbers in ``runs``, run by run."""

    source: BinaryIO

    def __init__(self, runs: Sequence[range], made: Callable[[int], bytes], others: Sequence[_Copy]) -> None:
        reading, writing = os.pipe()
        try:
            self.process = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
        if not self.process:
            # Where nobody reads any more, writing fails, and the copy ends.
            for read in (reading, *(other.source.fileno() for other in others)):
                os.close(read)
            _write(runs, made, writing)
        os.close(writing)
        self.source = open(reading, "rb")

    def read(self) -> list[bytes] | None:
        """What it made of its next run; None where it ended before."""
        size = int.from_bytes(self.source.read(8), "little")
        packed = self.source.read(size)
        return marshal.loads(packed) if size and len(packed) == size else None

    def close(self) -> None:
        self.source.close()
        with suppress(ChildProcessError):  # somebody else waited for it
            os.waitpid(self.process, 0)


def _write(runs: Sequence[range], made: Callable[[int], bytes], writing: int) -> None:
    """Write what is ``made`` of each run, and end this process."""
    try:
        with suppress(ImportError, AttributeError, OSError):  # of Linux alone, and a limit may stand against it
            import fcntl

            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _AHEAD)
        with open(writing, "wb") as target:
            for run in runs:
                packed = marshal.dumps([made(number) for number in run])
                target.write(len(packed).to_bytes(8, "little") + packed)
                target.flush()
    finally:
        os._exit(0)  # what was raised is raised by the process that works on it once more
