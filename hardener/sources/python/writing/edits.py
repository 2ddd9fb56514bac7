"""What is to change in a text: places with a new text, and brackets with items that come and go."""

from __future__ import annotations

from msgspec import Struct, field

from hardener.sources.python.model import Bracket, Item
from hardener.sources.python.writing.groups import Text


class Region(Struct, frozen=True):
    """Brackets with what is between them: where they begin and end, and where that does."""

    start: int
    end: int
    inner: int
    inner_end: int


class Put(Struct, eq=False):
    """A text in place of what stands from ``start`` to ``end``."""

    start: int
    end: int
    text: Text

    def within(self, region: Region) -> bool:
        """Whether it lies between the brackets of ``region``."""
        return region.inner <= self.start and self.end <= region.inner_end


class Edited(Struct, eq=False):
    """A bracket with what comes and goes: ``added`` are the new items behind the item of that index, -1 for the first
    place. ``is_tuple``: one item needs its comma. ``hanging``: the items share one line, the brackets stand on
    others."""

    bracket: Bracket
    is_tuple: bool = False
    removed: set[int] = field(default_factory=set)
    added: dict[int, list[Text]] = field(default_factory=dict)
    hanging: bool = False

    def add(self, behind: int, text: Text) -> None:
        """Put a new item behind the item with that index, and those that came there before."""
        self.added.setdefault(behind, []).append(text)

    def order(self) -> list[int | Text]:
        """The items as they will be: the index of one that stays, the text of a new one."""
        found: list[int | Text] = [*self.added.get(-1, ())]
        for index in range(len(self.bracket.items)):
            if index not in self.removed:
                found.append(index)
            found += self.added.get(index, ())
        return found

    @property
    def ends(self) -> bool:
        """Whether a comma stands behind the last item, as before."""
        items = self.bracket.items
        if self.is_tuple and 1 in (len(items), len(self.order())):
            return len(self.order()) == 1
        return bool(items) and items[-1].comma is not None

    @property
    def start(self) -> int:
        return self.bracket.items[0].start if self.hanging else self.bracket.start

    @property
    def end(self) -> int:
        return behind(self.bracket.items[-1]) if self.hanging else self.bracket.end + 1

    @property
    def region(self) -> Region:
        edge = not self.hanging
        return Region(self.start, self.end, self.start + edge, self.end - edge)

    def within(self, region: Region) -> bool:
        """Whether its brackets are those of ``region``, or lie between them."""
        return region.start <= self.start and self.end <= region.end


Changed = Put | Edited


def behind(item: Item) -> int:
    """The offset behind an item and its comma."""
    return item.end if item.comma is None else item.comma
