"""One step: all that one call of a transform wants to change, recorded before it is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from typing import Any, TypeGuard

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring.edits import (
    Append,
    Create,
    Drop,
    Edit,
    Evidence,
    Finding,
    Grade,
    Set,
    places,
    replaced,
    replay,
    widened,
)
from hardener.authoring.transform import Transform
from hardener.engine import new_objects
from hardener.engine.code_steps import completed
from hardener.engine.document import applied_steps, apply_step
from hardener.engine.outcome import MISSING, Change
from hardener.engine.shared_edits import mirrored
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, Namespace, Object, PodTemplate, View
from hardener.tree.tree import Tree


class Step(Struct):
    """The edits of one step with their records; ``edits`` by the piece that they change, ``created`` new objects.

    ``unlisted``: kustomizations that the new objects would have to be listed in, and that are not to be edited.
    """

    tree: Tree
    transform: Transform
    target: View
    grade: Grade
    changes: list[Change]
    edits: dict[Piece, list[Edit]] = field(default_factory=dict)
    created: list[Object] = field(default_factory=list)
    unlisted: list[Finding] = field(default_factory=list)

    def apply(self) -> None:
        """Make the step on the data of the tree."""
        for item in self.created:
            new_objects.add(self.tree, item)
        for piece, edits in self.edits.items():
            if piece.is_new and not applied_steps(piece):
                new_objects.part(piece)
            replay(piece.data, edits)
            apply_step(piece, edits)
        target = self.target
        if isinstance(target, Container):
            target.changed_by = _with(target.changed_by, self.transform.id)
            target = target.pod
        if isinstance(target, (PodTemplate, Namespace)):
            target.changed_by = _with(target.changed_by, self.transform.id)
        if isinstance(target, PodTemplate) and self.transform.stage == "host":
            # What made it an agent of the node may be gone; a second run would not see it either.
            target.__dict__.pop("classes", None)


@cache
def _with(changed_by: frozenset[str], id: str) -> frozenset[str]:
    """One set for all targets that the same transforms changed."""
    return changed_by | {id}


def draft(tree: Tree, transform: Transform, target: View, edits: list[Edit]) -> Step:
    """The step that ``edits`` are; it has no changes when an earlier step of the same call left it nothing to do.

    Raises WrongShapeError when one of the edits cannot be made; nothing is changed.
    """
    if len(edits) == 1 and _is_plain(edits[0], target.object):
        return _of_one(tree, transform, target, edits[0])
    edits = _planned(edits)
    if not edits:
        return Step(tree, transform, target, Grade.SAFE, [])
    created = [(edit, new_objects.draft(tree, edit)) for edit in edits if isinstance(edit, Create)]
    unlisted = [finding for edit, item in created for finding in _unlisted(tree, edit, item)]
    if unlisted and len(created) < len(edits):
        created = [(_doubted(edit, unlisted), item) for edit, item in created]
        edits = [*(edit for edit in edits if not isinstance(edit, Create)), *(edit for edit, _ in created)]
    step = Step(tree, transform, target, worst(edits), [], unlisted=unlisted)
    _record_all(step, edits, created)
    return step


def _record_all(step: Step, edits: list[Edit], created: list[tuple[Create, Object]]) -> None:
    for item, own in _by_object(step.tree, step.target, edits):
        _record(step, item, own if not item.piece.shared else _mirrored(item.piece, own, edits))
    if created:
        _create(step, created)
    step.changes = step.changes.copy()  # no larger than it is; there are as many as steps
    for change in step.changes:
        change.siblings = step.changes


def _planned(edits: list[Edit]) -> list[Edit]:
    """``edits`` as they are made on the data as they are: without what is gone, with what they make necessary."""
    kinds = {type(edit) for edit in edits}
    if Drop in kinds:
        edits = [edit for edit in edits if not _is_gone(edit)]
    if Append in kinds:
        edits = widened([edit for edit in edits if not _is_needless(edit)])
    if [edit for edit in edits if edit.piece.source.is_code]:
        edits = completed(edits)
    return edits


def _is_plain(edit: Edit, item: Object) -> TypeGuard[Set]:
    """Whether ``edit`` sets a value of ``item`` and nothing follows from it, as of most steps."""
    piece = item.piece
    if type(edit) is not Set or edit.piece is not piece or piece.shared or piece.source.sends_defaults(piece):
        return False
    return edit.path[: len(item.path)] == item.path


def _of_one(tree: Tree, transform: Transform, target: View, edit: Set) -> Step:
    """What ``draft`` comes to for one plain edit."""
    piece = edit.piece
    before = replaced(piece.data, edit)
    change = Change(transform, edit, target.object, len(applied_steps(piece)), edit.path, before)
    change.siblings = [change]
    return Step(tree, transform, target, edit.grade, change.siblings, {piece: [edit]})


def worst(edits: list[Edit]) -> Grade:
    """The worst grade of ``edits``, which are some."""
    return edits[0].grade if len(edits) == 1 else max([edit.grade for edit in edits], key=_rank)


_rank = attrgetter("rank")


def _create(step: Step, created: list[tuple[Create, Object]]) -> None:
    """Add the objects that are ``created`` to ``step``, and their lines in kustomizations."""
    listed: dict[int, tuple[Object, dict[str, Append]]] = {}
    for edit, item in created:
        step.created.append(item)
        step.changes.append(Change(step.transform, edit, item, 0, (0,), MISSING))
        for kustomization, append in new_objects.listings(step.tree, edit, item):
            lines = listed.setdefault(id(kustomization), (kustomization, {}))[1]
            lines.setdefault(append.value, append)
    for kustomization, lines in listed.values():
        _record(step, kustomization, list(lines.values()))


def _unlisted(tree: Tree, edit: Create, item: Object) -> Iterator[Finding]:
    for kustomization, name in new_objects.unlisted(tree, edit, item):
        sibling = os.path.basename(edit.piece.file.path)
        yield kustomization.finding(
            f"its build includes {sibling} but not the new {name}: the file is outside of the given paths",
            advice=f"add {name} to its resources",
            once=f"{kustomization.piece.file.path} {name}",
        )


def _doubted(edit: Create, unlisted: list[Finding]) -> Create:
    """``edit`` of a step whose other edits lean on what it creates, which some build would not have."""
    facts = [Evidence(finding.message, finding.piece, finding.path) for finding in unlisted]
    return replace(edit, grade=Grade.BREAKING, evidence=(*edit.evidence, *facts))


def _by_object(tree: Tree, target: View, edits: list[Edit]) -> list[tuple[Object, list[Edit]]]:
    """The edits of objects that there are, by object: those of the target first, then of others that it reaches."""
    main = target.object
    piece, start, depth = main.piece, main.path, len(main.path)
    own: list[Edit] = []
    others: dict[int, tuple[Object, list[Edit]]] = {}
    for edit in edits:
        if isinstance(edit, Create):
            continue
        if edit.piece is piece and edit.path[:depth] == start:
            own.append(edit)
        else:
            item = tree.object_at(edit.piece, edit.path)
            (own if item is main else others.setdefault(id(item), (item, []))[1]).append(edit)
    return [(main, own)] * bool(own) + list(others.values())


def _is_gone(edit: Edit) -> bool:
    """Whether ``edit`` removes what is not there any more: all steps of a call are planned on the data before it."""
    return isinstance(edit, Drop) and _value(edit.piece.data, edit.path) is MISSING


def _is_needless(edit: Edit) -> bool:
    """Whether ``edit`` adds to a list what an item there covers that an earlier step of the call has added."""
    if not isinstance(edit, Append) or edit.unless is MISSING:
        return False
    there = _value(edit.piece.data, edit.path)
    return isinstance(there, list) and edit.unless in there


def _mirrored(piece: Piece, own: list[Edit], step: list[Edit]) -> list[Edit]:
    """``own``, and the same edits at the other places of their text that the ``step`` does not name itself."""
    named = {edit.path for edit in step if edit.piece is piece}
    return own + [edit for edit in mirrored(piece, own) if edit.path not in named]


def _record(step: Step, item: Object, edits: list[Edit] | list[Append]) -> None:
    piece, transform = item.piece, step.transform
    number = len(applied_steps(piece))
    for edit, (path, before) in zip(edits, places(piece.data, edits), strict=True):
        step.changes.append(Change(transform, edit, item, number, path, before))
    step.edits.setdefault(piece, []).extend(edits)


def _value(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(data, dict):
            if part not in data:
                return MISSING
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return MISSING
    return data
