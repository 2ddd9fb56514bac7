"""What is printed on a terminal goes through a pager, as with git: GIT_PAGER, else PAGER, else less."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hardener.commands.run import binary
from hardener.report.terminal.screen import Screen, is_terminal
from hardener.support import programs

if TYPE_CHECKING:
    import subprocess

_DEFAULT = "less"
_SETTINGS = {"LESS": "FRX", "LV": "-c"}  # what git sets where they are not set


@contextmanager
def paged(stream: Any, color: str, *, wanted: bool, outside: str) -> Iterator[tuple[Callable[[str], object], Screen]]:
    """What writes to ``stream``, and what it is written on: through a pager where it is a terminal, and one is
    ``wanted``.

    The environment of whoever runs harden names the pager, as words and not for a shell; no file does, and none is
    taken that lies in the folder ``outside``, a real path. A pager that is left early is no error.
    """
    screen = Screen.of(stream, color)
    pager = _started(outside) if wanted and is_terminal(stream) and screen.width else None
    if pager is None:
        yield binary(stream), Screen(screen.colour, screen.link, screen.width)
        stream.flush()
        return
    try:
        yield binary(_Pipe(pager)), Screen(screen.colour, None, screen.width)
    except BrokenPipeError:
        pass  # who has seen enough leaves
    finally:
        _finish(pager)


class _Pipe:
    def __init__(self, pager: subprocess.Popen[bytes]) -> None:
        self.buffer = pager.stdin


def _started(outside: str) -> subprocess.Popen[bytes] | None:
    named = os.environ.get("GIT_PAGER", os.environ.get("PAGER", _DEFAULT))
    try:
        words = shlex.split(named)
    except ValueError:  # a quote that is not closed
        words = [_DEFAULT]
    if not words or words == ["cat"]:
        return None
    settings = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    try:
        return programs.started(words[0], words[1:], outside=outside, environment={**os.environ, **settings})
    except programs.ProgramError:
        return None


def _finish(pager: subprocess.Popen[bytes]) -> None:
    assert pager.stdin is not None
    try:
        pager.stdin.close()
    except BrokenPipeError:
        pass
    while True:
        try:
            pager.wait()
        except KeyboardInterrupt:  # is for the pager, which stops a search by it
            continue
        return
