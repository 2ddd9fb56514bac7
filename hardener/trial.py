"""A step tried on text before it is made: one that takes secrets out of the tree is made in all files, or in none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hardener.edits import copied, replay
from hardener.outcome import Change, Refused
from hardener.proof import prove
from hardener.step import Step

_ADVICE = "make this change by hand, or simplify the YAML around it; the other changes are made"


def refusal(step: Step, made: Iterable[Change]) -> Refused | None:
    """Why the text of one of its documents cannot be written with ``step``; None where all can.

    ``made`` are the changes of the run so far. Nothing is changed.
    """
    for piece, edits in step.edits.items():
        if piece.created is not None:
            continue
        after = copied(piece.data)
        replay(after, edits)
        tried = replace(piece, data=after, steps=[*piece.steps, tuple(edits)], shifts=None)
        changes = [change for change in (*made, *step.changes) if change.object.piece is piece]
        found = prove(tried, changes, []).refusal
        if found is not None:
            reason, line = found
            number = len(step.changes)
            return Refused(piece.file.name, piece.line + line, reason, _ADVICE, number, step.transform.id)
    return None
