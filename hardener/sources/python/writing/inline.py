"""What changes within one line, as text that stays on it or is laid out over several."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter

from hardener.sources.python.model import Item
from hardener.sources.python.writing.bracket_pairs import Pairs
from hardener.sources.python.writing.edits import Changed, Edited, Region, behind
from hardener.sources.python.writing.groups import Group, Slot, Text

Part = tuple[int, int, Text]
_start = attrgetter("start")


class Inline:
    """``pairs`` are the brackets of ``source``."""

    def __init__(self, source: bytes, pairs: Pairs) -> None:
        self.source = source
        self.pairs = pairs

    def parts(self, start: int, end: int, changes: list[Changed]) -> list[Part]:
        """Which extents between two offsets of a line get which text: those of the outermost brackets around
        something that changes. ``changes`` come in the order of their starts."""
        first_in, behind_last = (bisect_left(changes, place, key=_start) for place in (start, end + 1))
        waiting = [each for each in changes[first_in:behind_last] if each.end <= end]
        found: list[Part] = []
        while waiting:
            first, last, part = self._outermost(start, end, waiting)
            taken = set(map(id, part))
            waiting = [each for each in waiting if id(each) not in taken]
            own = next((each for each in part if (each.start, each.end) == (first, last)), None)
            if isinstance(own, Edited):
                found.append((first, last, [self._edited(own, part)]))
            elif own is not None and len(part) == 1:
                found.append((first, last, own.text))
            else:
                found.append((first, last, [self._around(first, last, part)]))
        return found

    def _outermost(self, start: int, end: int, waiting: list[Changed]) -> tuple[int, int, list[Changed]]:
        """The first thing that changes with the outermost brackets around it, and all that changes there."""
        change = waiting[0]
        for region in sorted(self._regions(start, end, waiting), key=lambda region: (region.start, -region.end)):
            if change.within(region):
                return region.start, region.end, [each for each in waiting if each.within(region)]
        return change.start, change.end, [change]

    def _regions(self, start: int, end: int, waiting: list[Changed]) -> Iterator[Region]:
        for opening, closing in self.pairs.between(start, end):
            yield Region(opening, closing + 1, opening + 1, closing)
        for each in waiting:
            if isinstance(each, Edited):
                yield each.region

    def _text(self, start: int, end: int, changes: list[Changed]) -> Text:
        """What stands between two offsets, with its changes."""
        text: Text = []
        for first, last, part in self.parts(start, end, changes):
            text += [self.source[start:first].decode(), *part]
            start = last
        return [*text, self.source[start:end].decode()]

    def _around(self, start: int, end: int, changes: list[Changed]) -> Group:
        """Brackets that stay as they are, around something that changes."""
        items = self.pairs.items(start, end - 1)
        found = Group(chr(self.source[start]), chr(self.source[end - 1]))
        position = start + 1
        several = any(comma for _, _, comma in items)
        for number, (first, last, comma) in enumerate(items):
            next_ = self.source.index(b",", last) + 1 if comma else last
            # One item alone may be in parentheses, of which a comma would make a tuple.
            ends = "," if several and (comma or number + 1 == len(items)) else ""
            before, after = self.source[position:first].decode(), self.source[last:next_].decode()
            found.slots.append(Slot(self._text(first, last, changes), before, after, ends))
            position = next_
        found.tail = self.source[position : end - 1].decode()
        return found

    def _edited(self, edited: Edited, changes: list[Changed]) -> Group:
        """Brackets with items that come and go."""
        source, items = self.source, edited.bracket.items
        inner = [each for each in changes if each is not edited]
        found = Group("", "", hanging=True)
        lead, gap = "", " "
        if not edited.hanging:
            found = Group(chr(source[edited.start]), chr(source[edited.end - 1]))
            if items:
                lead = source[edited.bracket.start + 1 : items[0].start].decode()
                found.tail = source[behind(items[-1]) : edited.bracket.end].decode()
        if len(items) > 1:
            gap = source[behind(items[0]) : items[1].start].decode()
        order, ends = edited.order(), edited.ends
        for place, element in enumerate(order):
            slot = Slot([], gap if place else lead, "," if ends or place + 1 < len(order) else "")
            if isinstance(element, int):
                before = order[place - 1] if place else None
                self._kept(slot, items, element, is_behind=before == element - 1)
                slot.text = self._text(items[element].start, items[element].end, inner)
            else:
                slot.text = element
            found.slots.append(slot)
        if not order:
            found.tail = ""
        return found

    def _kept(self, slot: Slot, items: list[Item], index: int, *, is_behind: bool) -> None:
        """Give the slot of an item that stays what stands around that; ``is_behind``: still behind the one before."""
        item = items[index]
        if is_behind:
            slot.before = self.source[behind(items[index - 1]) : item.start].decode()
        if slot.after and item.comma is not None:
            slot.after = self.source[item.end : item.comma].decode()
