"""Collect small replacements of a text, put them together in one pass, and report them as hunks of whole lines."""

from __future__ import annotations

import re
from typing import NamedTuple

from msgspec import Struct

from .source import Source
from .text_error import TextError

_TAIL = re.compile(r"[ \t]*+(?:#[^\r\n]*+)?\r?$", re.M)
_INLINE = 1 << 30  # the depth of a splice that is no whole line


class Hunk(Struct):
    """Lines that went and lines that came, with their line ends; line numbers count from 1 within the segment."""

    before_start: int
    before: list[str]
    after_start: int
    after: list[str]


class _Splice(NamedTuple):
    start: int
    end: int
    text: str
    depth: int


class Splices:
    """Replacements of parts of one source, recorded in any order.

    Whole lines are inserted at the start of a line, so they stand right however much around them is deleted.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._found: list[_Splice] = []
        self.loose: set[int] = set()  # lines that become other ones, whose comment keeps its distance, not its column

    def __bool__(self) -> bool:
        return bool(self._found)

    def replace(self, start: int, end: int, text: str = "") -> None:
        """Put `text` in place of what stands from `start` to `end`."""
        if start < end or text:
            self._found.append(_Splice(start, end, text, _INLINE))

    def touches(self, position: int) -> bool:
        """Tell whether something recorded so far stands at `position` or reaches over it; looks at all of it."""
        return any(s.start < position <= s.end or s.start == position == s.end for s in self._found)

    def insert_lines(self, position: int, lines: list[str], depth: int) -> None:
        """Put whole lines before the line at `position`; where several meet, those of the deeper node come first."""
        if lines:
            newline = self.source.newline_above(position)
            self._found.append(_Splice(position, position, "".join(line + newline for line in lines), depth))

    def erase(self, start: int, end: int, text: str = "") -> None:
        """Remove what stands from `start` to `end`, put `text` there; lines that hold only a comment stay."""
        source = self.source
        first, last = source.line(start), source.line(end)
        comments = source.comment_lines_between(first if source.line_start(first) == start else first + 1, last)
        if not comments:
            self.replace(start, end, text)
            return
        position = start
        if text or source.line_start(first) != start:
            # The rest of the first line goes, its line break stays.
            if not text:
                start -= len(source.before(start)) - len(source.before(start).rstrip(" \t"))
            elif _TAIL.match(source.text, end):
                # What follows the old text follows the new one, in front of the comments that stay.
                text += source.text[end : source.line_end(end)]
                end = source.line_end(end)
            self.replace(start, source.line_end(position), text)
            position = source.after_line(position)
        for line in comments:
            self.replace(position, source.line_start(line))
            position = source.line_start(line + 1)
        head = source.before(end)
        if not head.strip():
            self.replace(position, source.line_start(last))
        elif source.text[end : source.line_end(end)].strip():
            self.replace(position, end)
        else:
            self.replace(position, source.after_line(end))

    def _realign_comments(self) -> None:
        """Keep the column of a comment behind values that changed, as long as two blanks (or the one) remain."""
        source = self.source
        if "#" not in source.text:
            return
        growth: dict[int, int] = {}
        reach: dict[int, int] = {}
        crossed: set[int] = set()
        for splice in self._found:
            if splice.depth == _INLINE:
                first, last = source.line(splice.start), source.line(splice.end)
                if first != last or "\n" in splice.text:
                    # Whole lines that go do not touch the line behind them.
                    whole = splice.end == source.line_start(last) and (not splice.text or splice.text.endswith("\n"))
                    crossed |= {first, last - whole}
                growth[first] = growth.get(first, 0) + len(splice.text) - (splice.end - splice.start)
                reach[first] = max(reach.get(first, 0), splice.end)
        for line, grown in growth.items():
            stop = source.comment_start(line) if grown and line not in crossed | self.loose else None
            if stop is None:
                continue
            start = stop
            while source.text[start - 1 : start] == " ":
                start -= 1
            if reach[line] <= start < stop:
                self.replace(start, stop, " " * max(stop - start - grown, min(2, stop - start)))

    def apply(self, *, borrow: bool = False) -> tuple[str, list[Hunk]]:
        """Give the new text and its hunks; with `borrow` a file without a final line break gets one."""
        source = self.source
        parts: list[str] = []
        touched: list[tuple[int, int, int, int]] = []
        position = length = 0
        self._realign_comments()
        for splice in sorted(self._found, key=_order):
            start, end = splice.start, splice.end
            if start < position:
                if splice.text and end > start:
                    raise TextError("two edits meet in one place", source.line(start) + 1)
                start, end = position, max(position, end)
            kept = source.text[position:start]
            length += len(kept)
            parts += (kept, splice.text)
            touched.append((start, end, length, length + len(splice.text)))
            length += len(splice.text)
            position = end
        parts.append(source.text[position:])
        after = "".join(parts)
        hunks = self._hunks(after, touched)
        if source.borrowed:
            after = self._give_back(after, hunks, keep=borrow)
        return after, hunks

    def _hunks(self, after: str, touched: list[tuple[int, int, int, int]]) -> list[Hunk]:
        """Widen each touched place to whole lines, join those that meet, trim lines that are equal on both sides."""
        source = self.source
        joined: list[list[int]] = []
        for start, end, new_start, new_end in touched:
            lead = source.column(start)
            whole = source.column(end) == 0 and (new_end == 0 or after[new_end - 1] == "\n")
            tail = 0 if whole else source.after_line(end) - end
            span = [start - lead, end + tail, new_start - lead, new_end + tail]
            if joined and span[0] <= joined[-1][1]:
                joined[-1][1], joined[-1][3] = span[1], span[3]
            else:
                joined.append(span)
        hunks: list[Hunk] = []
        shift = 0
        for start, end, new_start, new_end in joined:
            before = _lines(source.text[start:end])
            lines = _lines(after[new_start:new_end])
            line = source.line(start)
            hunk = trimmed(Hunk(line + 1, before, line + 1 + shift, lines))
            if hunk.before or hunk.after:
                hunks.append(hunk)
            shift += len(lines) - len(before)
        return hunks

    def _give_back(self, after: str, hunks: list[Hunk], *, keep: bool) -> str:
        """Take the borrowed final line break away again, from the text and from the last hunk."""
        source, borrowed = self.source, self.source.borrowed
        new = after if keep else after.removesuffix(borrowed)
        total = len(source.starts) - 1
        last = hunks[-1] if hunks else None
        if last is None or last.before_start + len(last.before) <= total:
            if not keep:
                return new
            row = source.text[source.starts[total - 1] :]
            shift = (last.after_start + len(last.after) - last.before_start - len(last.before)) if last else 0
            last = Hunk(total, [row], total + shift, [row])
            hunks.append(last)
        elif (not last.before or (not last.after and not keep)) and min(last.before_start, last.after_start) > 1:
            # The line above is touched too: it loses or gains its line break.
            last.before_start -= 1
            last.after_start -= 1
            row = source.text[source.line_start(last.before_start - 1) : source.line_start(last.before_start)]
            last.before.insert(0, row)
            last.after.insert(0, row)
        if last.before:
            last.before[-1] = last.before[-1].removesuffix(borrowed)
        if last.after and not keep:
            last.after[-1] = last.after[-1].removesuffix(borrowed)
        if not _goes_on(last, borrowed):
            hunks[-1] = trimmed(last)
        return new


def _goes_on(hunk: Hunk, newline: str) -> bool:
    """Whether lines come behind the last one that was there, which gains a line end; that the new last one may have its
    text is no reason to take them for one."""
    at = len(hunk.before) - 1
    return 0 <= at < len(hunk.after) - 1 and hunk.after[at] == hunk.before[at] + newline


def trimmed(hunk: Hunk) -> Hunk:
    """Leave out the lines at both ends that are equal before and after."""
    before, after = hunk.before, hunk.after
    least = min(len(before), len(after))
    if not least:
        return hunk
    head = 0
    while head < least and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < least - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return Hunk(
        hunk.before_start + head,
        before[head : len(before) - tail],
        hunk.after_start + head,
        after[head : len(after) - tail],
    )


def _order(splice: _Splice) -> tuple[int, int, int]:
    """At one offset: whole lines first (of the deeper node before others), then insertions, then replacements."""
    kind = 0 if splice.depth != _INLINE else 1 if splice.start == splice.end else 2
    return splice.start, kind, -splice.depth


def _lines(text: str) -> list[str]:
    rows = text.split("\n")
    found = [row + "\n" for row in rows[:-1]]
    return [*found, rows[-1]] if rows[-1] else found
