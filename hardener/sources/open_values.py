"""What a program knows only when it runs: texts that stand for expressions, mappings and lists that may get more."""

from __future__ import annotations

from typing import Any


class Expression(str):
    """A text that stands for an expression of a program, or holds some: "${cfg.image}", "ghcr.io/acme/web:${tag}".

    A shell or the kubelet fills in what a manifest writes so; this a program fills in, and it may be anything.
    """

    __slots__ = ()


class OpenDict(dict[str, Any]):
    """A mapping to which keys may be added elsewhere; ``why`` names the expression and its line: "**base (line 3)"."""

    __slots__ = ("why",)
    why: str


class Replaceable(OpenDict):
    """A mapping that stands where the program gives no other one in its place: ``security_context or
    V1SecurityContext(...)``. What is written in it is known, and may be written; ``why`` names what may replace it."""

    __slots__ = ()


class OpenList(list[Any]):
    """A list to which items may be added elsewhere, or whose items are made in a loop; ``why`` as in ``OpenDict``.

    ``alike``: only a loop makes more of them, and each is what is written for all.
    """

    __slots__ = ("alike", "why")
    alike: bool
    why: str


def opened(value: dict[str, Any] | list[Any], why: str, *, alike: bool = False) -> OpenDict | OpenList:
    """``value`` as an open one; ``alike`` as in ``OpenList``."""
    found = OpenDict(value) if isinstance(value, dict) else OpenList(value)
    found.why = why
    if isinstance(found, OpenList):
        found.alike = alike
    return found


def replaceable(value: dict[str, Any], why: str) -> Replaceable:
    """``value`` as a mapping that ``why`` may replace."""
    found = Replaceable(value)
    found.why = why
    return found


def like(value: dict[str, Any] | list[Any], copy: dict[str, Any] | list[Any]) -> dict[str, Any] | list[Any]:
    """``copy`` as open as ``value``."""
    if isinstance(value, Replaceable) and isinstance(copy, dict):
        return replaceable(copy, value.why)
    if isinstance(value, OpenDict):
        return opened(copy, value.why)
    return opened(copy, value.why, alike=value.alike) if isinstance(value, OpenList) else copy
