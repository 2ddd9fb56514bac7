"""Texts of new documents that differ in plain words alone: written and read back once for all of them.

Hundreds of new objects say the same but for their names. Where a plain scalar stands alone to the end of its line, any
other word that needs no quotes stands there as well, and is what is read: nothing else of the text means something
else. So a text in which words of our own were read back, each at its place, proves every text with other words there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .read_back import reads_back
from .render import dump
from .scalars import plain_is_safe
from .text_error import TextError

_SIGNS = str.maketrans(dict.fromkeys("-._", "a"))  # what a word may hold beside letters and digits
_OURS = "harden-word-{}-"
_PLACES = r"(?:(?<=: )|(?<=- ))harden-word-[0-9]+-(?=\n)"
_HERE = object()  # in a shape, where a word stands


class TextTemplates:
    """What was written and read back, by all that documents say but for their words.

    A document is what its shape and its words are, in their order, so nothing here goes stale.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()  # hashes of shapes; few come twice in a small tree
        self._parts: dict[tuple[Any, ...], list[str] | None] = {}

    def text_of(self, data: Any) -> str | None:
        """What `dump` writes of `data`, when it is proved to read back as `data`; None where nothing like it is known.

        It is known from the second time on that documents of the same shape are asked for.
        """
        shape: list[Any] = []
        words: list[str] = []
        if not _add(data, shape, words) or not words:
            return None
        key = tuple(shape)
        if key in self._parts:
            parts = self._parts[key]
        elif (number := hash(key)) in self._seen:
            parts = self._parts[key] = _parts(data, len(words))
        else:
            self._seen.add(number)
            return None
        if parts is None:
            return None
        text = parts.copy()
        text[1::2] = words
        return "".join(text)


def _add(value: Any, shape: list[Any], words: list[str]) -> bool:
    """Add what `value` says to `shape`, its words to `words`. False for data that are not the plainest.

    Each kind says how much follows, so that no two documents have the same shape and the same words.
    """
    kind = type(value)
    if kind is str:
        if _is_word(value):
            words.append(value)
            value = _HERE
        shape.append(value)
    elif kind is dict:
        shape += (dict, len(value))
        for key, item in value.items():
            if type(key) is not str:
                return False
            shape.append(key)
            if not _add(item, shape, words):
                return False
    elif kind is list:
        shape += (list, len(value))
        for item in value:
            if not _add(item, shape, words):
                return False
    elif kind is int or kind is bool or value is None:
        shape += (kind, value)  # 1 is True, and a key of a dictionary would be, too
    else:
        return False
    return True


@lru_cache(maxsize=1 << 13)
def _is_word(text: str) -> bool:
    """Whether it has no blank and no sign that YAML knows, begins with a letter, and needs no quotes."""
    if not text.isascii() or not text[:1].isalpha() or not text.translate(_SIGNS).isalnum():
        return False
    return plain_is_safe(text, False)


def _parts(data: Any, count: int) -> list[str] | None:
    """The text of `data` with a place for each of its `count` words: at odd numbers. None where it is not proved."""
    ours = _with_words(data, iter(range(count)))
    try:
        text = dump(ours)
        if not reads_back(text, [ours]):
            return None
    except TextError:
        return None  # whoever writes it one by one hears of it
    parts: list[str] = []
    end = 0
    for number, found in enumerate(re.finditer(_PLACES, text)):
        if found[0] != _OURS.format(number):
            return None
        parts += (text[end : found.start()], "")
        end = found.end()
    parts.append(text[end:])
    # Each stands there once: what was read is what stands at its place.
    return parts if len(parts) == 2 * count + 1 and not any(["harden-word-" in part for part in parts]) else None


def _with_words(value: Any, numbers: Any) -> Any:
    """A copy of `value` with a word of our own in place of each of its words."""
    if type(value) is dict:
        return {key: _with_words(item, numbers) for key, item in value.items()}
    if type(value) is list:
        return [_with_words(item, numbers) for item in value]
    return _OURS.format(next(numbers)) if type(value) is str and _is_word(value) else value
