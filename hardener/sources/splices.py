"""Small replacements of a text, put together in one pass, and reported as hunks of whole lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from msgspec import Struct

from hardener.sources.yaml import Hunk
from hardener.sources.yaml.splices import trimmed


@lru_cache(maxsize=2)
def _line_starts(source: bytes) -> list[int]:
    """Where the lines of ``source`` begin: asked for again with each step that is tried on a text."""
    return [0, *(found.end() for found in re.finditer(b"\n", source))]


class _Splice(Struct):
    start: int
    end: int
    text: bytes


class Splices:
    """Replacements of parts of ``source``, recorded in any order; those that meet stand in the order recorded."""

    def __init__(self, source: bytes, newline: str) -> None:
        self.source = source
        self._newline = newline
        self._found: list[_Splice] = []
        self._starts = _line_starts(source)

    def replace(self, start: int, end: int, text: str) -> None:
        """Put ``text`` in place of what stands from ``start`` to ``end``."""
        self._found.append(_Splice(start, end, text.replace("\n", self._newline).encode()))

    def insert_lines(self, after: int, lines: list[str]) -> None:
        """Put whole lines behind the line of ``after``."""
        row = self.row(after)
        text = "".join(line + "\n" for line in lines)
        if row + 1 < len(self._starts):
            self.replace(self._starts[row + 1], self._starts[row + 1], text)
        else:  # the last line has no end
            self.replace(len(self.source), len(self.source), "\n" + text.removesuffix("\n"))

    def insert_lines_before(self, position: int, lines: list[str]) -> None:
        """Put whole lines before the line of ``position``."""
        start = self._starts[self.row(position)]
        self.replace(start, start, "".join(line + "\n" for line in lines))

    def erase_lines(self, start: int, end: int) -> None:
        """Remove the lines from that of ``start`` to that of ``end``."""
        last = self.row(end) + 1
        stop = self._starts[last] if last < len(self._starts) else len(self.source)
        self.replace(self._starts[self.row(start)], stop, "")

    def line_start(self, position: int) -> int:
        """Where the line of ``position`` begins."""
        return self._starts[self.row(position)]

    def line_end(self, position: int) -> int:
        """Where the line of ``position`` ends, before what ends it."""
        return self.line_start(position) + len(self.line_of(position))

    def line_of(self, position: int) -> bytes:
        """The line in which ``position`` stands, without its end."""
        row = self.row(position)
        end = self._starts[row + 1] if row + 1 < len(self._starts) else len(self.source)
        return self.source[self._starts[row] : end].rstrip(b"\r\n")

    def indent(self, position: int) -> str:
        """The blanks with which the line of ``position`` begins."""
        line = self.line_of(position)
        return line[: len(line) - len(line.lstrip())].decode()

    def starts_line(self, position: int) -> bool:
        """Whether only blanks stand before ``position`` on its line."""
        return not self.source[self._starts[self.row(position)] : position].strip()

    def row(self, position: int) -> int:
        """The number of the line of ``position``, counted from 0."""
        return bisect_right(self._starts, position) - 1

    def apply(self) -> tuple[str, list[Hunk]]:
        """The new text, and its hunks. Raises ValueError when two replacements overlap."""
        found = sorted(self._found, key=lambda splice: (splice.start, splice.end))
        parts: list[bytes] = []
        position = 0
        hunks: list[Hunk] = []
        shift = 0
        for first, last, group in self._groups(found):
            start, stop = self._starts[first], self._start(last)
            inside: list[bytes] = []
            at = start
            for splice in group:
                if splice.start < at:
                    raise ValueError("replacements overlap")
                inside += (self.source[at : splice.start], splice.text)
                at = splice.end
            inside.append(self.source[at:stop])
            old, new = self.source[start:stop], b"".join(inside)
            parts += (self.source[position:start], new)
            position = stop
            before, after = _lines(old), _lines(new)
            head, tail = _alike(before, after)
            kept, came = before[head : len(before) - tail], after[head : len(after) - tail]
            hunks.append(Hunk(first + head + 1, kept, first + head + 1 + shift, came))
            shift += len(after) - len(before)
        text = b"".join([*parts, self.source[position:]]).decode()
        return text, [trimmed(hunk) for hunk in hunks if hunk.before != hunk.after]

    def _groups(self, found: list[_Splice]) -> list[tuple[int, int, list[_Splice]]]:
        """Splices that share lines, with the first line, and the one behind the last, counted from 0."""
        groups: list[tuple[int, int, list[_Splice]]] = []
        for splice in found:
            first = self.row(splice.start)
            whole = splice.start == self._starts[first] and (not splice.text or splice.text.endswith(b"\n"))
            last = self.row(splice.end)
            behind = last if whole and splice.end == self._start(last) else last + 1
            if groups and (first < groups[-1][1] or (first == groups[-1][0] and behind == first)):
                start, stop, group = groups[-1]
                group.append(splice)
                groups[-1] = start, max(stop, behind), group
            else:
                groups.append((first, behind, [splice]))
        return groups

    def _start(self, row: int) -> int:
        return self._starts[row] if row < len(self._starts) else len(self.source)


def _alike(before: list[str], after: list[str]) -> tuple[int, int]:
    """How many lines at the start and at the end are the same."""
    most = min(len(before), len(after))
    head = next((number for number in range(most) if before[number] != after[number]), most)
    most -= head
    tail = next((number for number in range(most) if before[-1 - number] != after[-1 - number]), most)
    return head, tail


def _lines(text: bytes) -> list[str]:
    lines = text.decode().split("\n")
    return [line + "\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])
