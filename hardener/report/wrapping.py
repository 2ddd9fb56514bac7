"""Lines for a terminal that is narrower than they are: broken between words, what follows stands further in."""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\033\[\d*m")
_NARROWEST = 30  # columns; below, a terminal may break lines as it likes
_FURTHER = 4


def wrapped(line: str, width: int) -> str:
    """``line`` in lines of at most ``width`` characters, colours not counted; a word that is longer stays whole."""
    if width < _NARROWEST or len(line) <= width or _length(line) <= width:
        return line
    indent = len(line) - len(line.lstrip(" "))
    found = [" " * indent]
    used = indent
    for blanks, word in re.findall(r"( *)([^ ]+)", line[indent:].rstrip(" ")):
        length = _length(word)
        if used + len(blanks) + length > width and used > indent:
            found.append("\n" + " " * (indent + _FURTHER) + word)
            used = indent + _FURTHER + length
        else:
            found.append(blanks + word)
            used += len(blanks) + length
    return "".join(found)


def _length(text: str) -> int:
    return len(_COLOUR.sub("", text))
