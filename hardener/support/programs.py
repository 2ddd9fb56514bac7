"""Every program that harden starts is started here: found in absolute folders of PATH alone, so never in the folder
where somebody runs harden, and never by a shell."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from enum import Enum
from typing import IO

from msgspec import Struct

from hardener.errors import HardenError

_HEAD, _TAIL = 16 * 1024, 48 * 1024  # bytes of standard error that are kept: how it began, and how it ended


class ProgramError(HardenError):
    """A program that is not there, cannot be started, or does not end; the message says which."""


class End(Enum):
    """How a program came to its end: by itself, or because it went beyond a limit."""

    ITSELF = "itself"
    TIME = "time"
    OUTPUT = "output"


class Done(Struct, frozen=True):
    """What a program printed until its end. ``error`` is the begin and the end of its standard error."""

    end: End
    returncode: int
    output: bytes
    error: bytes


def run(
    name: str, arguments: Sequence[str], *, seconds: float, input: bytes | None = None, outside: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:  # fmt: skip
    """Run the program ``name`` for at most ``seconds``, whatever its exit code is.

    It is none that lies in the folder ``outside``, a real path. ``environment`` is all that it gets beside PATH; None
    is that of harden. Raises ProgramError.
    """
    found, given = _found(name, outside, environment)
    try:
        # Without input it gets none: what comes to harden itself is not for it.
        return subprocess.run(
            [found, *arguments], input=b"" if input is None else input, capture_output=True, timeout=seconds, env=given
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{name} gives no answer in {seconds:g} seconds") from None
    except (OSError, ValueError, subprocess.SubprocessError):
        raise ProgramError(f"{name} cannot be started") from None


def started(
    name: str, arguments: Sequence[str], *, outside: str | None = None, environment: Mapping[str, str] | None = None,
    answers: bool = False,
) -> subprocess.Popen[bytes]:  # fmt: skip
    """The program ``name``, which prints where harden does and reads what is written to its ``stdin``; found as by
    ``run``, or by an absolute path. One that ``answers`` prints to its ``stdout`` instead, says no more, and stands in
    a group of its own. Raises ProgramError."""
    found, given = _found(name, outside, environment)
    try:
        return subprocess.Popen(
            [found, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE if answers else None,
            stderr=subprocess.DEVNULL if answers else None, start_new_session=answers, env=given,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError):
        raise ProgramError(f"{name} cannot be started") from None


def bounded(
    name: str, arguments: Sequence[str], *, seconds: float, output: int, memory: int | None, folder: str,
    outside: str | None = None, environment: Mapping[str, str] | None = None, keeps_head: bool = False,
    file_size: int | None = None, among: Started | None = None,
) -> Done:  # fmt: skip
    """Run a program that works on a stranger's data, in the working directory ``folder``; found as by ``run``, or by an
    absolute path.

    It and what it starts are ended after ``seconds``, or when it has printed more than ``output`` bytes, which are
    never held, unless ``keeps_head`` asks for the first of them. ``memory`` bounds the bytes of its address space where
    the platform can do that (Linux), and then its processor time is bounded, too; None for a program whose children
    live on. ``file_size`` bounds the bytes of each file that it writes (Linux). It has no terminal, and reads nothing.
    One ``among`` others is ended where these are. Raises ProgramError where it cannot be started.
    """
    found, given = _found(name, outside, environment)
    try:
        process = subprocess.Popen(
            [found, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
            env=given, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError):
        raise ProgramError(f"{name} cannot be started") from None
    with among.holding(process) if among is not None else nullcontext():
        return _watched(process, seconds, output, _Most(seconds, memory, file_size), keeps_head)


class Started:
    """Programs that ``bounded`` runs in several threads, which one thread may end together: an interrupt waits for no
    other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_over = False

    def begin(self) -> None:
        """Let programs run from now on."""
        self._is_over = False

    def end(self) -> None:
        """End all that run, and each that begins later."""
        with self._lock:
            self._is_over = True
            for process in self._running:
                _kill(process)

    @contextmanager
    def holding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Have ``process`` among them as long as this block."""
        with self._lock:
            self._running.add(process)
            if self._is_over:
                _kill(process)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)


def _watched(process: subprocess.Popen[bytes], seconds: float, output: int, most: _Most, keeps_head: bool) -> Done:
    assert process.stdout is not None and process.stderr is not None
    until = time.monotonic() + seconds
    printed, said = _Printed(output), bytearray()
    # A stream ends when all that hold it are gone; what left the group may hold it for ever, and nobody waits for it.
    reader = threading.Thread(target=printed.read, args=(process.stdout,), daemon=True)
    listener = threading.Thread(target=_ends_of, args=(process.stderr, said), daemon=True)
    in_time = False
    try:
        _limit(process.pid, most)
        reader.start()
        listener.start()
        reader.join(seconds)
        in_time = not reader.is_alive()
        if in_time and not printed.is_too_much:
            process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        in_time = False
    finally:
        _kill(process)  # also what it has started and left behind
        process.wait()
        for thread in (reader, listener):
            if thread.ident is not None:
                thread.join(1)
    end = End.TIME if not in_time else End.OUTPUT if printed.is_too_much else End.ITSELF
    held = end is End.ITSELF or (keeps_head and end is End.OUTPUT)
    return Done(end, process.returncode, b"".join(printed.chunks) if held else b"", bytes(said))


class _Printed:
    """What comes out of a stream, as long as it is at most ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.chunks: list[bytes] = []
        self.is_too_much = False
        self._left = limit

    def read(self, stream: IO[bytes]) -> None:
        with stream:
            while chunk := stream.read1(64 * 1024):  # type: ignore[attr-defined]
                self._left -= len(chunk)
                if self._left < 0:
                    self.chunks.append(chunk[: self._left])
                    self.is_too_much = True
                    return
                self.chunks.append(chunk)


def _ends_of(stream: IO[bytes], said: bytearray) -> None:
    """Read ``stream`` to its end, and keep of it in ``said`` the begin and the end."""
    with stream:
        while chunk := stream.read1(16 * 1024):  # type: ignore[attr-defined]
            said += chunk
            if len(said) > _HEAD + _TAIL:
                del said[_HEAD:-_TAIL]


class _Most(Struct, frozen=True):
    """What a program may use: ``memory`` and ``file_size`` in bytes, None for as much as it likes."""

    seconds: float
    memory: int | None
    file_size: int | None


def _limit(pid: int, most: _Most) -> None:
    """Bound the memory, the processor time and the files of a program that has just begun: the time ends it also where
    harden itself is killed and cannot."""
    if sys.platform == "linux":
        import resource

        limits = []
        if most.memory is not None:
            time = int(most.seconds + 1) * (os.cpu_count() or 1)
            limits += [(resource.RLIMIT_AS, most.memory), (resource.RLIMIT_CPU, time), (resource.RLIMIT_CORE, 0)]
        if most.file_size is not None:
            limits += [(resource.RLIMIT_FSIZE, most.file_size), (resource.RLIMIT_CORE, 0)]
        for what, bound in limits:
            try:
                resource.prlimit(pid, what, (bound, bound))
            except (OSError, ValueError):  # it is over already, or what harden itself may use is less
                continue


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and all of its group, which is its own."""
    if sys.platform == "win32":
        process.kill()
        return
    import signal

    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left
        return


def path_of(name: str, outside: str | None = None) -> str:
    """The path of the program ``name``, found as by ``run``; an absolute path is one where it is a program. Raises
    ProgramError."""
    if os.path.isabs(name):
        inside = outside is not None and _is_in(os.path.realpath(name), outside)
        found = None if inside else _program(os.path.dirname(name), os.path.basename(name))
    else:
        folders = _folders(outside)
        found = next((path for folder in folders if (path := _program(folder, name)) is not None), None)
    if found is None:
        in_tree = outside is not None and any(_program(folder, name) for folder in _folders(None))
        raise ProgramError(f"{name} of PATH lies in the tree that is read" if in_tree else f"{name} is not installed")
    return found


def _found(name: str, outside: str | None, environment: Mapping[str, str] | None) -> tuple[str, dict[str, str]]:
    """The path of the program ``name``, and all that it gets of the environment. Raises ProgramError."""
    given = dict(os.environ if environment is None else environment)
    return path_of(name, outside), given | {"PATH": os.pathsep.join(_folders(outside))}


def _folders(outside: str | None) -> list[str]:
    folders = (folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder))
    return [folder for folder in folders if outside is None or not _is_in(os.path.realpath(folder), outside)]


def _is_in(folder: str, other: str) -> bool:
    return folder == other or folder.startswith(other.rstrip(os.sep) + os.sep)


def _program(folder: str, name: str) -> str | None:
    for ending in ("",) if os.name != "nt" else (".exe",):
        path = os.path.join(folder, name + ending)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
