"""Where the nodes and comments of a module stand in its text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

import libcst as cst

from hardener.sources.yaml import Comment

Span = tuple[int, int]  # the offset of the first byte, and that behind the last one
_END = re.compile(rb"[\r\n]")
_NEWLINE = re.compile(rb"\r\n|\n|\r")


class Lines:
    """The lines of ``source``, UTF-8 without a byte order mark: they count from 1 and end as in Python."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._starts = [0, *(found.end() for found in _NEWLINE.finditer(source))]

    def line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def place(self, offset: int) -> tuple[int, int]:
        """The line of ``offset``, and how many bytes of it stand before."""
        line = self.line(offset)
        return line, offset - self._starts[line - 1]

    def before(self, offset: int) -> str:
        """What stands on the line before ``offset``."""
        return self.source[self._starts[self.line(offset) - 1] : offset].decode()


class Places(Lines):
    """Where the nodes of a module begin and end, as offsets in ``source``: ``spans``, by the ids of the nodes, which
    live as long as ``kept``. At each of ``comments`` one begins."""

    def __init__(self, source: bytes, spans: Mapping[int, Span], comments: list[int], kept: list[cst.CSTNode]) -> None:
        super().__init__(source)
        self._spans, self._comments, self._kept = spans, comments, kept

    def start(self, node: cst.CSTNode) -> int:
        return self._spans[id(node)][0]

    def end(self, node: cst.CSTNode) -> int:
        return self._spans[id(node)][1]

    def outer_end(self, node: cst.CSTNode) -> int:
        """Where an expression ends with the parentheses around it."""
        closing = getattr(node, "rpar", ())
        return self.end(closing[-1]) if closing else self.end(node)

    def text(self, node: cst.CSTNode) -> str:
        return self.source[self.start(node) : self.end(node)].decode()

    def comments(self) -> list[Comment]:
        """Every comment in order."""
        found = sorted(self._comments)
        ends = (_END.search(self.source, start) for start in found)
        return [
            Comment(
                self.line(start),
                self.source[start : end.start() if end else len(self.source)].decode().rstrip(),
                not self.before(start).strip(),
            )
            for start, end in zip(found, ends, strict=True)
        ]
