"""A progress bar on a terminal, once the work takes more than a second."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from hardener.support.printable import plain

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

DELAY = 1.0  # seconds
_TELL_SECONDS = 0.2  # between two numbers of bytes


class Progress:
    """Call it with the name of what comes next. Silent where standard error is no terminal, and for quick work.

    ``total``: how many calls there will be from now on, where that is known. Threads may ``tell`` it of bytes.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._started = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self.total: int | None = None
        self._bytes = 0
        self._told = 0.0
        self._lock = threading.Lock()

    def tell(self, count: int) -> None:
        """So many bytes more came from the network."""
        if not self._terminal:
            return
        with self._lock:
            self._bytes += count
            now = time.monotonic()
            if now - self._told > _TELL_SECONDS:
                self._told = now
                self._show(f"{self._bytes / (1 << 20):,.0f} MiB", advance=0)

    def __enter__(self) -> Progress:
        return self

    def __call__(self, name: str) -> None:
        if self._terminal:
            with self._lock:
                self._show(plain(name[-60:]), advance=1)

    def _show(self, text: str, *, advance: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._started < DELAY:
                return
            from rich.console import Console  # late: only a slow run on a terminal shows a bar
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = (BarColumn(), TextColumn("{task.completed} {task.description}"))
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=None)
        if self._task is not None:
            if self.total is not None and self._bar.tasks[0].total is None:
                self._bar.reset(self._task, total=self.total)
            elif self.total != self._bar.tasks[0].total:
                self._bar.update(self._task, total=self.total)
            self._bar.update(self._task, advance=advance, description=text)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
