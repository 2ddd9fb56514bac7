"""Files that a program keeps between runs, and can do without, in a folder of the user's.

It lies below ``$XDG_CACHE_HOME``, else ``~/.cache``. Nothing here raises for what it meets: a file that is missing, cut
off, damaged, of somebody else or behind a link is as if it were not there, and what cannot be written is not kept. A
file is written whole under another name and renamed, so runs at the same time see the old or the new one. The folder is
the user's own and nobody else's (mode 0700), or it is not used.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator

from hardener.support.fast_named_tuple import NamedTuple

LARGEST = 64 * 1024 * 1024
"""Bytes of one file; what is larger is not kept."""
MOST_FILES = 64
MOST_BYTES = 256 * 1024 * 1024
"""Of all files together; the ones that nobody read for longest go."""
_MARK = b"harden cache 1 "
_AGE = 24 * 3600  # seconds after which a file that is read is touched, so that it counts as new
_LEFT = 3600  # seconds after which a file that waits to be renamed is of a dead run
_DIGEST = 64  # characters of a SHA-256
_SHORTEST = len(_MARK) + _DIGEST + 1


class CacheFolder(NamedTuple):
    """The folder at ``path``; ``base``, above it, is made where it is missing."""

    base: str
    path: str

    def read(self, name: str) -> bytes | None:
        """What is kept as ``name``; None where there is nothing, or anything is wrong with it."""
        with contextlib.suppress(OSError), self._opened(make=False) as folder:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            with open(handle, "rb") as file:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_size > LARGEST:
                    return None
                found = file.read(LARGEST)
                if time.time() - status.st_mtime > _AGE:
                    with contextlib.suppress(OSError):
                        os.utime(handle)
            content = found[_SHORTEST:]
            return content if found[:_SHORTEST] == _head(content) else None
        return None

    def write(self, name: str, content: bytes) -> None:
        """Keep ``content`` as ``name``, where that is possible, and let go what is too much."""
        if len(content) > LARGEST - _SHORTEST:
            return
        with contextlib.suppress(OSError), self._opened(make=True) as folder:
            own = f".{name}.{os.urandom(8).hex()}"  # in containers that share the folder, processes have one number
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with open(os.open(own, flags, 0o600, dir_fd=folder), "wb") as file:
                    file.write(_head(content))
                    file.write(content)
                os.replace(own, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(own, dir_fd=folder)
                return
            _let_go(folder)

    @contextlib.contextmanager
    def _opened(self, *, make: bool) -> Iterator[int]:
        """The folder, held open: what is renamed over it meanwhile is not looked at. Raises OSError."""
        if make:
            for path in (self.base, self.path):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(path, 0o700)
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(folder)
            if status.st_uid != os.geteuid() or status.st_mode & 0o077:
                raise PermissionError(f"{self.path} is not the user's alone")
            yield folder
        finally:
            os.close(folder)


def cache_folder(program: str) -> CacheFolder | None:
    """The folder of ``program``, there or not; None where the user has no place for one, or the system no owners."""
    if not hasattr(os, "geteuid") or os.open not in os.supports_dir_fd:
        return None
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # what is relative is to be ignored (specifications.freedesktop.org/basedir-spec)
        home = os.path.expanduser("~")
        if not os.path.isabs(home) or not os.path.isdir(home):
            return None
        base = os.path.join(home, ".cache")
    if not os.path.isdir(base) and (os.path.lexists(base) or not os.path.isdir(os.path.dirname(base))):
        return None  # nothing can be kept there, so nothing need be made ready for that
    return CacheFolder(base, os.path.join(base, program))


def _head(content: bytes) -> bytes:
    import hashlib  # late: to load it takes long, and a user may have no place for a cache

    return _MARK + hashlib.sha256(content).hexdigest().encode() + b"\n"


def _let_go(folder: int) -> None:
    """Remove the files that are too many or too much, the oldest first, and those that dead runs left."""
    now = time.time()
    kept = []
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if not entry.name.startswith("."):
                kept.append((status.st_mtime, status.st_size, entry.name))
            elif now - status.st_mtime > _LEFT:
                os.unlink(entry.name, dir_fd=folder)
    room = MOST_BYTES
    for number, (_, size, name) in enumerate(sorted(kept, reverse=True)):
        room -= size
        if number >= MOST_FILES or room < 0:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)
