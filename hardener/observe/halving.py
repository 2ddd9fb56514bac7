"""Which changes stop a workload: found by halving, with as few runs as it takes.

Source of the algorithm: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

_Change = TypeVar("_Change")
MOST = 60  # runs for one workload


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

    def cause(self, changes: list[_Change]) -> list[_Change]:
        """The fewest of ``changes``, with which it does not come up, that stop it already: without any one of them it
        would come up."""
        parts = 2
        while len(changes) > 1:
            size = -(-len(changes) // parts)
            starts = range(0, len(changes), size)
            chunks = (changes[at : at + size] for at in starts)
            smaller = next((chunk for chunk in chunks if not self.holds(chunk)), None)
            if smaller is not None:
                changes, parts = smaller, 2
                continue
            rests = (changes[:at] + changes[at + size :] for at in starts) if len(starts) > 2 else ()
            rest = next((rest for rest in rests if not self.holds(rest)), None)
            if rest is not None:
                changes, parts = rest, max(parts - 1, 2)
            elif parts >= len(changes):
                break
            else:
                parts = min(len(changes), 2 * parts)
        return changes

    def causes(self, changes: Sequence[_Change]) -> tuple[list[list[_Change]], list[_Change]]:
        """All causes, and the changes with which it comes up: of each cause its last change is left out."""
        found: list[list[_Change]] = []
        left = list(changes)
        while not self.holds(left):
            cause = self.cause(left)
            found.append(cause)
            left = [one for one in left if one is not cause[-1]]
        return found, left
