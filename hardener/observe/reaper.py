"""Removes what a run of ``harden observe`` leaves that was killed, or whose terminal was closed while it removed it.

A process of its own, in a session of its own: it waits for the end of the run at a pipe, and does nothing where that
run says that it has removed everything. It loads hardener only when there is something to do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardener.observe.engine import Engine

_DONE = b"done"
_TURNS, _PAUSE = 10, 1.0  # a call of the engine that the run began may still make something
_LONGEST = 60.0  # seconds for a process to be gone


class Reaper:
    """The process that waits for the end of this one, which runs ``engine``; kubectl with its ``context``. ``outside``
    is the folder in which no program of it lies."""

    def __init__(self, engine: Engine, outside: str, context: str | None) -> None:
        from hardener.support import programs  # late, with what follows: see above

        told = {
            "name": engine.name, "context": context, "outside": outside, "run": engine.process,
            "path": [os.path.abspath(each) for each in sys.path if each],
        }  # fmt: skip
        words = ["-I", os.path.abspath(__file__), json.dumps(told)]
        self._process = programs.started(sys.executable, words, answers=True)

    def dismiss(self) -> None:
        """Nothing is left: it may go."""
        try:
            self._process.communicate(_DONE, timeout=_LONGEST)
        except (OSError, ValueError):
            pass


def main(told: dict[str, Any]) -> None:
    """Wait, and remove what is left."""
    if sys.stdin.buffer.read() == _DONE:
        return
    sys.path[:] = told["path"]
    from hardener.observe.engine import is_dead  # late: see above

    until = time.monotonic() + _LONGEST
    while not is_dead(told["run"]) and time.monotonic() < until:
        time.sleep(0.1)
    for _ in range(_TURNS):
        found = _engine(told)
        try:
            count = found.clear_dead()
        finally:
            found.clear()
        if not count:
            return
        time.sleep(_PAUSE)


def _engine(told: dict[str, Any]) -> Engine:
    from hardener.observe.cluster import Cluster  # late: see above
    from hardener.observe.engine import Engine

    if told["context"] is not None:
        return Cluster.of(told["context"], told["outside"])
    return Engine.found(told["name"], told["outside"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
