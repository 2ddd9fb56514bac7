"""Steps that code cannot be written with: they are found and left out, the others stay.

What a program says of an object may be spread over it, so a step may ask for what no place of the text can hold.
"""

from __future__ import annotations

from hardener.authoring.edits import Edit, WrongShapeError
from hardener.engine.document import applied_steps
from hardener.engine.outcome import Change, Outcome
from hardener.engine.proof import written
from hardener.engine.rollback import Doomed, roll_back
from hardener.sources.manifests import Piece
from hardener.sources.yaml import TextError, same

_Steps = list[tuple[int, tuple[Edit, ...]]]


def leave_out(outcome: Outcome) -> bool:
    """Roll back every applied step that a piece of code cannot be written with; whether there was one.

    Its changes go from ``outcome.changes`` to ``outcome.refused``, with those of the steps that build on it.
    """
    waiting = {change.object.piece: None for change in outcome.changes if _is_tried(change.object.piece)}
    found = False
    while waiting:
        doomed: dict[int, Doomed] = {}
        by_step = _by_step(outcome)
        for piece in waiting:
            for number, reason in _culprits(piece):
                change = by_step[piece, number]
                doomed.setdefault(id(change.siblings), Doomed(change.siblings, reason, ours=False))
        if not doomed:
            return found
        found = True
        waiting = {piece: None for piece in roll_back(outcome, doomed) if _is_tried(piece) and applied_steps(piece)}
    return found


def _is_tried(piece: Piece) -> bool:
    return piece.source.is_code and not piece.is_new


def _by_step(outcome: Outcome) -> dict[tuple[Piece, int], Change]:
    return {(change.object.piece, change.step): change for change in outcome.changes}


def _culprits(piece: Piece) -> list[tuple[int, str]]:
    """The numbers of the steps that ``piece`` cannot be written with, each with the reason."""
    numbered = list(enumerate(applied_steps(piece)))
    reason = _refusal(piece, numbered)
    if reason is None:
        return []
    # A step that changes the same place as another one may be at fault only together with it: the later one goes.
    good: _Steps = []
    bad: list[tuple[int, str]] = []
    _sort_out(piece, good, numbered, bad, reason)
    return bad


def _sort_out(piece: Piece, good: _Steps, steps: _Steps, bad: list[tuple[int, str]], reason: str) -> None:
    """Add those of ``steps``, which cannot all be written behind ``good``, to ``good`` or to ``bad``.

    Halves of halves: where few steps are at fault, few texts are written.
    """
    if len(steps) == 1:
        bad.append((steps[0][0], reason))
        return
    middle = len(steps) // 2
    for half in (steps[:middle], steps[middle:]):
        wrong = _refusal(piece, [*good, *half])
        if wrong is None:
            good += half
        else:
            _sort_out(piece, good, half, bad, wrong)


def _refusal(piece: Piece, steps: _Steps) -> str | None:
    """Why ``piece`` cannot be written with ``steps``; None where it can."""
    try:
        rewrite = written(piece, [step for _, step in steps])
    except TextError as refused:
        return refused.reason
    except (WrongShapeError, LookupError, TypeError):
        return "it builds on a change that cannot be written"
    if len(steps) == len(applied_steps(piece)) and not same(rewrite.after.documents, piece.data):
        return "our bug: the text does not come out as it was decided; please report it"
    return None
