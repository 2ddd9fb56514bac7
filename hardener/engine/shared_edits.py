"""Edits of one text that several places of the data share: made at one of them, they are made at all.

In YAML an anchor and its aliases share a text, in a program what a variable leads to.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from hardener.authoring.edits import Edit, moved
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path


def mirrored(piece: Piece, edits: list[Edit]) -> list[Edit]:
    """The same as ``edits`` at every other place that their text stands for."""
    own = {edit.path for edit in edits}
    found: list[Edit] = []
    for edit in edits:
        seen, waiting = {edit.path}, [edit]
        done: set[tuple[int, Path]] = set()
        while waiting:
            current = waiting.pop()
            for number, depth in _around(piece, current.path):
                rest = current.path[depth:]
                if (number, rest) in done:  # by another place of the group
                    continue
                done.add((number, rest))
                for start in piece.shared[number]:
                    if (path := (*start, *rest)) not in seen:
                        seen.add(path)
                        waiting.append(moved(current, depth, start))
                        if path not in own:
                            found.append(waiting[-1])
    return found


def _around(piece: Piece, path: Path) -> Iterator[tuple[int, int]]:
    """The groups that ``path`` leads into, by their number, each with how many parts lead there."""
    places = _places(piece)
    for depth in range(1, len(path)):
        for number in places.get(path[:depth], ()):
            yield number, depth


@lru_cache(maxsize=4)
def _places(piece: Piece) -> dict[Path, list[int]]:
    found: dict[Path, list[int]] = {}
    for number, group in enumerate(piece.shared):
        for path in group:
            found.setdefault(path, []).append(number)
    return found
