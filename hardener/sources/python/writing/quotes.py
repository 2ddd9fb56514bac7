"""Plain values as literals of Python."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from hardener.sources.yaml import TextError

_START = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|\"|')")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def literal(data: Any, quote: str) -> str:
    """A text, number, boolean or None; a text in ``quote`` unless the other one saves escapes."""
    if isinstance(data, str):
        return _text(data, quote)
    if data is None or isinstance(data, bool | int) or (isinstance(data, float) and math.isfinite(data)):
        return repr(data)
    raise TextError(f"{type(data).__name__} has no literal")


def like(data: Any, old: str, quote: str) -> str:
    """``data`` in place of the literal ``old``, in the quotes of that one; ``quote`` where it has none."""
    found = _START.match(old)
    if not isinstance(data, str) or found is None:
        return literal(data, quote)
    marks = found["quote"]
    if len(marks) == 3 and not found["prefix"] and "\n" in data:
        text = data.replace("\\", "\\\\")
        if marks not in text and not text.endswith(marks[0]) and all(map(_is_plain, text.replace("\n", ""))):
            return marks + text + marks
    return _text(data, marks[0])


def _text(data: str, quote: str) -> str:
    other = "'" if quote == '"' else '"'
    if quote in data and other not in data:
        quote = other
    if data.isprintable() and quote not in data and "\\" not in data:
        return quote + data + quote  # most are
    return quote + "".join("\\" + char if char == quote else _escaped(char) for char in data) + quote


def _escaped(char: str) -> str:
    return _ESCAPES.get(char) or (char if char.isprintable() else repr(char)[1:-1])


def _is_plain(char: str) -> bool:
    return char.isprintable() or char == "\t"


@lru_cache(maxsize=2)  # asked for with each step that is tried on a text
def majority(source: bytes) -> str:
    """The quotes that most texts of a file stand in."""
    source = source.replace(b'"""', b"").replace(b"'''", b"")
    return "'" if source.count(b"'") > source.count(b'"') else '"'
