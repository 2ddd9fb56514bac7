"""Settings of a container that a row of the image table names: `NAME=VALUE` for a variable, in the value of which `*`
stands for any text and `?` for one character (`NAME=?*` is set and not empty), or the beginning of an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

CONDITION = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*=[^\s=]*|-{1,2}[a-z][a-z0-9.-]*")
_ANY = {"*", "?*"}


def met(conditions: Iterable[str], variables: Mapping[str, str | None], words: Iterable[str]) -> str | None:
    """The first of ``conditions`` that holds; None without one. A variable whose value is not known is set to
    something."""
    words = tuple(words)
    for condition in conditions:
        name, is_variable, value = condition.partition("=")
        if not is_variable:
            if any(word == condition or word.startswith(f"{condition}=") for word in words):
                return condition
        elif name in variables:
            given = variables[name]
            if value in _ANY if given is None else fnmatchcase(given, value):
                return condition
    return None


def in_words(conditions: Iterable[str]) -> str:
    """``conditions`` for people, the first of them that holds deciding."""
    return " or ".join(map(_in_words, conditions))


def _in_words(condition: str) -> str:
    name, is_variable, value = condition.partition("=")
    if not is_variable:
        return f"{name} is given"
    return f"{name} is set" if value in _ANY else f"{name} is {value}"
