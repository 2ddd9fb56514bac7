"""A progress bar on a terminal, once the work takes more than a second."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from hardener.support.printable import plain, plain_line

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID

DELAY = 1.0  # seconds
_TELL_SECONDS = 0.2  # between two numbers of bytes
_BAR = 20  # columns
_LONGEST = 48  # characters of a name


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
        self._phase = ""
        self._count = 0
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
                self._show(f"{self._bytes / (1 << 20):,.0f} MiB")

    def begin(self, phase: str, total: int | None = None) -> None:
        """What is done from now on, in a word, and how many calls there will be."""
        with self._lock:
            self._phase, self._count, self.total = phase, 0, total

    def say(self, text: str) -> None:
        """What is done now, in words of its own; no count goes on behind it."""
        self.begin("")
        if self._terminal:
            with self._lock:
                self._show(short(text))

    def __enter__(self) -> Progress:
        return self

    def __call__(self, name: str) -> None:
        if self._terminal:
            with self._lock:
                self._count += 1
                self._show(short(name))

    def _show(self, text: str) -> None:
        if self._bar is None:
            if time.monotonic() - self._started < DELAY:
                return
            from rich.progress import BarColumn  # late: only a slow run on a terminal shows a bar

            self._bar = _started(BarColumn(_BAR))
            self._task = self._bar.add_task("", total=None)
        if self._task is not None:
            count = f"{self._count} of {self.total}" if self.total else str(self._count or "")
            described = " ".join(filter(None, (self._phase, count, text)))
            self._bar.update(self._task, total=self.total, completed=self._count, description=described)

    def hide(self) -> None:
        """Take the bar away until the next call: something else is shown."""
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
                self._bar = self._task = None

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _started(*columns: ProgressColumn) -> Bar:
    """A bar with ``columns`` and a text, one row on any terminal: what does not fit of a name is left out."""
    from rich.console import Console  # late: only a terminal shows them
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn
    from rich.table import Column

    line = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    bar = Bar(*columns, line, console=Console(stderr=True), transient=True)
    bar.start()
    return bar


def short(name: str) -> str:
    """A path as it is seen from the working directory, or the end of it."""
    if os.path.isabs(name):
        relative = os.path.relpath(name)
        name = name if relative.startswith(os.pardir) else relative
    return plain(name if len(name) <= _LONGEST else "…" + name[1 - _LONGEST :])


def phase(progress: Callable[[str], object], name: str, total: int | None = None) -> Callable[[str], object]:
    """``progress``, told that what follows is the phase ``name``."""
    if isinstance(progress, Progress):
        progress.begin(name, total)
    return progress


def said(progress: Callable[[str], object]) -> Callable[[str], object]:
    """``progress`` for what comes between other phases, and tells its own number."""
    return progress.say if isinstance(progress, Progress) else progress


def later(progress: Callable[[str], object], name: str) -> Callable[[str], object]:
    """``progress``, told at its first call that this is the phase ``name``."""
    began = False

    def told(what: str) -> object:
        nonlocal began
        if not began:
            began = True
            phase(progress, name)
        return progress(what)

    return told


class Rows:
    """A line for each of many that are worked on at a time, on a terminal: called with a name and what is done with it.
    Silent where standard error is no terminal, but for what is ``told`` in lines that stay. Threads may call it."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._rows: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Rows:
        return self

    def __call__(self, name: str, what: str) -> None:
        if not _is_terminal():
            return
        with self._lock, suppress(OSError):
            if self._bar is None:
                self._bar = _started()
            text = f"{short(name)}  {plain(what)}"
            if name in self._rows:
                self._bar.update(self._rows[name], description=text)
            else:
                self._rows[name] = self._bar.add_task(text, total=None)

    def told(self, text: str, done: str | None = None) -> None:
        """Print a line that stays; the row of the name ``done``, which it is about, goes."""
        with self._lock, suppress(OSError):  # of a terminal that is gone: the work goes on
            if self._bar is None:
                print(plain_line(text), file=sys.stderr, flush=True)
                return
            if done in self._rows:
                self._bar.remove_task(self._rows.pop(str(done)))
            self._bar.console.print(plain_line(text), markup=False, highlight=False, soft_wrap=True)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            with suppress(OSError):
                self._bar.stop()


def _is_terminal() -> bool:
    """Whether standard error is a terminal that is still there."""
    try:
        return sys.stderr.isatty()
    except (OSError, ValueError):
        return False
