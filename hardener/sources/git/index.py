"""What Git tracks, read from the index of a repository: no program is started, and so nothing that its configuration
names is.

The format is that of gitformat-index(5), versions 2 to 4. The index of a linked work tree or of a submodule is where
its file ``.git`` says. Of a split index the files of both halves count, those included that the newer one drops.
"""

from __future__ import annotations

import os
import re
import struct
from bisect import bisect_left

from hardener.errors import HardenError
from hardener.sources.files import UnreadableError, read_bytes

_LARGEST = 256 * 1024 * 1024  # bytes of an index: some two million files
_SMALL = 1024 * 1024  # bytes of any other file of Git
_SHA256 = re.compile(rb"(?im)^[ \t]*objectformat[ \t]*=[ \t]*\"?sha256\b")
_BEFORE_ID = 40  # bytes of an entry: what stat said of the file
_MODE, _SUBMODULE = 26, 0xE0  # of these the one that holds the kind of the entry, and that of a commit: 0160000
_KNOWN = frozenset({b"link", b"sdir"})  # extensions without which an index cannot be understood


class UnreadableIndexError(HardenError):
    """An index that is there and cannot be read; the message says why."""


class GitIndex:
    """The files that a repository tracks, by their names below its root; ``submodules`` are the folders of these."""

    def __init__(self, names: list[bytes], submodules: list[bytes] | None = None) -> None:
        self._names = sorted(names)
        self.submodules = submodules or []

    def holds(self, name: bytes) -> bool:
        """Whether the file ``name`` is tracked; or the folder, where it is that of a submodule."""
        at = bisect_left(self._names, name)
        return at < len(self._names) and self._names[at] == name

    def holds_below(self, folder: bytes) -> bool:
        """Whether a file in ``folder``, or deeper, is tracked."""
        at = bisect_left(self._names, folder + b"/")
        return at < len(self._names) and self._names[at].startswith(folder + b"/")


def read(root: str) -> GitIndex:
    """The index of the repository whose work tree is the folder ``root``; an empty one where it has none yet.

    Raises UnreadableIndexError.
    """
    folder = git_folder(root)
    if folder is None:
        raise UnreadableIndexError("the file .git does not say where it is")
    path = os.path.join(folder, "index")
    if not os.path.lexists(path):
        return GitIndex([])
    size = 32 if _SHA256.search(small_file(os.path.join(common_folder(folder), "config"))) else 20
    try:
        submodules: list[bytes] = []
        names, base = _entries(_bytes(path), size, submodules)
        if base is not None:
            names += _entries(_bytes(os.path.join(folder, f"sharedindex.{base.hex()}")), size, submodules)[0]
    except (struct.error, ValueError, IndexError):
        raise UnreadableIndexError("it is cut short, or of a form that is not known") from None
    return GitIndex(names, submodules)


def git_folder(root: str) -> str | None:
    """The folder in which Git keeps what belongs to the work tree ``root``; None where that is not said."""
    path = os.path.join(root, ".git")
    if os.path.isdir(path):
        return path
    said = small_file(path)
    if not said.startswith(b"gitdir: ") or b"\0" in said:
        return None
    return os.path.normpath(os.path.join(root, os.fsdecode(said.removeprefix(b"gitdir: ").rstrip(b"\r\n"))))


def common_folder(folder: str) -> str:
    """The folder of the repository for ``folder``, that of one of its work trees."""
    said = small_file(os.path.join(folder, "commondir")).rstrip(b"\r\n")
    return os.path.normpath(os.path.join(folder, os.fsdecode(said))) if said and b"\0" not in said else folder


def small_file(path: str) -> bytes:
    """What a small file of Git holds; b"" for one that is not there, or cannot be read."""
    try:
        return read_bytes(path, _SMALL)[0]
    except UnreadableError:
        return b""


def _bytes(path: str) -> bytes:
    try:
        return read_bytes(path, _LARGEST)[0]
    except UnreadableError as error:
        raise UnreadableIndexError(error.message) from None


def _entries(data: bytes, size: int, submodules: list[bytes]) -> tuple[list[bytes], bytes | None]:
    """The names in an index whose object ids have ``size`` bytes, and the id of the index that it adds to; those of
    ``submodules`` are added there, too.

    Raises ValueError, IndexError or struct.error for anything else.
    """
    mark, version, count = struct.unpack_from(">4sII", data)
    if mark != b"DIRC" or version not in (2, 3, 4):
        raise ValueError
    names: list[bytes] = []
    name, position = b"", 12
    for _ in range(count):
        flags = position + _BEFORE_ID + size
        is_submodule = data[position + _MODE] & 0xF0 == _SUBMODULE
        start = flags + (4 if data[flags] & 0x40 else 2)
        if version == 4:  # what of the name before is dropped, then what comes instead
            dropped, start = number(data, start)
            end = data.index(0, start)
            name = name[: len(name) - dropped] + data[start:end]
            position = end + 1
        else:
            end = data.index(0, start)
            name = data[start:end]
            position += (end - position + 8) & ~7  # one NUL to eight of them
        if (data[flags] & 0x0F) << 8 | data[flags + 1] != min(len(name), 0xFFF):
            raise ValueError
        names.append(name)
        if is_submodule:
            submodules.append(name)
    return names, _base(data, position, size)


def number(data: bytes, position: int) -> tuple[int, int]:
    """A number of as many bytes as it needs (as in OFS_DELTA of packs), and where it ends."""
    byte = data[position]
    value = byte & 0x7F
    while byte & 0x80:
        position += 1
        byte = data[position]
        value = (value + 1) << 7 | byte & 0x7F
    return value, position + 1


def _base(data: bytes, position: int, size: int) -> bytes | None:
    base = None
    while position < len(data) - size:
        name, length = struct.unpack_from(">4sI", data, position)
        if name[:1].islower() and name not in _KNOWN:
            raise ValueError
        if name == b"link" and any(data[position + 8 : position + 8 + size]):
            base = data[position + 8 : position + 8 + size]
        position += 8 + length
    return base
