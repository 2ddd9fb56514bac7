"""Where the work of a fleet is done: an executor of ``concurrent.futures``. This machine has threads that each watch a
process; a cluster of ``dask.distributed`` is asked for the executor that it has itself.

Source: docs.python.org, ``concurrent.futures``; distributed.dask.org, ``Client.get_executor``.
"""

from __future__ import annotations

import logging
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from msgspec import Struct

from hardener.errors import InputError
from hardener.fleet import checkout, prefork
from hardener.fleet.store import Result
from hardener.fleet.work import Answer, Job, work
from hardener.support.printable import plain_line

_AHEAD = 1_000  # jobs that are handed out before their turn: their answers are held
_LOOK = 2.0  # seconds between two looks whether the scheduler is there
_AWAY = 30.0  # seconds that a scheduler may be away
_CONNECT = "15s"
_RETRIES = 2  # of a job whose worker was ended
_PACKAGES = frozenset({"dask", "distributed"})


class Place(Struct):
    """An executor, and ``check``, which raises InputError where it can do nothing more."""

    executor: Executor
    check: Callable[[], object]


def here() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def processes(jobs: int) -> Iterator[Place]:
    """So many processes of this machine. What runs is ended where this block is left by an error."""
    executor = ThreadPoolExecutor(jobs, "fleet")
    with ending():
        try:
            yield Place(executor, lambda: None)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def ending() -> Iterator[None]:
    """End all that was started for a repository, by any thread, where this block is left: git, and harden itself."""
    prefork.Server.is_over = False
    checkout.STARTED.begin()
    try:
        yield
    finally:
        prefork.Server.end_all()
        checkout.STARTED.end()


@contextmanager
def scheduler(address: str) -> Iterator[Place]:
    """The workers of the scheduler of ``dask.distributed`` at ``address``. Raises InputError without the extra, and
    where nothing answers there."""
    try:
        import distributed
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise InputError("--scheduler needs the extra fleet: pip install 'hardener[fleet]'") from None
    logging.disable(logging.CRITICAL)  # what they say of a lost connection, we say in one line
    connect: Any = distributed.Client  # its functions have no types
    try:
        client = connect(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {plain_line(address)}: {plain_line(str(error))}") from None
    watch = _Watch(address, lambda: client.status == "running")
    try:
        # The same work in another run is asked anew: what an address holds may have changed.
        yield Place(client.get_executor(pure=False, retries=_RETRIES), watch)
    finally:
        with suppress(Exception):  # the scheduler may be gone, and the run is over
            client.close(timeout=1)
        logging.disable(logging.NOTSET)


class _Watch:
    def __init__(self, address: str, is_there: Callable[[], bool]) -> None:
        self._address, self._is_there = address, is_there
        self._seen = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if self._is_there():
            self._seen = now
        elif now - self._seen > _AWAY:
            raise InputError(self.said)

    @property
    def said(self) -> str:
        return (
            f"--scheduler {plain_line(self._address)}: does not answer any more; what was found before stays, and the "
            "same command goes on from it"
        )


def answers(place: Place, jobs: Iterable[Job]) -> Iterator[tuple[Job, Answer]]:
    """What comes out for ``jobs``, as it comes. Raises InputError where the place can do nothing more."""
    waiting = iter(jobs)
    done: queue.SimpleQueue[Future[Answer]] = queue.SimpleQueue()
    pending: dict[Future[Answer], Job] = {}

    def hand_out(count: int) -> None:
        for job in islice(waiting, count):
            future = place.executor.submit(work, job)
            pending[future] = job
            future.add_done_callback(done.put)

    hand_out(_AHEAD)
    while pending:
        try:
            future = done.get(timeout=_LOOK)
        except queue.Empty:
            place.check()
            continue
        yield pending.pop(future), _answer(future, place)
        hand_out(1)


def _answer(future: Future[Answer], place: Place) -> Answer:
    try:
        return future.result()
    except CancelledError:
        return Answer(stop=place.check.said if isinstance(place.check, _Watch) else "the run was ended")
    except Exception as error:  # a job that ends each of its workers
        reason = plain_line(f"its worker ended: {type(error).__name__}: {error}")[:300]
        return Answer(Result(None, reason, 0.0, None, None))
