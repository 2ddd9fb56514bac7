"""Items that come and go between brackets, and values that become other ones, as splices of the text.

What stands on several lines keeps its layout; what stands on one line stays there while it fits, else its brackets are
laid out one item a line. Every other byte is left as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from hardener.sources.python.model import Bracket, Item
from hardener.sources.python.writing import groups
from hardener.sources.python.writing.bracket_pairs import Pairs
from hardener.sources.python.writing.edits import Changed, Edited, Put, behind
from hardener.sources.python.writing.groups import Page, Text
from hardener.sources.python.writing.inline import Inline
from hardener.sources.splices import Splices
from hardener.sources.yaml import Hunk

WIDTH = 88  # that of most formatters
NARROW = 79  # that of PEP 8, for a file that keeps to it
WIDEST = 120
_MANY = 100  # lines of a file of which one would be longer than NARROW if it might
_CLOSED = re.compile(r"[)\]}],?$")


class Layout:
    """The changes of one text. ``brackets`` are those of its objects, ``lone`` the lines (from 0) with only a
    comment."""

    def __init__(self, source: bytes, newline: str, brackets: Iterable[Bracket], lone: Iterable[int]) -> None:
        self.source = source
        self.splices = Splices(source, newline)
        self.erased: set[int] = set()  # lines (from 0) that go
        self._brackets = brackets
        self._lone_lines = lone
        self._edited: dict[int, Edited] = {}
        self._puts: list[Put] = []
        self._lines: list[tuple[int, str]] = []  # at the end of which line (its offset) others follow

    # Of the whole text, and only looked at where something is written.

    @cached_property
    def page(self) -> Page:
        """How it is laid out."""
        columns = _width(self.source)
        return Page(columns, _step(self.source), columns >= WIDTH)

    @cached_property
    def _lone(self) -> frozenset[int]:
        return frozenset(self._lone_lines)

    @cached_property
    def _known(self) -> list[Bracket]:
        return list({bracket.start: bracket for bracket in self._brackets}.values())

    @cached_property
    def _pairs(self) -> Pairs:
        return Pairs(self.source, self._known)

    @cached_property
    def _inline(self) -> Inline:
        return Inline(self.source, self._pairs)

    # What is asked for.

    def replace(self, start: int, end: int, text: Text) -> None:
        """Put ``text`` in place of what stands from ``start`` to ``end``."""
        if b"\n" in self.source[start:end]:
            line = self.source[self.splices.line_start(start) : start].decode()
            indent = self.splices.indent(start)
            self._splice(start, end, groups.lay_out(text, self.page, indent, groups.width(line), 1))
        else:
            self._puts.append(Put(start, end, text))

    def edit(self, bracket: Bracket, is_tuple: bool = False) -> Edited:
        """The changes of ``bracket``, to be added to."""
        return self._edited.setdefault(bracket.start, Edited(bracket, is_tuple))

    def extend(self, items: list[Item], new: list[tuple[int, str]]) -> None:
        """Put names among ``items``, which no brackets are around, each behind the item with that index (-1: first);
        they get some where the line is full."""
        start, end = items[0].start, items[-1].end
        if b"\n" in self.source[start:end]:
            line = self.source[self.splices.line_start(end) : end].decode()
            indent, text = self.splices.indent(end), ""
            for _, name in new:
                if groups.width(line) + len(name) + 4 > self.page.width:
                    line, text = indent, text + f", \\\n{indent}{name}"
                else:
                    text += f", {name}"
                line += f"{name}, "
            self.splices.replace(end, end, text)
            return
        texts: list[Text] = []
        for index in range(-1, len(items)):
            if index >= 0:
                texts.append([self.source[items[index].start : items[index].end].decode()])
            texts += [[name] for place, name in new if place == index]
        names = groups.group("(", texts, ")")
        names.bare = True
        self._puts.append(Put(start, end, [names]))

    def erase(self, start: int, end: int) -> None:
        """Remove the lines of a statement."""
        self._erase_lines(start, end)

    def insert_line(self, position: int, line: str) -> None:
        """Put a line behind that of ``position``."""
        self._lines.append((self.splices.line_end(position), "\n" + line))

    def insert_text(self, position: int, indent: str, text: Text) -> None:
        """Put a statement with that indentation behind the line of ``position``."""
        self.insert_line(position, indent + groups.lay_out(text, self.page, indent, groups.width(indent), 0))

    def apply(self) -> tuple[str, list[Hunk]]:
        """The new text, and its hunks. Raises ValueError where changes overlap."""
        rows: dict[int, list[Changed]] = {}
        for edited in self._edited.values():
            bracket = edited.bracket
            edited.hanging = self._hangs(edited)
            if b"\n" in self.source[bracket.start : bracket.end] and not edited.hanging:
                self._several_lines(edited)
            else:
                rows.setdefault(self.splices.row(edited.start), []).append(edited)
        for put in self._puts:
            rows.setdefault(self.splices.row(put.start), []).append(put)
        for bracket in self._known:
            around = Edited(bracket)
            if bracket.start not in self._edited and self._hangs(around):
                around.hanging = True
                if row := rows.get(self.splices.row(around.start)):
                    row.append(around)
        for changes in rows.values():
            self._one_line(sorted(changes, key=lambda change: (change.start, change.end)))
        for position, text in self._lines:
            self._splice(position, position, text)
        return self.splices.apply()

    def _splice(self, start: int, end: int, text: str) -> None:
        if start < end or text:
            self.splices.replace(start, end, text)

    # What stands on one line.

    def _one_line(self, changes: list[Changed]) -> None:
        """Write the changes of a line: on that line where they fit or make it shorter, and where they are nothing but
        other values in a line that was too long already."""
        start = self.splices.line_start(changes[0].start)
        end = self.splices.line_end(start)
        indent = self.splices.indent(start)
        parts = self._inline.parts(start, end, changes)
        line, position = "", start
        for first, last, text in parts:
            line += self.source[position:first].decode() + groups.flat(text)
            position = last
        line += self.source[position:end].decode()
        old = self.source[start:end].decode()
        fits = groups.width(line) <= self.page.width or len(line) <= len(old)
        if groups.width(old) > WIDTH:
            fits = fits or not any(map(_adds, changes))
        for first, last, text in parts:
            self._splice(first, last, groups.flat(text) if fits else groups.explode(text, self.page, indent))

    # What stands on several lines.

    def _several_lines(self, edited: Edited) -> None:
        bracket, items = edited.bracket, edited.bracket.items
        if items and not self._leads(items[0]) and not self._share(items[0].start, items[0].end):
            # f(a=[⏎ ...]): in front of its long item there is no line for new ones.
            edited.added.setdefault(len(items) - 1, [])[:0] = edited.added.pop(-1, [])
        order = edited.order()
        if not order and not self._pairs.comment_between(bracket.start, bracket.end):
            self._splice(bracket.start + 1, bracket.end, "")
            return
        for first, index in _runs(edited):
            self._remove(edited, first, index)
        ends = self._ends(edited, order)
        run: list[Text] = []
        before = -1
        for place, element in enumerate(order):
            if isinstance(element, list):
                run.append(element)
                continue
            self._add(edited, before, run, comma=True)
            run, before = [], element
            self._set_comma(items[element], ends or place + 1 < len(order), place + 1 == len(order))
        self._add(edited, before, run, comma=ends)

    def _ends(self, edited: Edited, order: list[int | Text]) -> bool:
        """Whether a comma stands behind the last of the items as they will be."""
        bracket, items = edited.bracket, edited.bracket.items
        if edited.ends or not items:
            return True
        opens_up = len(items) == 1 and len(order) > 1 and self._leads(items[0])
        return opens_up and self.splices.starts_line(bracket.end) and self._commas()

    def _set_comma(self, item: Item, comma: bool, is_last: bool) -> None:
        if item.comma is None and comma:
            self._puts.append(Put(item.end, item.end, [","]))
        elif item.comma is not None and is_last and not comma:
            self._puts.append(Put(item.comma - 1, item.comma, []))

    def _add(self, edited: Edited, index: int, texts: list[Text], *, comma: bool) -> None:
        """Put new items behind the item ``index``; ``comma`` tells whether one stands behind the last of them."""
        if not texts:
            return
        bracket, items = edited.bracket, edited.bracket.items
        place = behind(items[index]) if index >= 0 else bracket.start + 1
        end = self.splices.line_end(place)
        indent = self._indent(bracket, index)
        lines = self._laid_out(texts, indent, comma)
        beside = [*items[1:], *items[max(index, 0) : index + 1]]
        has_own_line = any(map(self._leads, beside))
        own_lines = "".join(f"\n{indent}{line}" for line in lines)
        if _is_blank(self.source[place:end]):
            self._lines.append((end, own_lines))
            return
        if index < 0:
            self._add_first(edited, lines, f"\n{indent}" if has_own_line else " ")
            return
        parts = [part for text in texts for part in (" ", *text, ",")]
        is_last_of_line = index + 1 == len(items) or not self._share(place, items[index + 1].start)
        if is_last_of_line and not comma:
            parts.pop()
        if is_last_of_line and (has_own_line or not self._fits(place, end, parts)):
            parts = [own_lines]
        self._puts.append(Put(place, place, parts))

    def _laid_out(self, texts: list[Text], indent: str, comma: bool) -> list[str]:
        lines = [groups.lay_out(text, self.page, indent, groups.width(indent), 1) + "," for text in texts]
        if not comma:
            lines[-1] = lines[-1].removesuffix(",")
        return lines

    def _fits(self, place: int, end: int, parts: Text) -> bool:
        line = self.source[self.splices.line_start(place) : end].decode() + groups.flat(parts)
        return groups.width(line) <= self.page.width

    def _add_first(self, edited: Edited, lines: list[str], between: str) -> None:
        """Put new items before all others, on the line of the bracket that opens."""
        bracket = edited.bracket
        first = next((item for number, item in enumerate(bracket.items) if number not in edited.removed), None)
        if first is not None:
            self._puts.append(Put(first.start, first.start, [between.join([*lines, ""])]))
        else:
            self._puts.append(Put(bracket.start + 1, bracket.start + 1, [" ".join(lines)]))

    def _remove(self, edited: Edited, first: int, last: int) -> None:
        """Take items that follow each other out of their brackets."""
        items = edited.bracket.items
        end = behind(items[last])
        before = behind(items[first - 1]) if first else edited.bracket.start + 1
        hugs = not _is_blank(self.source[end : self.splices.line_end(end)])
        if hugs and last + 1 == len(items) and not self._pairs.comment_between(before, items[last].start):
            line_end = self.splices.line_end(before)
            if any(edited.added.get(index) for index in range(first - 1, last + 1)) and _is_blank(
                self.source[before:line_end]
            ):
                before = line_end  # where the new lines come
            self._splice(before, end, "")
            return
        for index in range(first, last + 1):
            self._remove_one(items, index, edited.bracket.start + 1)

    def _remove_one(self, items: list[Item], index: int, start: int) -> None:
        """Take an item out of brackets whose first item may stand at ``start``."""
        item = items[index]
        end = behind(item)
        if self._leads(item) and _is_blank(self.source[end : self.splices.line_end(end)]):
            self._erase_lines(item.start, end)
            return
        before = behind(items[index - 1]) if index else start
        after = items[index + 1].start if index + 1 < len(items) else end
        if (not index or self._share(end, after)) and after > end and not self._pairs.comment_between(end, after):
            self._splice(item.start, after, "")
        elif not self._pairs.comment_between(before, item.start):
            self._splice(before, end, "")
        else:
            self._splice(item.start, end, "")

    def _erase_lines(self, start: int, end: int) -> None:
        """Remove the lines from that of ``start`` to that of ``end``, but for those with only a comment."""
        position = self.splices.line_start(start)
        for row in range(self.splices.row(start), self.splices.row(end) + 1):
            following = self.source.find(b"\n", position) + 1 or len(self.source)
            if row not in self._lone:
                self._splice(position, following, "")
                self.erased.add(row)
            position = following

    def _indent(self, bracket: Bracket, index: int) -> str:
        """The indentation of a new line behind the item ``index``: that of the nearest one with a line of its own."""
        items = bracket.items
        for item in (*reversed(items[: index + 1]), *items[index + 1 :]):
            if self._leads(item):
                return self.splices.indent(item.start)
        following = self.splices.line_end(bracket.start) + 1
        if not items and following < bracket.end and self.splices.row(following) in self._lone:
            return self.splices.indent(following)
        return self.splices.indent(bracket.start) + self.page.step

    def _commas(self) -> bool:
        """Whether brackets of this file, one item a line, have a comma behind the last one."""
        found = Counter(
            bracket.items[-1].comma is not None
            for bracket in self._known
            if len(bracket.items) > 1 and all(map(self._leads, bracket.items)) and self.splices.starts_line(bracket.end)
        )
        return found[True] >= found[False]

    def _hangs(self, edited: Edited) -> bool:
        """Whether the items stand on one line between brackets that stand on others."""
        bracket, items = edited.bracket, edited.bracket.items
        if len(items) < 2 or not edited.order() or not self._leads(items[0]):
            return False
        end = behind(items[-1])
        blank = _is_blank(self.source[end : self.splices.line_end(end)])
        return blank and self._share(items[0].start, end) and not self._share(end, bracket.end)

    def _leads(self, item: Item) -> bool:
        return self.splices.starts_line(item.start)

    def _share(self, first: int, second: int) -> bool:
        return self.splices.row(first) == self.splices.row(second)


def _adds(change: Changed) -> bool:
    """Whether it brings items or names, and not only another value."""
    if isinstance(change, Edited):
        return bool(change.added)
    is_new = change.start == change.end
    return any(not isinstance(part, str) and (part.bare or is_new) for part in change.text)


def _runs(edited: Edited) -> list[tuple[int, int]]:
    """The first and the last index of items that go and follow each other."""
    runs: list[tuple[int, int]] = []
    for index in sorted(edited.removed):
        if runs and runs[-1][1] == index - 1:
            runs[-1] = runs[-1][0], index
        else:
            runs.append((index, index))
    return runs


def _is_blank(text: bytes) -> bool:
    text = text.strip()
    return not text or text.startswith(b"#")


def _width(source: bytes) -> int:
    """How long lines may be: as long as one of those that could have been laid out over several."""
    lines = source.decode().splitlines()
    if len(lines) >= _MANY and max(map(len, lines)) <= NARROW:
        return NARROW
    return min(max([WIDTH, *(len(line) for line in lines if _CLOSED.search(line) and "#" not in line)]), WIDEST)


def _step(source: bytes) -> str:
    """What most lines behind an opening bracket, else a colon, are indented by."""
    for opening in (rb"[(\[{]", rb":"):
        found = Counter(
            inner[len(outer) :]
            for outer, inner in re.findall(
                rb"^([ \t]*)[^\s#][^\n]*" + opening + rb"[ \t]*\r?\n([ \t]*)[^\s#]", source, re.M
            )
            if inner.startswith(outer) and len(inner) > len(outer)
        )
        if found:
            step: bytes = found.most_common(1)[0][0]
            return step.decode()
    return "    "
