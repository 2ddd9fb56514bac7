"""A step tried on text before it is made: one that takes secrets out of the tree is made in all files, or in none, and
what is decided later must not lean on one that no text can be given."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hardener.authoring.edits import Drop, Edit, copied, copied_along, replay
from hardener.engine.document import Document, applied_steps
from hardener.engine.outcome import Change, Refused
from hardener.engine.proof import prove
from hardener.engine.step import Step
from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.support.data_path import below

_ADVICE = "make this change by hand, or simplify the YAML around it; the other changes are made"


def in_code(step: Step) -> Refused | None:
    """Why a piece of code that ``step`` changes or makes has no place for what it writes; None where all have. Nothing
    is changed."""
    created: list[tuple[Piece, list[Edit]]] = [(item.piece, []) for item in step.created]
    for piece, edits in [*created, *step.edits.items()]:
        if piece.source.is_code and (refused := _tried(step, piece, edits)) is not None:
            return refused
    return None


def _tried(step: Step, piece: Piece, edits: list[Edit]) -> Refused | None:
    touched, at = below([edit.path for edit in edits]), step.changes[0].path
    try:
        after = copied_along(piece.data, touched)
        replay(after, edits)
        removes = any(isinstance(edit, Drop) for edit in edits)
        piece.source.check(piece, after, touched, at, removes=removes)
    except yaml.TextError as refused:
        line, advice = piece.line + (refused.line or 1), piece.source.by_hand
        return Refused(
            piece.file.name, line, refused.reason, advice, len(step.changes), step.transform.id, cannot_write=True
        )
    return None


def refusal(step: Step, made: Iterable[Change]) -> Refused | None:
    """Why the text of one of its documents cannot be written with ``step``; None where all can.

    ``made`` are the changes of the run so far. Nothing is changed.
    """
    for piece, edits in step.edits.items():
        if piece.is_new:
            continue
        after = copied(piece.data)
        replay(after, edits)
        tried = replace(piece, data=after, run=Document([*applied_steps(piece), tuple(edits)]))
        changes = [change for change in (*made, *step.changes) if change.object.piece is piece]
        found = prove(tried, changes, []).refusal
        if found is not None:
            reason, line = found
            number = len(step.changes)
            return Refused(piece.file.name, piece.line + line, reason, _ADVICE, number, step.transform.id, True)
    return None
