"""Who hears that a run waits for another one: nobody, until the program says how it tells its user."""

from __future__ import annotations

from collections.abc import Callable

_tells: list[Callable[[str], object]] = []


def tell_by(tell: Callable[[str], object]) -> None:
    """Have ``tell`` called with one line whenever this process begins to wait; it takes the place of an earlier one."""
    _tells[:] = [tell]


def say(line: str) -> None:
    """Tell the user ``line``: what is waited for."""
    for tell in _tells:
        tell(line)
