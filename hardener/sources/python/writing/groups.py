"""Text with brackets in it that may be laid out: on one line where they fit, else one item a line."""

from __future__ import annotations

from msgspec import Struct, field


class Page(Struct):
    """``width`` is how long a line may be, ``step`` what one level is indented by. ``joins``: items that no comma
    separates (the clauses of a comprehension) may share a line between their brackets; a formatter that allows longer
    lines would take them back."""

    width: int
    step: str
    joins: bool


class Slot(Struct, eq=False):
    """An item: ``before`` and ``after`` are the blanks and the comma around it where all is on one line; ``ends`` is
    what follows it where it has a line for itself."""

    text: Text
    before: str = ""
    after: str = ""
    ends: str = ","


class Group(Struct, eq=False):
    """Items between brackets. ``hanging``: the brackets stand elsewhere, on other lines, and the items on one line.
    ``bare``: the brackets are only written where the items stand on several lines."""

    opening: str
    closing: str
    slots: list[Slot] = field(default_factory=list)
    tail: str = ""  # the blanks before the closing bracket
    hanging: bool = False
    bare: bool = False


Text = list["str | Group"]


def group(opening: str, items: list[Text], closing: str) -> Group:
    """New brackets with ``items``."""
    last = len(items) - 1
    return Group(opening, closing, [Slot(item, " " * bool(i), "," * (i < last)) for i, item in enumerate(items)])


def flat(text: Text) -> str:
    """``text`` on one line."""
    return "".join(part if isinstance(part, str) else _flat(part) for part in text)


def _flat(part: Group) -> str:
    items = "".join(slot.before + flat(slot.text) + slot.after for slot in part.slots)
    return items if part.bare else part.opening + items + part.tail + part.closing


def lay_out(text: Text, page: Page, indent: str, column: int, after: int) -> str:
    """``text`` on one line where it fits between ``column`` and the ``after`` characters that follow it, else with its
    brackets on several lines; ``indent`` is that of the line in which it stands."""
    line = flat(text)
    return line if column + width(line) + after <= page.width else explode(text, page, indent)


def explode(text: Text, page: Page, indent: str) -> str:
    """``text`` with each of its brackets laid out one item a line."""
    return "".join(part if isinstance(part, str) else _explode(part, page, indent) for part in text)


def _explode(part: Group, page: Page, indent: str) -> str:
    if not part.slots:
        return _flat(part)
    inner = indent if part.hanging else indent + page.step
    if any(slot.ends for slot in part.slots):
        lines = [
            inner + lay_out(slot.text, page, inner, width(inner), len(slot.ends)) + slot.ends for slot in part.slots
        ]
    else:
        whole = inner + "".join(slot.before + flat(slot.text) + slot.after for slot in part.slots).strip()
        lines = [inner + explode(slot.text, page, inner) for slot in part.slots]
        if page.joins and width(whole) <= page.width:
            lines = [whole]
    if part.hanging:
        return "\n".join(lines).removeprefix(indent)
    return part.opening + "\n" + "".join(line + "\n" for line in lines) + indent + part.closing


def width(line: str) -> int:
    """How many columns ``line`` takes; of several lines the longest."""
    return max(len(each.expandtabs(4)) for each in line.split("\n"))
