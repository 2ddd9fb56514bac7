"""Lines and columns as an editor counts them, from those of a file as harden counts them.

Source: Language Server Protocol 3.17, "Position" and "Text Documents": ``\\n``, ``\\r\\n`` and ``\\r`` end a line, and
a column counts units of the encoding that both sides agreed on, UTF-16 where they said nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from hardener.sources.files import line_starts

_LINE_END = re.compile(r"\r\n|\n|\r")
_INDENT = re.compile(r"[ \t]*(?:- +)*")
_BOM = "\ufeff"

Place = tuple[int, int]  # line and column, both from 0
Span = tuple[Place, Place]


def units(text: str, encoding: str) -> int:
    """How many units of ``encoding`` ("utf-8", "utf-16" or "utf-32") ``text`` has."""
    if text.isascii() or encoding == "utf-32":
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(1 for character in text if character > "\uffff")


class Lines:
    """The lines of ``text``, as the editor holds it. harden reads it without its byte order mark, and takes only a line
    feed for the end of a line."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text, self.encoding = text, encoding
        self._lead = len(_BOM) if text.startswith(_BOM) else 0
        self._read = text[self._lead :]
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
        self._read_starts = line_starts(self._read)

    def place(self, offset: int) -> Place:
        """Where the character ``offset`` of the text as harden reads it stands."""
        at = min(max(offset, 0), len(self._read)) + self._lead
        line = bisect_right(self._starts, at) - 1
        return line, units(self.text[self._starts[line] : at], self.encoding)

    def line_span(self, number: int) -> Span:
        """What stands on line ``number``, counted from 1 as harden counts; the last line for one behind the end."""
        starts = self._read_starts
        index = min(max(number, 1), max(len(starts) - 1, 1)) - 1
        start = starts[index]
        end = starts[index + 1] if index + 1 < len(starts) else len(self._read)
        line = self._read[start:end].rstrip("\r\n")
        indent = _INDENT.match(line)
        assert indent is not None  # it fits nothing, too
        first = start + (indent.end() if indent.end() < len(line) else 0)
        return self.place(first), self.place(start + len(line))

    def lines_span(self, first: int, count: int) -> Span:
        """The ``count`` whole lines from line ``first`` on, counted as ``line_span`` does."""
        return self.place(self._start(first)), self.place(self._start(first + count))

    def holds(self, number: int, line: int) -> bool:
        """Whether line ``number``, counted as harden counts, reaches the editor's ``line``."""
        start, end = self.line_span(number)
        return start[0] <= line <= end[0]

    def _start(self, number: int) -> int:
        return self._read_starts[number - 1] if number <= len(self._read_starts) else len(self._read)


def as_read(text: str) -> str:
    """``text`` of an editor as harden reads a file of it: without a byte order mark."""
    return text.removeprefix(_BOM)
