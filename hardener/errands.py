"""Work for many threads whose results come as they are done, and that an interrupt ends at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def run(tasks: Iterable[_Task], work: Callable[[_Task], _Result], threads: int) -> Iterator[tuple[_Task, _Result]]:
    """Each task with what ``work`` returns for it, the first that is done first. What ``work`` raises is raised here.

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
            task, result, good = done.get()
            if not good:
                raise result  # type: ignore[misc]
            yield task, result  # type: ignore[misc]
    finally:
        stop.set()
