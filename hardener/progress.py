"""A progress bar on a terminal, once the work takes more than a second."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

DELAY = 1.0  # seconds


class Progress:
    """Call it with the name of what comes next. Silent where standard error is no terminal, and for quick work.

    ``total``: how many calls there will be from now on, where that is known.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._started = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self.total: int | None = None

    def __enter__(self) -> Progress:
        return self

    def __call__(self, name: str) -> None:
        if not self._terminal:
            return
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
            self._bar.update(self._task, advance=1, description=name[-60:])

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
