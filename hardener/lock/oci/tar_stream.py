"""The members of a tar, read once from front to back; nothing is ever extracted.

Formats: ustar, PAX (POSIX.1-2001, its xattrs as star writes them), GNU long names and sparse files. As Go's
archive/tar, which container runtimes read layers with, it leaves global PAX headers alone and ends at two empty blocks.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator

from msgspec import Struct

from hardener.lock.oci.registry_error import RegistryError

_BLOCK = 512
_LONGEST_HEADER = 1 << 20  # bytes of a PAX header or long name; Go's limit
_MOST_RECORDS = 1000  # of a PAX header
_MOST_HEADERS = 16  # PAX headers and long names before one member
_CAPABILITY = "SCHILY.xattr.security.capability"
_NOT_TAR = "a layer is no tar that can be read"
_KINDS = {
    **dict.fromkeys((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE), "file"),
    tarfile.LNKTYPE: "link", tarfile.SYMTYPE: "symlink", tarfile.DIRTYPE: "folder",
}  # fmt: skip
# A size in their headers is no word on bytes that follow.
_WITHOUT_BODY = frozenset({
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
})  # fmt: skip


class Member(Struct, frozen=True):
    """A member: ``kind`` is file, folder, link (a hard one), symlink or other; ``target`` is what a link names.

    ``capability``: the xattr security.capability. ``start``: the first bytes of a file, as many as were asked for.
    """

    name: str
    kind: str
    mode: int
    uid: int
    gid: int
    target: str = ""
    capability: bytes | None = None
    start: bytes = b""


class _Source:
    """Pieces of bytes as a file that only goes forward."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    def read(self, count: int) -> bytes:
        """``count`` bytes, fewer at the end."""
        found = bytearray()
        while len(found) < count and self._fill():
            part = self._held[: count - len(found)]
            found += part
            self._held = self._held[len(part) :]
        return bytes(found)

    def skip(self, count: int) -> None:
        """Raises RegistryError where fewer bytes follow."""
        while count and self._fill():
            taken = min(count, len(self._held))
            self._held = self._held[taken:]
            count -= taken
        if count:
            raise RegistryError("a layer ends early")

    def exactly(self, count: int) -> bytes:
        found = self.read(count)
        if len(found) < count:
            raise RegistryError("a layer ends early")
        return found

    def _fill(self) -> bool:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._held = memoryview(piece)
        return True


def members(pieces: Iterator[bytes], wanted: Callable[[str, int], int]) -> Iterator[Member]:
    """The members of the tar in ``pieces``; ``wanted`` tells for the name and size of a file how many bytes of its
    start to keep. Raises RegistryError for what is no tar, or ends early."""
    source = _Source(pieces)
    pax: dict[str, bytes] = {}
    long: dict[bytes, str] = {}
    headers = 0
    while True:
        block = source.read(_BLOCK)
        if not block or block == bytes(_BLOCK):
            if pax or long or source.read(_BLOCK).strip(b"\0"):
                raise RegistryError(_NOT_TAR)
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.HeaderError, ValueError):
            raise RegistryError(_NOT_TAR) from None
        kind = header.type
        headers += 1
        if headers > _MOST_HEADERS:
            raise RegistryError(_NOT_TAR)
        if kind in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE):
            body = _body(source, header.size)
            pax = _records(body) if kind != tarfile.XGLTYPE else pax
            continue
        if kind in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
            long[kind] = _text(_body(source, header.size).partition(b"\0")[0])
            continue
        yield _member(source, block, header, pax, long, wanted)
        pax, long, headers = {}, {}, 0


def _member(
    source: _Source, block: bytes, header: tarfile.TarInfo, pax: dict[str, bytes], long: dict[bytes, str],
    wanted: Callable[[str, int], int],
) -> Member:  # fmt: skip
    name = _text(pax.get("GNU.sparse.name") or pax.get("path") or b"")
    name = name or long.get(tarfile.GNUTYPE_LONGNAME, header.name)
    target = _text(pax.get("linkpath", b"")) or long.get(tarfile.GNUTYPE_LONGLINK, header.linkname)
    uid, gid, size = (
        _number(pax[key]) if key in pax else value
        for key, value in (("uid", header.uid), ("gid", header.gid), ("size", header.size))
    )
    kind = _kind(header, name)
    if min(size, uid, gid) < 0 or "\0" in name:
        raise RegistryError(_NOT_TAR)
    if header.type == tarfile.GNUTYPE_SPARSE:
        _skip_map(source, block)
    if kind == "folder" or header.type in _WITHOUT_BODY:
        size = 0
    count = min(size, wanted(name, size)) if kind == "file" and size else 0
    start = source.exactly(count)
    source.skip(size - count + -size % _BLOCK)
    return Member(name, kind, header.mode & 0o7777, uid, gid, target, pax.get(_CAPABILITY) or None, start)


def _skip_map(source: _Source, block: bytes) -> None:
    """Pass over the blocks that say where the holes of a sparse file are."""
    more = block[482]
    while more:
        more = source.exactly(_BLOCK)[504]


def _kind(header: tarfile.TarInfo, name: str) -> str:
    # Old tars tell a folder by its name alone, which frombuf has seen in the header and not in what precedes it.
    if header.type == tarfile.AREGTYPE and name.endswith("/"):
        return "folder"
    return _KINDS.get(header.type, "other")


def _body(source: _Source, size: int) -> bytes:
    if not 0 <= size <= _LONGEST_HEADER:
        raise RegistryError(_NOT_TAR)
    body = source.exactly(size)
    source.skip(-size % _BLOCK)
    return body


def _records(body: bytes) -> dict[str, bytes]:
    """The records of a PAX header, each ``LENGTH KEY=VALUE`` and a line end."""
    found: dict[str, bytes] = {}
    start, end, records = 0, len(body.rstrip(b"\0")), 0
    while start < end:
        records += 1
        space = body.find(b" ", start, start + 20)
        stop = start + _number(body[start:space]) if space >= 0 else 0
        key, equals, value = body[space + 1 : stop].partition(b"=")
        if not equals or stop > len(body) or not value.endswith(b"\n") or records > _MOST_RECORDS:
            raise RegistryError(_NOT_TAR)
        found[_text(key)] = value[:-1]
        start = stop
    return found


def _number(digits: bytes) -> int:
    whole = digits.partition(b".")[0]
    if not whole.isdigit() or len(whole) > 19:
        raise RegistryError(_NOT_TAR)
    return int(whole)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
