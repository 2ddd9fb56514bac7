"""What harden keeps for a person between two commands, in the folder of states of the user: by repository, readable by
the user alone.

Source of the folder: the XDG Base Directory Specification, version 0.8, ``XDG_STATE_HOME``.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from hardener.sources import files


class KeptFile(Struct, array_like=True):
    """A file at the real path ``path`` that a run wrote: its bytes ``before`` it (None: there was none), and the
    SHA-256 of what was written."""

    path: str
    before: bytes | None
    after: bytes


class KeptRun(Struct, array_like=True):
    """A run that wrote ``files``: the ``command`` that did it, and the one by which ``git`` takes it back ("": none).
    ``places`` are all the folders by which it is known."""

    command: str
    git: str
    places: list[str]
    files: list[KeptFile]


class KeptReport(Struct, array_like=True):
    """What a ``command`` printed, as it does to a pipe, and ``full``, as with -v. Both have their secrets masked."""

    command: str
    short: str
    full: str


def here() -> str:
    """The folder by which a person in the working directory means a run: the root of the repository, else itself."""
    working = os.path.realpath(os.curdir)
    return files.git_root(working) or working


def keep(record: KeptRun | KeptReport, places: Iterable[str]) -> bool:
    """Keep ``record`` for each of ``places``, in place of the one before. Returns whether it could be."""
    raw = msgspec.msgpack.encode(record)
    try:
        for place in places:
            _write(_path(type(record), place), raw)
    except OSError:
        return False
    return True


def kept_run(place: str) -> KeptRun | None:
    """The last run that wrote files of ``place``; None where none is known, or what is kept cannot be read."""
    raw = _raw(KeptRun, place)
    try:
        return None if raw is None else msgspec.msgpack.decode(raw, type=KeptRun)
    except msgspec.MsgspecError:  # another release may keep it in another form
        return None


def kept_report(place: str) -> KeptReport | None:
    """What was last reported of ``place``; None where that is not known."""
    raw = _raw(KeptReport, place)
    try:
        return None if raw is None else msgspec.msgpack.decode(raw, type=KeptReport)
    except msgspec.MsgspecError:
        return None


def forget_run(places: Iterable[str]) -> None:
    """Keep the last run of ``places`` no longer."""
    for place in places:
        try:
            os.unlink(_path(KeptRun, place))
        except OSError:
            continue


def digest(raw: bytes) -> bytes:
    """What tells whether a file is still as a run wrote it."""
    return hashlib.sha256(raw).digest()


def _raw(kind: type[Struct], place: str) -> bytes | None:
    try:
        with open(_path(kind, place), "rb") as stream:
            return stream.read()
    except OSError:
        return None


def _path(kind: type[Struct], place: str) -> str:
    name = hashlib.sha256(os.fsencode(place)).hexdigest()[:32]
    return os.path.join(_folder(), f"{name}.{'run' if kind is KeptRun else 'report'}")


def _folder() -> str:
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # a relative one does not count, by the specification
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "harden")


def _write(path: str, raw: bytes) -> None:
    """``raw`` at ``path`` in one step, for the user alone. Raises OSError."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle, waiting = tempfile.mkstemp(dir=os.path.dirname(path))  # nobody else may read it
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
        os.replace(waiting, path)
    except BaseException:
        os.unlink(waiting)
        raise
