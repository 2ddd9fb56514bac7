"""Where a path of one step stands in the document as read and as written, when list items went in between."""

from __future__ import annotations

from hardener.edits import Drop, Path
from hardener.sources.manifests import Piece

Removal = tuple[int, Path, int]


def removals(piece: Piece) -> list[Removal]:
    """(step, path of the list, index) of every list item that a step of ``piece`` removed, in the order they went."""
    known = piece.removals
    if known is None or known[0] > len(piece.steps):
        known = piece.removals = (0, [])
    seen, found = known
    for number in range(seen, len(piece.steps)):
        items = [edit.path for edit in piece.steps[number] if isinstance(edit, Drop) and isinstance(edit.path[-1], int)]
        for path in sorted(items, key=lambda path: path[-1], reverse=True):
            found.append((number, path[:-1], int(path[-1])))
    piece.removals = (len(piece.steps), found)
    return found


def as_written(path: Path, step: int, removed: list[Removal]) -> Path | None:
    """``path``, as it was before ``step``, in the final data; None when it went with a removed item."""
    for number, where, index in removed:
        position = len(where)
        if number < step or len(path) <= position or path[:position] != where:
            continue
        own = path[position]
        if own == index:
            return None
        if isinstance(own, int) and own > index:
            path = (*where, own - 1, *path[position + 1 :])
    return path


def as_read(path: Path, step: int, removed: list[Removal]) -> Path:
    """``path``, as it was before ``step``, in the data as read."""
    for number, where, index in reversed(removed):
        position = len(where)
        if number >= step or len(path) <= position or path[:position] != where:
            continue
        own = path[position]
        if isinstance(own, int) and own >= index:
            path = (*where, own + 1, *path[position + 1 :])
    return path
