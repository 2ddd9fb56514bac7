"""Applied steps taken out again: the rest is replayed without them, and without what builds on them.

A step is rolled back as one, with the objects that it created and their lines in kustomizations.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Append, Create, Drop, Edit, Insert, WrongShapeError, copied, places, replay
from hardener.engine import new_objects
from hardener.engine.document import applied_steps, keep_steps
from hardener.engine.index_shifts import as_read, as_written, shifts, shifts_of
from hardener.engine.outcome import Change, Outcome, Refused
from hardener.sources.manifests import Piece
from hardener.sources.source import Parsed
from hardener.support.data_path import Path, existing

_ADVICE = "the step was left out, all others were made"
_BY_HAND = "make this change by hand; all others were made"


class Doomed(Struct):
    """A step that goes, as its changes, and why. Steps are told apart by the identity of that list.

    ``ours``: it goes since it would be wrong, and not since it cannot be written.
    """

    changes: list[Change]
    reason: str
    ours: bool = True


def roll_back(outcome: Outcome, doomed: dict[int, Doomed]) -> list[Piece]:
    """Take the ``doomed`` steps (by the id of their list of changes) out of the data, the steps and the changes.

    They, and what builds on them, become records in ``outcome.refused``. Returns the pieces that they had changed.
    """
    rebuilt = _rebuilt(outcome, doomed)
    created = {change.object for step in doomed.values() for change in step.changes if isinstance(change.edit, Create)}
    _hold_less(outcome, doomed, rebuilt, {item.piece for item in created})
    for step in doomed.values():
        _refuse(outcome, step, rebuilt)
    outcome.changes = [change for change in outcome.changes if id(change.siblings) not in doomed]
    _renumber(outcome, rebuilt)
    for piece, new in rebuilt.items():
        keep_steps(piece, [step for number, step in enumerate(applied_steps(piece)) if number not in new.gone])
        piece.data[:] = new.documents
    new_objects.remove(outcome.tree, created)
    return list(rebuilt)


def _rebuilt(outcome: Outcome, doomed: dict[int, Doomed]) -> dict[Piece, _Rebuilt]:
    """The pieces that the ``doomed`` steps had changed, without them; those that build on one are added to them."""
    by_piece: dict[Piece, list[Change]] = {}
    for change in outcome.changes:
        by_piece.setdefault(change.object.piece, []).append(change)
    found: dict[Piece, _Rebuilt] = {}
    settled = -1
    while settled != len(doomed):
        settled = len(doomed)
        for piece in {change.object.piece: None for step in list(doomed.values()) for change in step.changes}:
            if piece.is_new:
                _doom_new(piece, by_piece, doomed)
            else:
                parsed = found[piece].parsed if piece in found else piece.read()
                found[piece] = _rebuild(piece, parsed, by_piece.get(piece, []), doomed)
    return found


def _doom_new(piece: Piece, by_piece: dict[Piece, list[Change]], doomed: dict[int, Doomed]) -> None:
    # One line of a kustomization, made with the first of them, lists all objects of a new file.
    for other in piece.file.pieces if piece.file.is_new else [piece]:
        for change in by_piece.get(other, []):
            _doom(change, doomed)


class _Rebuilt(Struct):
    """A piece without the doomed steps, whose numbers are ``gone``.

    ``shifted`` tells for the data before each step, and at the end, from which list items on an index that was planned
    with is now another item's.
    """

    parsed: Parsed
    documents: list[Any]
    gone: set[int]
    shifted: list[list[Path]]


def _rebuild(piece: Piece, parsed: Parsed, changes: list[Change], doomed: dict[int, Doomed]) -> _Rebuilt:
    """Replay ``piece`` without the doomed steps, to which those are added that build on one.

    The records of the others are set to where they are now, and what they replace.
    """
    by_step: dict[int, list[Change]] = {}
    for change in changes:
        by_step.setdefault(change.step, []).append(change)
    new = _Rebuilt(parsed, copied(parsed.documents), set(), [])
    shifted: list[Path] = []
    for number, step in enumerate(applied_steps(piece)):
        new.shifted.append(shifted)
        records = by_step[number]
        paths = None if id(records[0].siblings) in doomed else _places(new.documents, step, shifted)
        if paths is None:
            _doom(records[0], doomed)
            new.gone.add(number)
            shifted = shifted + [change.path for change in records if _shifts(change)]
        else:
            for change, (path, before) in zip(records, paths, strict=True):
                change.path, change.before = path, before
            replay(new.documents, step)
        shifted = [path for path in (_moved(path, step) for path in shifted) if path is not None]
    new.shifted.append(shifted)
    return new


def _places(documents: list[Any], step: tuple[Edit, ...], shifted: list[Path]) -> list[tuple[Path, Any]] | None:
    """Where the edits of ``step`` act, and what they replace; None when one of them can no longer be made, or would hit
    another place."""
    try:
        for edit in step:
            if _leads_through(edit.path, shifted):
                return None
            if isinstance(edit, Drop):
                existing(documents, edit.path)  # it is there to be dropped
        return places(documents, step)
    except (WrongShapeError, LookupError, TypeError):
        return None


def _shifts(change: Change) -> bool:
    """Whether list items have other indexes when ``change`` is not made."""
    edit = change.edit
    return isinstance(edit, Append | Insert) or (isinstance(edit, Drop) and isinstance(change.path[-1], int))


def _moved(path: Path, step: tuple[Edit, ...]) -> Path | None:
    """The list item ``path`` after ``step``; the one that takes its place where it goes itself or another comes before
    it, None where its list goes."""
    for where, index, by in shifts_of(step):
        if (*where, index) != path:
            after = as_written(path, 0, [(0, where, index, by)])
            if after is None:
                return None
            path = after
    return path


def _leads_through(path: Path, shifted: list[Path]) -> bool:
    for start in shifted:
        depth = len(start) - 1
        if len(path) > depth and path[:depth] == start[:depth]:
            own, first = path[depth], start[depth]
            if isinstance(own, int) and isinstance(first, int) and own >= first:
                return True
    return False


def _doom(change: Change, doomed: dict[int, Doomed]) -> None:
    """Add the step of ``change``, which builds on those that are doomed."""
    ids = ", ".join(dict.fromkeys(step.changes[0].transform.id for step in doomed.values()))
    ours = any(step.ours for step in doomed.values())
    reason = f"{change.transform.id} builds on {ids}, which cannot be written"
    if ours:
        reason = f"our bug: {change.transform.id} builds on {ids}, which was rolled back; please report it"
    doomed.setdefault(id(change.siblings), Doomed(change.siblings, reason, ours))


def _hold_less(
    outcome: Outcome, doomed: dict[int, Doomed], rebuilt: dict[Piece, _Rebuilt], created: set[Piece]
) -> None:
    """Doom the held-back steps, too, that were planned for what is another thing now."""
    kept = []
    for held in outcome.held:
        if any(_is_stale(change, rebuilt, created) for change in held.changes):
            _doom(held.changes[0], doomed)
        else:
            kept.append(held)
    outcome.held = kept


def _is_stale(change: Change, rebuilt: dict[Piece, _Rebuilt], created: set[Piece]) -> bool:
    piece = change.object.piece
    if isinstance(change.edit, Create) or piece not in rebuilt:
        return piece in created
    return _leads_through(change.edit.path, rebuilt[piece].shifted[change.step])


def _renumber(outcome: Outcome, rebuilt: dict[Piece, _Rebuilt]) -> None:
    """Let the steps that are left count without those that went."""
    for change in (*outcome.changes, *outcome.not_made):
        new = rebuilt.get(change.object.piece)
        if new is not None and not isinstance(change.edit, Create):
            change.step -= sum(1 for number in new.gone if number < change.step)


def _refuse(outcome: Outcome, step: Doomed, rebuilt: dict[Piece, _Rebuilt]) -> None:
    change = step.changes[0]
    piece, line = change.object.piece, 1
    if piece in rebuilt:
        path = as_read(change.path, change.step, shifts(piece))
        line = rebuilt[piece].parsed.line(int(path[0]), path[1:])
    advice = _ADVICE if step.ours else _BY_HAND
    outcome.refused.append(
        Refused(
            piece.file.name, piece.line + line, step.reason, advice, len(step.changes), change.transform.id,
            cannot_write=not step.ours,
        )
    )  # fmt: skip
