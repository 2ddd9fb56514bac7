"""Edits of one text that several places of the data share: made at one of them, they are made at all.

In YAML an anchor and its aliases share a text, in a program what a variable leads to.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.edits import Edit, moved
from hardener.sources.manifests import Piece


def mirrored(piece: Piece, edits: list[Edit]) -> list[Edit]:
    """``edits``, and the same ones at every other place that the text stands for."""
    own = {edit.path for edit in edits}
    found = list(edits)
    for edit in edits:
        seen, waiting = {edit.path}, [edit]
        while waiting:
            current = waiting.pop()
            for other in _elsewhere(piece, current):
                if other.path not in seen:
                    seen.add(other.path)
                    waiting.append(other)
                    if other.path not in own:
                        found.append(other)
    return found


def _elsewhere(piece: Piece, edit: Edit) -> Iterator[Edit]:
    for paths in piece.shared:
        for here in paths:
            if len(edit.path) > len(here) and edit.path[: len(here)] == here:
                yield from (moved(edit, len(here), path) for path in paths if path != here)
