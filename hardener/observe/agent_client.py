"""Calls to the process of ``namespace_agent``: it is started where the containers are, and ends with this one."""

from __future__ import annotations

import itertools
import json
import os
import queue
import sys
import threading
from typing import Any

from hardener.observe import namespace_agent
from hardener.observe.engine import Engine, EngineError
from hardener.observe.engine_environment import environment
from hardener.support import programs

# This package is found where it is now: an interpreter that looks at no variables may not know the place.
_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(namespace_agent.__file__))))
_START = f"import sys; sys.path.insert(0, sys.argv[1]); from {namespace_agent.__name__} import main; main()"


class AgentClient:
    """Calls the functions that ``namespace_agent`` offers, each by its name."""

    def __init__(self, engine: Engine) -> None:
        program, before = engine.enter()
        words = [*before, sys.executable, "-I", "-c", _START, _HOME]
        self._process = programs.started(
            program or words[0], words if program else words[1:], environment=environment(), answers=True
        )
        self._numbers = itertools.count()
        self._waiting: dict[int, queue.SimpleQueue[Any]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                number, result = json.loads(line)
            except (ValueError, TypeError):  # what an engine says before it
                continue
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                waiting.put(result)
        for waiting in list(self._waiting.values()):
            waiting.put(EngineError("the process that looks at containers has ended"))

    def __call__(self, name: str, *arguments: Any, seconds: float = 15) -> Any:
        """Return what the function ``name`` of ``namespace_agent`` returns; where it gives no answer in time, None, or
        that this is what went wrong. Raises EngineError where the process is gone."""
        number = next(self._numbers)
        waiting = self._waiting[number] = queue.SimpleQueue[Any]()
        assert self._process.stdin is not None
        try:
            with self._lock:
                self._process.stdin.write(json.dumps([number, name, *arguments]).encode() + b"\n")
                self._process.stdin.flush()
            result = waiting.get(timeout=seconds)
        except (OSError, ValueError):
            raise EngineError("the process that looks at containers has ended") from None
        except queue.Empty:
            return namespace_agent.LATE if name in namespace_agent.TELL else None
        finally:
            self._waiting.pop(number, None)
        if isinstance(result, EngineError):
            raise result
        return result

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                pass
        try:
            self._process.wait(2)
        except Exception:
            self._process.kill()
