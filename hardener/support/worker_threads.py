"""Work for many threads whose results come as they are done, and that an interrupt ends at once."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


_IDLE_SECONDS = 1.0


def run(
    tasks: Iterable[_Task], work: Callable[[_Task], _Result], threads: int, *, idle: Callable[[], object] = lambda: None
) -> Iterator[tuple[_Task, _Result]]:
    """Each task with what ``work`` returns for it, the first that is done first. What ``work`` raises is raised here.
    ``idle`` is called now and then while nothing comes.

    When the caller stops early, tasks that have not begun never do, and nobody waits for those that have.
    """
    waiting: queue.SimpleQueue[_Task] = queue.SimpleQueue()
    count = 0
    for count, task in enumerate(tasks, 1):  # noqa: B007
        waiting.put(task)
    done: queue.SimpleQueue[tuple[_Task, _Result | BaseException, bool]] = queue.SimpleQueue()
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((task, work(task), True))
            except BaseException as error:
                done.put((task, error, False))

    for _ in range(min(threads, count)):
        threading.Thread(target=serve, daemon=True).start()
    try:
        for _ in range(count):
            task, result, good = _next(done, idle)
            if not good:
                raise result  # type: ignore[misc]
            yield task, result  # type: ignore[misc]
    finally:
        stop.set()


def _next(done: queue.SimpleQueue[_Result], idle: Callable[[], object]) -> _Result:
    while True:
        try:
            return done.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            idle()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP end the work as Ctrl-C does: pipelines and terminals that close send these."""
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set them
        for number in (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")):
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
                before[number] = signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
