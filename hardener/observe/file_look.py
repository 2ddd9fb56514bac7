"""The files of a container, as they are at a moment.

It uses the standard library alone, as ``namespace_agent`` does, which calls it. The container may change them
meanwhile, and is not trusted: no link of it is followed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import time
from collections.abc import Iterator

_MOST_FILES, _MOST_OF_IMAGE = 20_000, 200_000
_RAISES = stat.S_ISUID | stat.S_ISGID
_RUNS = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_CAPABILITIES = "security.capability"  # capabilities(7), "File capabilities"
_KERNEL = frozenset(("/proc", "/sys", "/dev"))
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def stored(pid: int, places: list[str], seconds: float) -> dict[str, int] | None:
    """The files in folders of the container with the first process ``pid`` that were changed in the last ``seconds``,
    each with its size; None where they are too many to be looked at."""
    since = time.time() - seconds
    found: dict[str, int] = {}
    left = _MOST_FILES
    for path, status in _files(pid, places):
        left -= 1
        if left < 0:
            return None
        if status.st_ctime >= since:
            found[path] = status.st_size
    return found


def raisers(pid: int) -> list[str]:
    """The programs of the container with the first process ``pid`` that give rights to whoever runs them, by a bit
    (setuid, setgid) or by capabilities of the file: those of the first files, where they are many."""
    files = itertools.islice(_files(pid, ["/"]), _MOST_OF_IMAGE)
    return [path for path, status in files if may_raise(pid, path, status.st_mode)]


def may_raise(pid: int, path: str, mode: int) -> bool:
    """Whether the file at ``path`` of a container, of this ``mode``, gives rights to whoever runs it."""
    if not mode & _RUNS:
        return False
    if mode & _RAISES:
        return True
    try:
        return bool(os.getxattr(f"/proc/{pid}/root{path}", _CAPABILITIES, follow_symlinks=False))
    except OSError:
        return False


def _files(pid: int, places: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    for place in places:
        folder = _opened(pid, place)
        if folder is None:
            continue
        try:
            yield from _below(folder, place.rstrip("/"))
        finally:
            os.close(folder)


def _below(top: int, place: str) -> Iterator[tuple[str, os.stat_result]]:
    """The regular files of the open folder ``top``, which is at ``place``, and of those below it."""
    for folder, names, files, handle in os.fwalk(".", dir_fd=top):
        path = f"{place}{folder[1:]}"
        names[:] = sorted(name for name in names if f"{path}/{name}" not in _KERNEL)
        for name in files:
            with contextlib.suppress(OSError):
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield f"{path}/{name}", status


def _opened(pid: int, place: str) -> int | None:
    """The folder at ``place`` of a container, open; None where there is none, or a link leads to it."""
    try:
        handle = os.open(f"/proc/{pid}/root/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    for part in filter(None, place.split("/")):
        above = handle
        try:
            handle = os.open(part, _FOLDER, dir_fd=above)
        except OSError:
            return None
        finally:
            os.close(above)
    return handle
