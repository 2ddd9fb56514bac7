"""The brackets of a text, those that no model knows too: what stands around a change has to be laid out with it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property

from hardener.sources.python.model import Bracket

_TOKEN = re.compile(
    rb'"""(?:[^\\]|\\.)*?"""'
    rb"|'''(?:[^\\]|\\.)*?'''"
    rb'|"(?:[^"\\\r\n]|\\.)*"'
    rb"|'(?:[^'\\\r\n]|\\.)*'"
    rb"|#[^\r\n]*|[()\[\]{}]",
    re.S,
)
_INNER = re.compile(_TOKEN.pattern + rb"|,|\b(?:for|async|if|lambda)\b", re.S)
_CLOSING = {b"(": b")", b"[": b"]", b"{": b"}"}


class Pairs:
    """Where the brackets of ``source`` open and close. ``known`` are brackets that a parser found: where they are not
    found in the same way, only they count."""

    def __init__(self, source: bytes, known: Iterable[Bracket]) -> None:
        self.source = source
        self._known = {bracket.start: bracket.end for bracket in known}

    @cached_property
    def closing(self) -> dict[int, int]:
        """The offset of the closing bracket by that of the opening one, in the order of the text."""
        found: dict[int, int] = {}
        open_: list[int] = []
        for token in _TOKEN.finditer(self.source):
            text = token[0]
            if text in _CLOSING:
                open_.append(token.start())
            elif len(text) == 1 and open_ and text == _CLOSING[self.source[open_[-1] : open_[-1] + 1]]:
                found[open_.pop()] = token.start()
            elif len(text) == 1:
                return dict(sorted(self._known.items()))
        if open_ or any(found.get(start) != end for start, end in self._known.items()):
            return dict(sorted(self._known.items()))
        return dict(sorted(found.items()))

    def between(self, start: int, end: int) -> list[tuple[int, int]]:
        """The brackets that stand from ``start`` to before ``end``: where they open and close."""
        openings = self._openings
        inside = openings[bisect_left(openings, start) : bisect_left(openings, end)]
        return [(each, self.closing[each]) for each in inside if self.closing[each] < end]

    @cached_property
    def _openings(self) -> list[int]:
        return list(self.closing)

    def comment_between(self, start: int, end: int) -> bool:
        """Whether a comment stands between two offsets, of which none is within a text."""
        return any(token[0].startswith(b"#") for token in _TOKEN.finditer(self.source, start, end))

    def items(self, start: int, end: int) -> list[tuple[int, int, bytes]]:
        """What stands between the brackets at ``start`` and ``end``: where each item begins and ends, and the comma
        behind it, if any. Of a comprehension each clause is an item. What is not understood is one item."""
        source, cuts = self.source, self._cuts(start, end)
        if cuts is None:
            return self._one(start, end)
        parts: list[tuple[int, int, bytes]] = []
        position = start + 1
        for cut, behind, comma in [*cuts, (end, end, b"")]:
            part = source[position:cut]
            if part.strip():
                first = position + len(part) - len(part.lstrip())
                parts.append((first, first + len(part.strip()), comma))
            elif cut != end:
                return self._one(start, end)
            position = behind
        return parts

    def _cuts(self, start: int, end: int) -> list[tuple[int, int, bytes]] | None:
        """Where the text between two items begins and ends, and the comma in it; None for what is not understood."""
        cuts: list[tuple[int, int, bytes]] = []
        clauses = False
        for token in self._outer_tokens(start, end):
            text, place = token[0], token.start()
            if text == b"lambda":
                return None
            if text == b",":
                cuts.append((place, token.end(), text))
            elif text in (b"for", b"async"):
                if cuts and not clauses:
                    return None
                clauses = True
                if not self.source.endswith(b"async ", 0, place):
                    cuts.append((place, place, b""))
            elif text == b"if" and clauses:
                cuts.append((place, place, b""))
        return [cut for cut in cuts if not cut[2]] if clauses else cuts

    def _outer_tokens(self, start: int, end: int) -> Iterator[re.Match[bytes]]:
        """What stands between two brackets and in no others."""
        depth = 0
        for token in _INNER.finditer(self.source, start + 1, end):
            if token[0] in _CLOSING:
                depth += 1
            elif token[0] in _CLOSING.values():
                depth -= 1
            elif not depth:
                yield token

    def _one(self, start: int, end: int) -> list[tuple[int, int, bytes]]:
        part = self.source[start + 1 : end]
        first = start + 1 + len(part) - len(part.lstrip())
        return [(first, first + len(part.strip()), b"")]
