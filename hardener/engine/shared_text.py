"""Steps on a text that several targets share: made only where the transform wants the same of all of them.

A container whose security context is an alias of another one's, or the same variable of a program, gets what the other
one gets. What else it takes (a volume for a root that is read-only) is decided for each of them.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from msgspec.structs import replace

from hardener.authoring.edits import Edit, Evidence, Grade, WrongShapeError
from hardener.authoring.transform import Transform
from hardener.engine import unknown_starts
from hardener.engine.code_steps import doubted
from hardener.engine.outcome import Refused
from hardener.engine.shared_edits import mirrored
from hardener.engine.targets import Targets
from hardener.errors import HardenError
from hardener.facts.objects.system_pods import SystemPods
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View

_ADVICE = "give each of them a text of its own, or make this change by hand"


class DisagreementError(HardenError):
    """A target that has the text too, and of which the transform does not want the same."""

    def __init__(self, other: View, why: str) -> None:
        super().__init__(why)
        self.other = other

    def refused(self, transform: Transform, target: View, edits: list[Edit]) -> Refused:
        """The record of the step ``edits`` of ``target``, which is not made."""
        piece = target.object.piece
        line = piece.line + piece.read().line(int(edits[0].path[0]), edits[0].path[1:])
        container = f"container {self.other.data.get('name')} of " if isinstance(self.other, Container) else ""
        reason = f"{container}{self.other.object} has the same text, and {self}"
        return Refused(piece.file.name, line, reason, _ADVICE, len(edits), transform.id, cannot_write=True)


def steps_of(
    transform: Transform, target: View, pod: PodTemplate | None, yielded: list[Any]
) -> tuple[list[list[Edit]], list[OpaqueError]]:
    """The steps in what ``transform`` yielded at ``target``: its single edits, and each of its lists of them; and what
    keeps others from being made: expressions of which it says so, and those that decide what starts there. ``pod`` is
    what ``pod_of`` says of the target."""
    steps, unknown = _parts(yielded)
    if pod is not None and steps:
        steps, more = unknown_starts.parted(transform, target, steps)
        unknown += more
    if target.object.piece.source.is_code:
        steps = doubted(steps, target)
    if pod is not None and pod.partial:
        steps = [[_doubted(edit, pod.classes["partial"]) for edit in step] for step in steps]
    return steps, unknown


def _parts(yielded: list[Any]) -> tuple[list[list[Edit]], list[OpaqueError]]:
    single = [item for item in yielded if isinstance(item, Edit)]
    steps, unknown = [single] if single else [], list[OpaqueError]()
    if len(single) < len(yielded):
        steps += [item for item in yielded if isinstance(item, list) and item]
        unknown += [item for item in yielded if isinstance(item, OpaqueError)]
    return steps, unknown


def _doubted(edit: Edit, sign: str) -> Edit:
    """``edit`` of a pod of which the API takes a part; which fields of a security context, depends on its release."""
    if "securityContext" not in edit.path or edit.grade is not Grade.SAFE:
        return edit
    return replace(edit, grade=Grade.REVIEW, evidence=(*edit.evidence, Evidence(sign)))


def pod_of(target: View) -> PodTemplate | None:
    """The pod that a target is, or is a container of; None for any other."""
    return target if isinstance(target, PodTemplate) else target.pod if isinstance(target, Container) else None


def together(
    targets: Targets, transform: Transform, target: View, edits: list[Edit], arguments: tuple[Any, ...]
) -> list[Edit]:
    """``edits`` of ``target``, and those of the steps that the other targets of the same text take with them.

    ``arguments`` are those of the transform. Raises DisagreementError.
    """
    piece = target.object.piece
    found = list(edits)
    known: dict[Path, list[Edit]] = {}
    for edit in edits:
        known.setdefault(edit.path, []).append(edit)
    seen: set[Path] = {target.path}
    queue = deque(mirrored(piece, edits))
    while queue:
        other = queue.popleft()
        owner = targets.around(transform.each, piece, other.path) if other.path not in known else None
        if owner is None or owner.path in seen:
            continue
        seen.add(owner.path)
        step = _step_of(transform, target, owner, other, arguments)
        new = [edit for edit in step if not any(_same(edit, one) for one in known.get(edit.path, ()))]
        for edit in new:
            known.setdefault(edit.path, []).append(edit)
        found += new
        queue.extend(mirrored(piece, new))
    return found


def _step_of(transform: Transform, target: View, owner: View, other: Edit, arguments: tuple[Any, ...]) -> list[Edit]:
    """The step of ``owner``, which has the text of ``target``, too, that holds the edit ``other``. Raises
    DisagreementError where the transform does not want it there."""
    try:
        steps, unknown = _wanted(transform, owner, arguments)
    except (OpaqueError, WrongShapeError) as error:
        raise DisagreementError(owner, str(error)) from None
    step = next((step for step in steps if any(_same(edit, other) for edit in step)), [])
    if not step and not _is_same_text(target, owner):
        why = str(unknown[0]) if unknown else f"{transform.id} does not want the same there"
        raise DisagreementError(owner, why)
    return step


def _is_same_text(target: View, other: View) -> bool:
    """Whether the two are one text as a whole, and not only in a part."""
    for paths in target.object.piece.shared:
        for here in paths:
            if target.path[: len(here)] == here and other.path in [
                (*there, *target.path[len(here) :]) for there in paths
            ]:
                return True
    return False


def _wanted(
    transform: Transform, target: View, arguments: tuple[Any, ...]
) -> tuple[list[list[Edit]], list[OpaqueError]]:
    """The steps that ``transform`` takes at ``target``, none where it leaves it alone; and what keeps others from being
    made."""
    pod = pod_of(target)
    if pod is not None:
        blocked = pod.tree.ask(SystemPods).barrier(transform, target, pod) is not None
    else:
        blocked = any(name not in transform.classes for name in target.object.classes)
    if blocked:
        return [], []
    return steps_of(transform, target, pod, list(transform.function(target, *arguments)))


def _same(one: Edit, other: Edit) -> bool:
    if type(one) is not type(other) or one.path != other.path or one.piece is not other.piece:
        return False
    return getattr(one, "value", None) == getattr(other, "value", None)
