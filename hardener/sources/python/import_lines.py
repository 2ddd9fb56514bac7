"""What a file names in its imports, by a search of its bytes: hardly a file of a tree is worth a parse for that."""

import re
from typing import NamedTuple

_WORD = re.compile(r"\w+")
_LENGTH = len("import")
_BEFORE, _BEHIND = b" \t\f;:", b" \t\f(\\"  # what may stand beside the word; any other letter makes another one of it
_JOINS = b"\\\r"  # before the end of a line: one that a backslash may join with the next


class Imports(NamedTuple):
    """The lines with the imports of a file: ``origins`` is what stands before the word ``import``, ``names`` what
    stands behind it, and all of a line that imports all names, or has the word in another one. They say more than its
    imports, a docstring may hold the word, too, and never less."""

    origins: bytes
    names: bytes


def imports_of(raw: bytes) -> Imports:
    """The lines of a file that hold the word ``import``, with the others of the same statement."""
    origins, names = [], []
    find, find_back = raw.find, raw.rfind
    end = 0
    while (at := find(b"import", end)) >= 0:
        start = find_back(b"\n", end, at) + 1 or end
        if start > end + 1 and raw[start - 2] in _JOINS:
            start = _first(raw, start, end)
        end = find(b"\n", at)
        if end < 0:
            end = len(raw)
        given = raw[at + _LENGTH : end]
        if b"(" in given or raw[end - 1] in _JOINS:
            end = _last(raw, at)
            given = raw[at + _LENGTH : end]
        if b"*" in given or (given and given[0] not in _BEHIND) or (start < at and raw[at - 1] not in _BEFORE):
            given = raw[start:end]
        elif start < at:
            origins.append(raw[start:at])
        names.append(given)
    return Imports(b"\n".join(origins), b"\n".join(names))


def words(lines: bytes) -> set[str]:
    """Every name in lines of imports."""
    return set(_WORD.findall(lines.decode(errors="replace")))


def _first(raw: bytes, start: int, least: int) -> int:
    """The beginning of the first of the lines that backslashes join with the one at ``start``."""
    while start > least and raw[max(least, start - 3) : start - 1].rstrip(b"\r").endswith(b"\\"):
        start = raw.rfind(b"\n", least, start - 1) + 1 or least
    return start


def _last(raw: bytes, at: int) -> int:
    """Where the line of ``at`` ends, or the last of those that a backslash or parentheses join with it."""
    begin, end, is_open = at, _line_end(raw, at), False
    while True:
        if not is_open and (bracket := raw.find(b"(", begin, end)) >= 0:
            begin, is_open = bracket, True
        if is_open:
            close = raw.find(b")", begin)
            if close < 0:
                return len(raw)
            line = raw.rfind(b"\n", begin, close) + 1 or begin
            is_open = raw.find(b"#", line, close) >= 0  # a comment among the names may hold a bracket, too
            end = _line_end(raw, close)
            begin = end if is_open else close
        elif end < len(raw) and raw[max(begin, end - 2) : end].rstrip(b"\r").endswith(b"\\"):
            begin = end + 1
            end = _line_end(raw, begin)
        else:
            return end


def _line_end(raw: bytes, at: int) -> int:
    end = raw.find(b"\n", at)
    return end if end >= 0 else len(raw)
