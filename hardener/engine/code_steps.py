"""What is asked of steps on code, where an expression may decide: doubts, edits that others imply, and new objects that
have no place."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hardener.authoring.edits import Create, Drop, Edit, Evidence, Finding, Grade, HostFile, Set, copied, replay
from hardener.authoring.transform import Transform
from hardener.engine.document import applied_steps
from hardener.engine.index_shifts import as_read, shifts
from hardener.kubernetes.pods.pod_template import POD_KINDS, templates
from hardener.sources.manifests import Piece
from hardener.sources.source import Source
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, PodTemplate, View


def doubted(steps: list[list[Edit]], target: View) -> list[list[Edit]]:
    """``steps`` at ``target`` without a `safe` edit where what makes it may give it more than is written, or else."""
    if not any(edit.grade is Grade.SAFE for step in steps for edit in step):
        return steps
    sign = _doubt(target)
    return steps if sign is None else [[_reviewed(edit, sign) for edit in step] for step in steps]


def _reviewed(edit: Edit, sign: str) -> Edit:
    if edit.grade is not Grade.SAFE:
        return edit
    return replace(edit, grade=Grade.REVIEW, evidence=(*edit.evidence, Evidence(sign)))


def _doubt(target: View) -> str | None:
    piece = target.object.piece
    kind = "pod" if isinstance(target, PodTemplate) else "container" if isinstance(target, Container) else ""
    read = as_read(target.path, len(applied_steps(piece)), shifts(piece))
    return piece.source.doubt(piece, read, kind, target.data)


# Edits that others imply.


def completed(edits: list[Edit]) -> list[Edit]:
    """``edits``, with those that they make necessary where more is sent than is written."""
    pieces = {edit.piece: None for edit in edits if not isinstance(edit, Create)}
    for piece in pieces:
        if piece.source.is_code and piece.source.sends_defaults(piece):
            edits = _with_implied(piece, edits)
    return edits


def _with_implied(piece: Piece, edits: list[Edit]) -> list[Edit]:
    own = [edit for edit in edits if edit.piece is piece and not isinstance(edit, Create)]
    if piece.data[0].get("kind") not in POD_KINDS or not any(_touches_context(edit) for edit in own):
        return edits
    after = copied(piece.data)
    replay(after, own)
    new: list[Edit] = []
    dropped: set[int] = set()
    pods = [(*path, "spec") for path in templates(after[0])]
    for path, why in piece.source.implied(piece, after[0], pods):
        place = (0, *path)
        gone: list[Edit] = [edit for edit in own if isinstance(edit, Drop) and edit.path == place]
        dropped.update(map(id, gone))
        new.append(_companion(place, why, gone or own))
    return [edit for edit in edits if id(edit) not in dropped] + new


def _touches_context(edit: Edit) -> bool:
    value: Any = getattr(edit, "value", None)
    return "securityContext" in edit.path or (
        isinstance(value, dict) and ("securityContext" in value or "runAsNonRoot" in value)
    )


def _companion(place: Path, why: str, edits: list[Edit]) -> Edit:
    """True at ``place``, by the reason of the edit that makes it necessary: that of its container, or of its pod."""
    near = [edit for edit in edits if edit.path[: len(place) - 2] == place[:-2]]
    edit = (near or [each for each in edits if "securityContext" in each.path] or edits)[0]
    return Set(
        piece=edit.piece, path=place, value=True, grade=edit.grade, basis=edit.basis,
        evidence=(Evidence(why), *edit.evidence), late=edit.late, impact=edit.impact, requires=edit.requires,
        follow_up=edit.follow_up, type_name="SecurityContext", typed=len(place) - 1,
    )  # fmt: skip


# New objects that have no place.


def lacks_place(edits: list[Edit]) -> bool:
    """Whether ``edits`` make an object that has no place in the code which they also change, or beside it."""
    new = [edit for edit in edits if isinstance(edit, Create)]
    if not new:
        return False
    if any(not piece.source.can_create(piece, for_hosts=True) for piece in {edit.piece for edit in edits}):
        return True
    return not all(edit.piece.source.can_create(edit.piece, for_hosts=isinstance(edit, HostFile)) for edit in new)


def without_place(transform: Transform, target: View, edits: list[Edit]) -> Finding:
    """That the step ``edits`` is not made, since it takes new objects: nothing is applied beside it."""
    new = [edit for edit in edits if isinstance(edit, Create)]
    source = _refusing(target, edits)
    made = target.object if source.is_program else "its resource"
    describe = _kind_of if "$" in target.object.name else _named  # a name made of an expression helps nobody
    names = " and ".join(dict.fromkeys(map(describe, new)))
    kinds = " and ".join(dict.fromkeys(map(_kind, new)))
    return target.finding(
        f"{transform.problem_of()}; not changed, since that needs {names}, which has to be made where {made} is made",
        advice=source.made_beside.format(them="it" if len(new) == 1 else "them"),
        severity=transform.severity,
        topic=f"object of {source.maker} that needs a {kinds} beside it",
    )


def _refusing(target: View, edits: list[Edit]) -> Source:
    """The language that has no place for a new object: that of the target, or of another piece that is changed."""
    pieces = [target.object.piece, *(edit.piece for edit in edits)]
    return next((piece.source for piece in pieces if piece.source.is_code), target.object.piece.source)


def _kind(edit: Create) -> str:
    return f"file {edit.topic}" if isinstance(edit, HostFile) else str(edit.value.get("kind"))


def _kind_of(edit: Create) -> str:
    return f"a {_kind(edit)}"


def _named(edit: Create) -> str:
    metadata = edit.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return _kind_of(edit) + (f" {name}" if name else "")
