"""A long program cut into pieces that its parser reads one by one.

The parser takes nine times the memory, and twice the time, for a long text in one piece.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import field

from hardener.support.fast_dataclass import dataclass

PIECE = 2**12  # bytes that are parsed at once
_NEWLINE = re.compile(rb"\r\n|\n|\r")
_BETWEEN = re.compile(rb"\s*,(?:\s|#[^\r\n]*)*")  # what stands between two elements
# What stands around a piece, so that it is a program, and what stands where a part of it was taken out.
_AROUND = {
    "module": (b"", b""),
    "block": (b"if 1:\n", b""),
    "list": (b"[", b"]\n"),
    "tuple": (b"(", b")\n"),
    "set": (b"{", b"}\n"),
    "dict": (b"{", b"}\n"),
}
_INSTEAD = {"block": b"pass\n", "list": b"_, ", "tuple": b"_, ", "set": b"_, ", "dict": b"_: _, "}
_DISPLAYS = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set", ast.Dict: "dict"}


@dataclass(slots=True)
class TextPiece:
    """The bytes from ``start`` to ``stop`` of a program: statements of the module or of a "block", or elements of a
    display, without those in the ``holes``."""

    kind: str
    start: int
    stop: int
    holes: list[Hole] = field(default_factory=list)

    def program(self, source: bytes) -> str:
        """The piece as a program of its own."""
        before, behind = _AROUND[self.kind]
        parts, at = [before], self.start
        for hole in self.holes:
            parts += [source[at : hole.start], hole.instead]
            at = hole.stop
        return b"".join([*parts, source[at : self.stop], behind]).decode()

    @property
    def offset(self) -> int:
        """Where ``program`` would begin in the source."""
        return self.start - len(_AROUND[self.kind][0])

    def place(self) -> Callable[[int], int]:
        """Tells where a place of ``program``, counted from ``offset``, is in the source."""
        ends, shifts, shift = [], [0], 0
        for hole in self.holes:
            ends.append(hole.start - shift + len(hole.instead))
            shift += hole.stop - hole.start - len(hole.instead)
            shifts.append(shift)
        return lambda place: place + shifts[bisect_right(ends, place)]


@dataclass(slots=True)
class Hole:
    """Items of a block or display, neither its first nor its last one, in ``pieces`` of their own; ``instead`` stands
    there, and its item begins at ``place``."""

    start: int
    stop: int
    place: int
    instead: bytes
    pieces: list[TextPiece]


def pieces(source: bytes, syntax: ast.Module) -> list[TextPiece]:
    """The pieces of ``source``, in order, whose tree is ``syntax``."""
    return _Cutter(source).pieces("module", _statements(syntax.body), 0, len(source))


_Item = tuple[ast.expr | ast.stmt, ast.expr | ast.stmt]  # the first node of it and the last one, which may be the same


def _statements(body: list[ast.stmt]) -> list[_Item]:
    return [((getattr(each, "decorator_list", None) or [each])[0], each) for each in body]


def _runs(node: ast.AST) -> Iterator[tuple[str, list[_Item]]]:
    """What is below ``node``: blocks, the elements of a display, and other nodes alone."""
    kind = _DISPLAYS.get(type(node), "")
    if isinstance(node, ast.Dict):
        yield kind, [(value if key is None else key, value) for key, value in zip(node.keys, node.values, strict=True)]
    elif kind:
        yield kind, [(each, each) for each in node.elts]  # type: ignore[attr-defined]
    else:
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield "block", _statements(value)
            else:
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield "", [(child, child)]  # type: ignore[list-item]


class _Cutter:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self._starts = [0, *(found.end() for found in _NEWLINE.finditer(source))]

    def pieces(self, kind: str, items: list[_Item], start: int, stop: int) -> list[TextPiece]:
        """What stands from ``start`` to ``stop``, which are the ``items``, in pieces of about the wanted length."""
        found: list[TextPiece] = []
        holes: list[Hole] = []
        last: _Item | None = None
        for item in items:
            begin = self._begin(item)
            if last is not None and begin - start >= PIECE and self._may_cut(last, item):
                found.append(TextPiece(kind, start, begin, holes))
                start, holes = begin, []
            holes += sorted(self._holes(item[1]), key=lambda hole: hole.start)  # decorators come behind a body
            last = item
        return [*found, TextPiece(kind, start, stop, holes)]

    def _holes(self, node: ast.AST) -> list[Hole]:
        """What is taken out of ``node``."""
        if isinstance(node, ast.expr | ast.stmt) and self._end(node) - self._start(node) < 2 * PIECE:
            return []
        return [hole for kind, items in _runs(node) for hole in self._taken_out(kind, items)]

    def _taken_out(self, kind: str, items: list[_Item]) -> list[Hole]:
        """The same of what is below a node."""
        cuts = [index for index in range(1, len(items)) if kind and self._may_cut(items[index - 1], items[index])]
        if cuts and (stop := self._begin(items[cuts[-1]])) - (start := self._begin(items[cuts[0]])) >= PIECE:
            indent = self.source[start : self._start(items[cuts[0]][0])] if kind == "block" else b""
            indent = indent[: len(indent) - len(indent.lstrip())]  # without the sign of a decorator
            inner = self.pieces(kind, items[cuts[0] : cuts[-1]], start, stop)
            hole = Hole(start, stop, start + len(indent), indent + _INSTEAD[kind], inner)
            return [*self._taken_out("", items[: cuts[0]]), hole, *self._taken_out("", items[cuts[-1] :])]
        return [hole for _, last in items for hole in self._holes(last)]

    def _may_cut(self, last: _Item, item: _Item) -> bool:
        """Whether what stands before ``item``, which follows ``last``, may be parsed without it."""
        begin, end = self._begin(item), self._end(last[1])
        if not isinstance(item[1], ast.stmt):
            return _BETWEEN.fullmatch(self.source, end, begin) is not None
        first = self.source[begin : self._start(item[0])]
        if item[0] is not item[1]:
            first = first.rstrip().removesuffix(b"@")
        is_first = begin >= end and not first.strip(b" \t")
        return is_first and not self.source[max(0, begin - 3) : begin].rstrip(b"\r\n").endswith(b"\\")

    def _begin(self, item: _Item) -> int:
        """Where an element begins, or the first line of a statement."""
        first, last = item
        return self._starts[first.lineno - 1] if isinstance(last, ast.stmt) else self._start(first)

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
