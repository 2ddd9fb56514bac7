"""Which changes stop a workload: found by halving, with as few runs as it takes.

Source of the algorithm: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

_Change = TypeVar("_Change")
MOST = 30  # runs for one workload


class TooManyError(Exception):
    """The runs are used up."""


class Halving(Generic[_Change]):
    """Looks for causes among changes by ``holds``, which runs the workload with some of them. ``holds`` is asked once
    for the same changes, and at most ``MOST`` times: then TooManyError is raised."""

    def __init__(self, holds: Callable[[Sequence[_Change]], bool], most: int = MOST) -> None:
        self._holds, self._most = holds, most
        self._known: dict[frozenset[int], bool] = {frozenset(): True}
        self.runs = 0

    def holds(self, changes: Sequence[_Change]) -> bool:
        """Whether it comes up with ``changes``."""
        key = frozenset(map(id, changes))
        if key not in self._known:
            if self.runs >= self._most:
                raise TooManyError
            self.runs += 1
            self._known[key] = self._holds(changes)
        return self._known[key]

    def left_out(self, changes: Sequence[_Change], among: Sequence[_Change] | None = None) -> list[_Change]:
        """The fewest of ``changes`` without which it comes up: put back to the others, each of them stops it. Of those
        that stop it together it is one, a late one if it can. They are ``among`` those without which it is known to
        come up, if any are."""

        def suffices(out: list[_Change]) -> bool:
            return self.holds([one for one in changes if not any(one is each for each in out)])

        return fewest(list(reversed(changes if among is None else among)), suffices)[::-1]

    def cause(self, change: _Change, others: Sequence[_Change]) -> list[_Change]:
        """What it takes for ``change`` to stop it, which it does beside ``others``: itself last, and before it the
        fewest of them without which it would not."""
        if not self.holds([change]):
            return [change]
        return [*fewest(list(others), lambda some: not self.holds([*some, change])), change]

    def causes(self, changes: Sequence[_Change]) -> tuple[list[list[_Change]], list[_Change]]:
        """What stops it, as ``cause`` has each, and the changes with which it comes up."""
        out = [] if self.holds(changes) else self.left_out(changes)
        left = [one for one in changes if not any(one is each for each in out)]
        return [self.cause(one, left) for one in out], left


def fewest(found: list[_Change], suffices: Callable[[list[_Change]], bool]) -> list[_Change]:
    """The fewest of ``found``, all of which suffice: without any one of them they would not."""
    parts = 2
    while len(found) > 1:
        size = -(-len(found) // parts)
        starts = range(0, len(found), size)
        chunks = (found[at : at + size] for at in starts)
        smaller = next((chunk for chunk in chunks if suffices(chunk)), None)
        if smaller is not None:
            found, parts = smaller, 2
            continue
        rests = (found[:at] + found[at + size :] for at in starts) if len(starts) > 2 else ()
        rest = next((rest for rest in rests if suffices(rest)), None)
        if rest is not None:
            found, parts = rest, max(parts - 1, 2)
        elif parts >= len(found):
            break
        else:
            parts = min(len(found), 2 * parts)
    return found
