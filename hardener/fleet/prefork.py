"""A server that has harden loaded and forks a process for each repository, which judges it or proposes a pull request,
so that none pays for the start of Python.
The one of ``multiprocessing`` cannot be used: a worker of dask may start no process by it.

It speaks frames of MessagePack on standard input and output: a request, then its answer. It has no thread, so a fork is
safe. It ends when its standard input does, and takes the process along that it has forked.
"""

from __future__ import annotations

import gc
import io
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from typing import IO, ClassVar, TypeVar

import msgspec

from hardener.commands.library import harden_text
from hardener.errors import InputError
from hardener.fleet import judge, propose
from hardener.fleet.attempt import Answer, out_of_memory
from hardener.support import programs

Request = judge.Request | propose.Request
_Answer = TypeVar("_Answer", bound=Answer)

_LENGTH = 8  # bytes before each frame
_CHUNK = 1 << 20
_MOST = 1 << 30  # bytes of an answer
_NO_MEMORY = 3  # the exit code of a process that has no memory left to answer
_TRIES = 2  # of a request whose process was ended by somebody else
# What the server judges before the first request: it loads what most repositories need.
_SAMPLE = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "nginx:1.29", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


class Server:
    """The server, as one thread uses it; it is started with the first request, and again where it was ended."""

    is_over = False  # of all servers: none is started any more
    _all: ClassVar[weakref.WeakSet[Server]] = weakref.WeakSet()

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        Server._all.add(self)

    def answer(self, request: Request, kind: type[_Answer]) -> _Answer:
        """What comes out for ``request``, whose answer is of that ``kind``. A process that somebody else ends is tried
        once more."""
        for _ in range(_TRIES):
            found = self._asked(request, kind)
            if found.signal is None or Server.is_over:
                return found
        return kind(reason=f"its process ended without an answer, {_TRIES} times (signal {found.signal})")

    def _asked(self, request: Request, kind: type[_Answer]) -> _Answer:
        if Server.is_over:
            return kind(reason="the run was ended")
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        try:
            _write(process.stdin, msgspec.msgpack.encode(request))
            frame = _read(process.stdout)
        except (OSError, ValueError):
            frame = None
        if frame is None:
            self.end()
            return kind(signal=max(0, -process.wait()))
        return msgspec.msgpack.decode(frame, type=kind)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # -P and this path: it loads what this process does, and nothing of the working directory.
            path = os.pathsep.join(filter(os.path.isabs, sys.path))
            self._process = programs.started(
                sys.executable, ["-P", "-m", __name__], environment={**os.environ, "PYTHONPATH": path}, answers=True
            )
        return self._process

    def end(self) -> None:
        """End the server and what it has forked."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @classmethod
    def end_all(cls) -> None:
        """End the servers of all threads, for good."""
        cls.is_over = True
        for server in list(cls._all):
            server.end()


_of_thread = threading.local()


def server() -> Server:
    """The server of this thread. Raises InputError where processes cannot fork."""
    if not hasattr(os, "fork"):
        raise InputError("harden fleet needs a system whose processes fork, such as Linux or macOS")
    if not hasattr(_of_thread, "server"):
        _of_thread.server = Server()
    found: Server = _of_thread.server
    return found


def _read(stream: IO[bytes]) -> bytes | None:
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    length = int.from_bytes(head, "big")
    frame = stream.read(length)
    return frame if len(frame) == length else None


def _write(stream: IO[bytes], frame: bytes) -> None:
    stream.write(len(frame).to_bytes(_LENGTH, "big") + frame)
    stream.flush()


def main() -> None:
    """Serve until standard input ends."""
    gc.set_threshold(1_000_000, 20, 100)  # as the command line does
    # What harden says goes nowhere; what it answers, to a place that only this module knows.
    answers = os.fdopen(os.dup(1), "wb")
    questions = os.fdopen(os.dup(0), "rb")
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    harden_text(_SAMPLE)
    gc.collect()
    gc.freeze()
    while (frame := _read(questions)) is not None:
        request = msgspec.msgpack.decode(frame, type=Request)
        _write(answers, _forked(request, questions.fileno()))


def _forked(request: Request, questions: int) -> bytes:
    """The answer of a process that judges ``request``, or what became of it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.close(reading)
            _bound(request.memory)
            with os.fdopen(writing, "wb") as answers:
                _write(answers, msgspec.msgpack.encode(_done(request)))
            code = 0
        except MemoryError:  # of what tells that there is none
            code = _NO_MEMORY
        finally:
            os._exit(code)
    os.close(writing)
    answered, in_time = _collected(reading, request.seconds, questions)
    os.close(reading)
    if not in_time:
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    answer = _read(io.BytesIO(answered))
    if answer is not None:
        return answer
    return msgspec.msgpack.encode(_ended(request, status) if in_time else Answer(reason=_too_slow(request.seconds)))


def _done(request: Request) -> Answer:
    if isinstance(request, judge.Request):
        return judge.judge(request)
    return propose.propose(request)


def _collected(reading: int, seconds: float, questions: int) -> tuple[bytes, bool]:
    """What comes from ``reading``, and whether its end came in time, and is not too far away."""
    until = time.monotonic() + seconds
    chunks: list[bytes] = []
    size = 0
    while size <= _MOST:
        ready, _, _ = select.select([reading, questions], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            break
        if questions in ready:  # whoever asks waits for the answer: this is the end
            os.killpg(0, signal.SIGKILL)
        if not (chunk := os.read(reading, _CHUNK)):
            return b"".join(chunks), True
        chunks.append(chunk)
        size += len(chunk)
    return b"", False


def _ended(request: Request, status: int) -> Answer:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    # Libraries in C end the process where they get no memory.
    has_none = number == signal.SIGABRT or (os.WIFEXITED(status) and os.WEXITSTATUS(status) == _NO_MEMORY)
    return Answer(reason=out_of_memory(request.memory)) if has_none else Answer(signal=number)


def _too_slow(seconds: float) -> str:
    return f"takes more than {seconds:g} seconds (--timeout)"


def _bound(memory: int) -> None:
    import resource

    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):  # what harden itself may use is less
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main()
