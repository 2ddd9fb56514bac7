"""Changes of pods that wait until it is known what starts there.

Nothing is known of what an expression may start, so nothing that could stop it is changed: no user, no privilege, no
limit, no folder, no token. A transform of which the changes hold for any image says so (``any_image``); what evidence
holds back stays held back, with that evidence.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hardener.authoring.edits import Edit, Evidence, Grade, OpaqueError, WrongShapeError
from hardener.authoring.transform import Transform
from hardener.facts.images.what_starts import is_plain, is_written, unknown_start, unknown_starts, unknown_word
from hardener.sources.open_values import Replaceable
from hardener.tree.core_views import Container, PodTemplate, View
from hardener.tree.pod_fragments import written_containers


def parted(transform: Transform, target: View, steps: list[list[Edit]]) -> tuple[list[list[Edit]], list[OpaqueError]]:
    """Those of ``steps`` that ``transform`` may make at ``target``, none of them `safe` where an expression stands in
    what it runs; and the expressions for which the others wait."""
    if not steps or not isinstance(target, (PodTemplate, Container)) or _is_written(target):
        return steps, []
    left: list[list[Edit]] = []
    unknown: dict[str, OpaqueError] = {}
    for step in steps:
        if all([edit.grade is not Grade.BREAKING for edit in step]):
            found = _unknown(target, step)
            if found and not transform.any_image:
                unknown.update((str(each), each) for each in found)
                continue
            step = _doubted(step, target, found)
        left.append(step)
    return left, list(unknown.values())


def _is_written(target: PodTemplate | Container) -> bool:
    """Whether nothing in what ``target`` runs is an expression, as nearly always: then no step waits."""
    wiring = target.object.piece.wiring
    if target.__dict__.get(_KEPT) == wiring:
        return True
    containers = [target.data] if isinstance(target, Container) else _data_of_containers(target.data)
    if containers is None or not all(map(is_written, containers)):
        return False
    if any(isinstance(each.get(_CONTEXT), Replaceable) for each in (_pod_data(target), *containers)):
        return False
    target.__dict__[_KEPT] = wiring
    return True


def _pod_data(target: PodTemplate | Container) -> Any:
    return target.pod.data if isinstance(target, Container) else target.data


_CONTEXT = "securityContext"
_KEPT = "is_written"  # by the view: at which state of what the piece starts that was so


def _data_of_containers(pod: Any) -> list[Any] | None:
    """The containers in the data of a pod; None where they may be others than those that are written."""
    if type(pod) is not dict:
        return None
    found: list[Any] = []
    for containers in (pod.get("initContainers"), pod.get("containers")):
        if containers is not None and type(containers) is not list:
            return None
        found += containers or ()
    return found


def _replaced(view: View) -> OpaqueError | None:
    """What a program may have in place of a security context."""
    try:
        view.check_replaced((_CONTEXT,))
    except OpaqueError as opaque:
        return opaque
    return None


def _unknown(target: PodTemplate | Container, step: list[Edit]) -> list[OpaqueError]:
    """What is not known of the containers that ``step`` reaches."""
    if isinstance(target, Container):
        return list(unknown_starts(target))
    containers, found = _containers(target)
    if not found and all([is_plain(each.data) for each in containers]):
        return []
    reached = [each for each in containers if any(_is_in(edit, each) for edit in step)]
    if all(any(_is_in(edit, each) for each in reached) for edit in step):
        return [opaque for each in reached for opaque in unknown_starts(each)]
    return [*found, *(opaque for each in containers for opaque in unknown_starts(each))]


def _is_in(edit: Edit, container: Container) -> bool:
    return edit.piece is container.object.piece and edit.path[: len(container.path)] == container.path


def _containers(pod: PodTemplate) -> tuple[list[Container], list[OpaqueError]]:
    """The containers of ``pod`` that are written, and why there may be others."""
    found = []
    for key in ("initContainers", "containers"):
        try:
            pod.check_whole(key)
        except OpaqueError as opaque:
            found.append(opaque)
        except WrongShapeError:
            continue  # the API server refuses it
    return list(written_containers(pod)), found


def _doubted(step: list[Edit], target: PodTemplate | Container, found: list[OpaqueError]) -> list[Edit]:
    """``step`` without a `safe` edit where an expression stands in what the pod runs."""
    if all([edit.grade is not Grade.SAFE for edit in step]):
        return step
    containers = [target] if isinstance(target, Container) else _containers(target)[0]
    views: list[View] = [target.pod if isinstance(target, Container) else target, *containers]
    found = [*found, *filter(None, map(_replaced, views))]
    words = (unknown_start(each) or unknown_word(each) for each in containers)
    opaque = next((each for each in (*found, *words) if each is not None), None)
    if opaque is None:
        return step
    fact = Evidence(f"{opaque}, so what runs is not known as a whole")
    return [
        replace(edit, grade=Grade.REVIEW, evidence=(*edit.evidence, fact)) if edit.grade is Grade.SAFE else edit
        for edit in step
    ]
