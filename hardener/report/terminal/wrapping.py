"""Lines for a terminal that is narrower than they are: broken between words, what follows stands further in."""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width

_COLOUR = re.compile(r"\033\[\d*m")
_NARROWEST = 30  # columns; below, a terminal may break lines as it likes
_FURTHER = 4


def wrapped(line: str, width: int) -> str:
    """Return ``line`` in lines of at most ``width`` columns, colours not counted; a word that is longer stays whole."""
    if width < _NARROWEST or length(line) <= width:
        return line
    indent = len(line) - len(line.lstrip(" "))
    found = [" " * indent]
    used = indent
    for blanks, word in re.findall(r"( *)([^ ]+)", line[indent:].rstrip(" ")):
        room = length(word)
        if used + len(blanks) + room > width and used > indent:
            found.append("\n" + " " * (indent + _FURTHER) + word)
            used = indent + _FURTHER + room
        else:
            found.append(blanks + word)
            used += len(blanks) + room
    return "".join(found)


def length(text: str) -> int:
    """Return how many columns ``text`` takes, colours not counted."""
    shown = _COLOUR.sub("", text)
    return len(shown) if shown.isascii() else sum(map(_columns, shown))


def padded(text: str, width: int) -> str:
    """Return ``text`` with blanks behind it up to ``width`` columns."""
    return text + " " * (width - length(text))


def beginning(text: str, room: int) -> str:
    """Return as much of the beginning of ``text``, which has no colours, as ``room`` columns hold."""
    if text.isascii():
        return text[: max(room, 0)]
    used = 0
    for position, sign in enumerate(text):
        used += _columns(sign)
        if used > room:
            return text[:position]
    return text


def end(text: str, room: int) -> str:
    """Return as much of the end of ``text``, which has no colours, as ``room`` columns hold."""
    return beginning(text[::-1], room)[::-1]


def _columns(sign: str) -> int:
    """The columns of one sign, as terminals count them: two for a wide one of East Asia (UAX 11), none for an accent
    that stands on the sign before it."""
    return 0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1


def cut(text: str, room: int) -> str:
    """Return ``text`` in ``room`` columns: up to the last clause of it that fits, else up to the last word, and a
    mark."""
    if length(text) <= room:
        return text
    fits = beginning(text, room - 1)
    clause = max(fits.rfind(sign) for sign in (", ", ": ", "; ", " ("))
    last = clause if clause * 5 > room * 2 else fits.rfind(" ")  # a clause that is no small part of it
    return (fits[:last].rstrip(" ,:;") if last > 0 else fits) + "…"
