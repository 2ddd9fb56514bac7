"""What a ref names in a repository that keeps its refs in tables (``git init --ref-format=reftable``).

Source: Documentation/technical/reftable.adoc of Git: a stack of tables, the last one counts; each has blocks of refs in
the order of their names, of which only what differs from the name before is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from hardener.sources.files import UnreadableError, read_bytes
from hardener.sources.git import index

_STACK = os.path.join("reftable", "tables.list")
_TABLE = re.compile(rb"[0-9A-Za-z-]{1,100}\.ref")
_LARGEST = 256 * 1024 * 1024  # bytes of a table: some five million refs
_HEADERS = {1: 24, 2: 28}  # bytes by version
_OF_BLOCK = 4  # its kind, and its length
_GONE, _ONE, _TWO, _OTHER_REF = range(4)  # what a ref has: nothing any more, an id, this and what a tag names, a name
_FOLLOWED = 5  # refs to refs, as many as Git itself follows


def is_used(folder: str) -> bool:
    """Whether ``folder``, which Git keeps what belongs to a work tree in, has tables."""
    return os.path.exists(os.path.join(folder, _STACK))


def commit(folder: str) -> str | None:
    """The commit that HEAD names in ``folder``; None where it has none yet, or the tables cannot be read."""
    ref = b"HEAD"
    for _ in range(_FOLLOWED):
        # HEAD is that of the work tree; branches are those of the repository.
        found = _newest(folder if ref == b"HEAD" else index.common_folder(folder), ref)
        if not isinstance(found, bytes):
            return found
        ref = found
    return None


def _newest(folder: str, ref: bytes) -> str | bytes | None:
    """The id that ``ref`` has, or in bytes the name of another ref; None for neither."""
    names = index.small_file(os.path.join(folder, _STACK)).split()
    for name in reversed(names):
        if not _TABLE.fullmatch(name):
            return None
        try:
            table = read_bytes(os.path.join(folder, "reftable", name.decode()), _LARGEST)[0]
            found = next((value for each, value in _refs(table) if each == ref), "")
        except (UnreadableError, ValueError, IndexError):
            return None
        if found != "":
            return found
    return None


def _refs(table: bytes) -> Iterator[tuple[bytes, str | bytes | None]]:
    """The refs of a table with their values, as ``_newest`` has them. Raises ValueError or IndexError for another
    file."""
    if table[:4] != b"REFT":
        raise ValueError
    position = _HEADERS[table[4]] if table[4] in _HEADERS else len(table)
    size = 32 if table[4] == 2 and table[24:28] == b"s256" else 20
    aligned = int.from_bytes(table[5:8], "big")
    begin = 0
    while table[position : position + 1] == b"r":
        length = int.from_bytes(table[position + 1 : position + _OF_BLOCK], "big")  # from the begin of the block
        end = begin + length
        restarts = int.from_bytes(table[end - 2 : end], "big")
        yield from _of_block(table, position + _OF_BLOCK, end - 2 - 3 * restarts, size)
        if length <= _OF_BLOCK:
            raise ValueError
        is_padded = aligned > length and table[end : end + 1] == b"\0"
        begin = position = begin + aligned if is_padded else end


def _of_block(table: bytes, position: int, end: int, size: int) -> Iterator[tuple[bytes, str | bytes | None]]:
    name = b""
    while position < end:
        kept, position = index.number(table, position)
        told, position = index.number(table, position)
        length, kind = told >> 3, told & 7
        name = name[:kept] + table[position : position + length]
        _, position = index.number(table, position + length)  # in which update it came
        value: str | bytes | None = None
        if kind in (_ONE, _TWO):
            value = table[position : position + size].hex()
            position += kind * size
            if position > len(table):
                raise ValueError
        elif kind == _OTHER_REF:
            length, position = index.number(table, position)
            value = table[position : position + length]
            position += length
        elif kind != _GONE:
            raise ValueError
        yield name, value
