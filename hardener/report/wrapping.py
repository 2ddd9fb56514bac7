"""Lines for a terminal that is narrower than they are: broken between words, what follows stands further in."""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\033\[\d*m")
_NARROWEST = 30  # columns; below, a terminal may break lines as it likes
_FURTHER = 4


def wrapped(line: str, width: int) -> str:
    """``line`` in lines of at most ``width`` characters, colours not counted; a word that is longer stays whole."""
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
    """How many columns ``text`` takes, colours not counted."""
    return len(_COLOUR.sub("", text))


def cut(text: str, room: int) -> str:
    """``text`` in ``room`` columns: up to the last clause of it that fits, else up to the last word, and a mark."""
    if len(text) <= room:
        return text
    fits = text[: max(room - 1, 0)]
    clause = max(fits.rfind(sign) for sign in (", ", ": ", "; ", " ("))
    end = clause if clause * 5 > room * 2 else fits.rfind(" ")  # a clause that is no small part of it
    return (fits[:end].rstrip(" ,:;") if end > 0 else fits) + "…"
