"""Where a path of one step stands in the document as read and as written, when list items came or went in between."""

from __future__ import annotations

from collections.abc import Iterable

from hardener.authoring.edits import Drop, Edit, Insert
from hardener.engine.document import NO_SHIFTS, applied_steps, document
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path

Shift = tuple[int, Path, int, int]
_MOVING = (Insert, Drop)  # the edits by which items of a list may come or go


def shifts(piece: Piece) -> list[Shift]:
    """(step, path of the list, index, by) of every list item that a step of ``piece`` removed (by -1) or put before
    another (by 1), in the order that keeps each index right."""
    steps = applied_steps(piece)
    if not steps:
        return []
    own = document(piece)
    if own.known > len(steps):
        own.shifts, own.known = NO_SHIFTS, 0
    for number in range(own.known, len(steps)):
        for edit in steps[number]:
            if isinstance(edit, _MOVING):  # hardly one
                if own.shifts is NO_SHIFTS:
                    own.shifts = []
                own.shifts += [(number, *shift) for shift in shifts_of(steps[number])]
                break
    own.known = len(steps)
    return own.shifts


def shifts_of(step: Iterable[Edit]) -> list[tuple[Path, int, int]]:
    """(path of the list, index, by) of one step: inner lists first, each from the back, drops before inserts."""
    items = [
        (edit.path[:-1], int(edit.path[-1]), 1 if isinstance(edit, Insert) else -1)
        for edit in step
        if isinstance(edit, Insert) or (isinstance(edit, Drop) and isinstance(edit.path[-1], int))
    ]
    return sorted(items, key=lambda item: (len(item[0]), item[1], -item[2]), reverse=True)


def as_written(path: Path, step: int, shifted: list[Shift]) -> Path | None:
    """``path``, as it was before ``step``, in the final data; None when it went with a removed item."""
    for number, where, index, by in shifted:
        position = len(where)
        if number < step or len(path) <= position or path[:position] != where:
            continue
        own = path[position]
        if by < 0 and own == index:
            return None
        if isinstance(own, int) and own >= index:
            path = (*where, own + by, *path[position + 1 :])
    return path


def as_read(path: Path, step: int, shifted: list[Shift]) -> Path:
    """``path``, as it was before ``step``, in the data as read; of an item that came, where that is put in."""
    for number, where, index, by in reversed(shifted):
        position = len(where)
        if number >= step or len(path) <= position or path[:position] != where:
            continue
        own = path[position]
        if isinstance(own, int) and own > index - (by < 0):
            path = (*where, own - by, *path[position + 1 :])
    return path


def as_inserted(edit: Insert, step: int, piece: Piece) -> Path | None:
    """Where the item that ``edit`` of ``step`` put in stands in the final data; None when it went again."""
    *rest, index = edit.path
    where, place = tuple(rest), int(index)
    parent: Path | None = where
    own_step = applied_steps(piece)[step]
    for other in own_step:
        if other is edit:
            continue
        if other.path[:-1] == where and isinstance(other, Insert | Drop):
            first = int(other.path[-1])
            if isinstance(other, Drop):
                place -= first < index  # type: ignore[operator]
            else:
                place += first < index or (first == index and _precedes(own_step, other, edit))  # type: ignore[operator]
    own = [(step, *shift) for shift in shifts_of(own_step)]
    parent = as_written(where, step, own)
    return None if parent is None else as_written((*parent, place), step + 1, shifts(piece))


def _precedes(step: tuple[Edit, ...], one: Edit, other: Edit) -> bool:
    return next(edit is one for edit in step if edit is one or edit is other)
