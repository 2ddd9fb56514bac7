"""Where the nodes and comments of a module stand in its text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

from hardener.sources.python.parser import syntax
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
    """What stands around the nodes of a module in its text ``source``: at each of ``comments`` one begins, and
    ``outer`` are the places of expressions with the parentheses around them, where there are some."""

    def __init__(self, source: bytes, comments: list[int], outer: Mapping[syntax.Node, Span]) -> None:
        super().__init__(source)
        self._comments, self._outer = comments, outer

    def outer_end(self, node: syntax.Node) -> int:
        """Where an expression ends with the parentheses around it."""
        return self._outer[node][1] if node in self._outer else node.end

    def text(self, node: syntax.Node) -> str:
        return self.source[node.start : node.end].decode()

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
