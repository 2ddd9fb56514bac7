"""Mappings and lists that may hold more than is written: a program adds the rest when it runs."""

from __future__ import annotations

from typing import Any


class OpenDict(dict[str, Any]):
    """A mapping to which keys may be added elsewhere; ``why`` names the expression and its line: "**base (line 3)"."""

    __slots__ = ("why",)
    why: str


class OpenList(list[Any]):
    """A list to which items may be added elsewhere, or whose items are made in a loop; ``why`` as in ``OpenDict``."""

    __slots__ = ("why",)
    why: str


def opened(value: dict[str, Any] | list[Any], why: str) -> OpenDict | OpenList:
    """``value`` as an open one."""
    found = OpenDict(value) if isinstance(value, dict) else OpenList(value)
    found.why = why
    return found
