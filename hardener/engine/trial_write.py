"""A step tried on text before it is made: one that takes secrets out of the tree is made in all files, or in none, and
what is decided later must not lean on one that no text can be given."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hardener.authoring.edits import Drop, Edit, copied, copied_along, replay
from hardener.engine.document import Document, applied_steps
from hardener.engine.outcome import Change, Refused
from hardener.engine.program_advice import BY_HAND
from hardener.engine.proof import block_of_new, prove
from hardener.engine.step import Step
from hardener.engine.terraform_objects import BY_HAND as BY_HAND_TERRAFORM
from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.support.data_path import below

_ADVICE = "make this change by hand, or simplify the YAML around it; the other changes are made"


def in_programs(step: Step) -> Refused | None:
    """Why a program, or a block of Terraform, that ``step`` changes has no place for what it writes; None where all
    have. Nothing is changed."""
    for item in step.created:
        if item.piece.language == "hcl" and (refused := _in_block(step, item.piece, [])) is not None:
            return refused
    for piece, edits in step.edits.items():
        if piece.language == "hcl" and (refused := _in_block(step, piece, edits)) is not None:
            return refused
        program = piece.file.program
        if program is None:
            continue
        from hardener.sources.python.rewrite import check, may_try  # late: few trees hold a program

        touched = below([edit.path for edit in edits])
        try:
            may_try(program)
            after = copied_along(piece.data, touched)
            replay(after, edits)
            check(program, {int(number): after[int(number)] for number in touched}, touched)
        except yaml.TextError as refused:
            path = step.changes[0].path
            line = piece.line + (refused.line or program.line(int(path[0]), path[1:]))
            return Refused(
                piece.file.name, line, refused.reason, BY_HAND, len(step.changes), step.transform.id, cannot_write=True
            )
    return None


def _in_block(step: Step, piece: Piece, edits: list[Edit]) -> Refused | None:
    """The same of the block of Terraform ``piece``; one that the run makes is written as a whole."""
    from hardener.sources.terraform.object_block import check

    after = copied(piece.data)
    replay(after, edits)
    try:
        if piece.is_new:
            block_of_new(piece, after[0])
        else:
            check(piece.file.object_of(piece), after[0], removes=any(isinstance(edit, Drop) for edit in edits))
    except yaml.TextError as refused:
        line = piece.line + (refused.line or 1)
        return Refused(
            piece.file.name, line, refused.reason, BY_HAND_TERRAFORM, len(step.changes), step.transform.id,
            cannot_write=True,
        )  # fmt: skip
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
