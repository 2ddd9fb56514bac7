"""Steps graded by what ``harden observe`` saw: safe where the workload did its work with them, review where it came up
and nobody saw it work, breaking where it did not come up or did other things than before.

A run is a start on an empty volume and without load, in which all changes that held were made together. So a change of
users keeps its grade where files outlive the pod, a limit keeps its own, and a change is safe only beside the user that
the container had in the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.authoring.edits import Append, Basis, Drop, Edit, Evidence, Grade, Insert, Set, WrongShapeError
from hardener.authoring.transform import Transform
from hardener.engine.shared_edits import mirrored
from hardener.facts.images.known_image import known_image
from hardener.facts.images.observations import (
    concerned,
    is_in_pod,
    is_shown_by_a_run,
    observations,
    seen,
    settings,
    settings_of_pod,
)
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.kustomize.overlays.states import states
from hardener.kubernetes.pods.capabilities import DEFAULT
from hardener.lock.observed import Observation
from hardener.support.data_path import Path, value_at
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View

_IDENTITY = ("runAsUser", "runAsGroup", "fsGroup", "supplementalGroups")
_SET_IDENTITY = re.compile(rf"(?:pod\.)?securityContext\.({'|'.join(_IDENTITY)})\+?=(.*)", re.S)
_GIVES = "securityContext.capabilities.add+="
# Volumes that are as new as the pod, or written by Kubernetes: no file in them has an owner from before.
NOBODY_ASKED = "nobody asked it anything"
# What gives a container more than it has where nothing is written.
_WEAKER: tuple[tuple[str, object], ...] = (
    ("allowPrivilegeEscalation", True), ("privileged", True), ("readOnlyRootFilesystem", False),
    ("runAsNonRoot", False), ("runAsUser", 0), ("runAsGroup", 0), ("type", "Unconfined"),
    ("automountServiceAccountToken", True), ("procMount", "Unmasked"),
)  # fmt: skip
_NEW = frozenset({"emptyDir", "secret", "configMap", "projected", "downwardAPI", "image"})


class _Seen(Struct, frozen=True):
    """A container as the tree has it, or as a kustomization patches it, what was seen of it, and what a step sets."""

    container: Container
    observation: Observation | None
    settings: tuple[str, ...]


def regraded(transform: Transform, target: View, edits: list[Edit]) -> list[Edit]:
    """``edits``, one step of ``transform`` on ``target``, graded by what was seen; as they are where nothing was."""
    if not isinstance(target, Container | PodTemplate):
        return edits
    pod = target.pod if isinstance(target, Container) else target
    piece = pod.object.piece
    # Those of other pods are of the step where they share a text with it.
    own = [edit for edit in edits if edit.piece is not piece or not piece.shared or is_in_pod(edit, pod)]
    if not own or not is_shown_by_a_run(transform, target, own):
        return edits
    try:
        return _judged(transform, pod, edits, own)
    except (OpaqueError, WrongShapeError):
        return edits


def _judged(transform: Transform, pod: PodTemplate, edits: list[Edit], own: list[Edit]) -> list[Edit]:
    """``edits``, of which ``own`` are about ``pod``, graded by what was seen of its containers."""
    found = list(_each(pod, own))
    failed = [each.observation for each in found if each.observation and _fails(transform, each)]
    if failed:
        facts = list(dict.fromkeys(_against(transform, observation) for observation in failed))
        return [_graded(edit, Grade.BREAKING, facts) for edit in edits]
    is_whole = bool(found) and len(own) == len(edits) and all(_holds(transform, each) for each in found)
    return _held(pod, edits, found) if is_whole and not _is_made_elsewhere(edits) else edits


def _is_made_elsewhere(edits: list[Edit]) -> bool:
    """Whether the text of ``edits`` stands for more than the place that was seen, as an anchor does for its aliases."""
    piece = edits[0].piece
    if not piece.shared:
        return False

    return bool(mirrored(piece, edits))


def _each(pod: PodTemplate, edits: Sequence[Edit]) -> Iterator[_Seen]:
    """Every container that the step is about, in every state of the pod."""
    reached = {(each.name, each.init): settings(edits, each) for each in concerned(edits, pod)}
    of_pod = settings_of_pod(edits, pod)
    written = {(each.name, each.init) for each in pod.containers}
    always = pod.tree.ask(Overlays).always_patched(pod.object)  # then it runs nowhere as it is written
    for state in states(pod)[always:]:
        for container in state.containers:
            key = container.name, container.init
            own = reached.get(key, () if key in written else of_pod)
            if own:
                yield from (_Seen(container, run, own) for run in observations(container) or [None])


def _fails(transform: Transform, one: _Seen) -> bool:
    """Whether the container did not come up with a part of what the step sets for it. With more capabilities than it
    was left with then it may."""
    failed = set(one.observation.failed.get(transform.id, ())) if one.observation is not None else set()
    if failed.isdisjoint(one.settings):
        return False
    return all(setting in failed for setting in one.settings if setting.startswith(_GIVES))


def _holds(transform: Transform, one: _Seen) -> bool:
    """Whether the container came up with all that the step sets for it, as the user that it has beside the step."""
    if one.observation is None or not one.observation.came_up:
        return False
    if not set(one.settings) <= set(one.observation.held.get(transform.id, ())):
        return False
    if transform.stage == "token" and not _is_without_api(one):
        return False
    return _is_who_it_was(one, ("runAsUser",) if transform.stage == "user" else _IDENTITY)


def _is_without_api(one: _Seen) -> bool:
    """Whether the run shows anything of the token: there was one, it was not read, and nobody asked the API server, of
    which a run has none. The variables that a kubelet makes of Services are in no run either."""
    run = one.observation
    if run is None or run.token is not False or "kubernetes" in run.connects:
        return False
    return not any(setting.startswith("pod.enableServiceLinks") for setting in one.settings)


def _is_who_it_was(one: _Seen, fields: Sequence[str]) -> bool:
    """Whether the users and groups that it had in the run, by ``fields``, are those that it has, or that the step sets.

    What root cannot do without a capability, or under a read-only root, a user may never have tried, and the other way.
    """
    container, run = one.container, one.observation
    assert run is not None
    wanted = _identity(setting for held in run.held.values() for setting in held)
    own = _identity(one.settings)
    for field in fields:
        value = _identity_now(container, field)
        if field in own:
            continue
        if field in wanted and value not in wanted[field]:
            return False
        if field == "runAsUser" and field not in wanted and not _is_its_user(one, value):
            return False  # somebody has written another user since, or none any more
    return True


def _is_its_user(one: _Seen, number: Any) -> bool:
    """Whether the container, which has ``number`` now, may be the user that it was seen as before any change."""
    container, run = one.container, one.observation
    if run is None or run.user is None:
        return True
    if number is not None:
        return bool(number == run.user)
    user = known_image(container).user_name
    if user == "root" and run.user != 0:
        # It became that user by itself where a number for it was tried and did not hold; else the number was written.
        return "runAsUser" in _identity(setting for failed in run.failed.values() for setting in failed)
    return user is None or not user.isdecimal() or int(user) == run.user


def _identity(settings: Iterable[str]) -> dict[str, list[Any]]:
    """The users and groups among ``settings``, each with its values: workloads that run the same may have several."""
    found: dict[str, list[Any]] = {}
    for setting in settings:
        if match := _SET_IDENTITY.fullmatch(setting):
            try:
                value = json.loads(match[2])
            except ValueError:
                continue  # no value that harden writes
            found.setdefault(match[1], []).append(value)
    return found


def _identity_now(container: Container, field: str) -> Any:
    if field == "supplementalGroups":
        return container.pod.view("securityContext").data.get(field)
    return container.pod.get("securityContext", field) if field == "fsGroup" else container.effective(field)


def _held(pod: PodTemplate, edits: list[Edit], each: list[_Seen]) -> list[Edit]:
    found = [one.observation for one in each if one.observation is not None]
    if _may_lock_out_of_files(edits, pod):
        facts = _facts(found, ", on an empty volume, where no file has an owner from before")
        return [_lifted(edit, facts) for edit in edits]
    if any("resources" in edit.path for edit in edits):
        facts = _facts(found, ", without load")
        return [_with(edit, facts) for edit in edits]
    if any(_weakens(edit, pod) for edit in edits):
        return [_with(edit, _facts(found)) for edit in edits]
    if unseen := _unseen(found):
        return [_lifted_to_review(edit, unseen) for edit in edits]
    grade = Grade.REVIEW if _is_spoken_against(edits, each) else Grade.SAFE
    return [_graded(edit, grade, _facts(found)) for edit in edits]


def _may_lock_out_of_files(edits: list[Edit], pod: PodTemplate) -> bool:
    """Whether ``edits`` change who a container is, and a volume of ``pod`` may hold files of who it was."""
    return any(map(_changes_identity, edits)) and any(map(_keeps_files, states(pod)))


def _unseen(found: Sequence[Observation]) -> list[Evidence]:
    """The workloads that came up, and did not show all of their work: each once."""
    return list(dict.fromkeys(_came_up_only(run) for run in found if run.doubts or not run.shown))


def _came_up_only(run: Observation) -> Evidence:
    """That a workload came up, and what nobody saw of it."""
    why = "; ".join(run.doubts or (NOBODY_ASKED,))
    return Evidence(f"harden observe: {run.workload} came up; {why} ({seen(run)})")


def _lifted_to_review(edit: Edit, facts: list[Evidence]) -> Edit:
    """``edit`` as far as a workload that came up takes it: what is safe without that stays so."""
    return _with(edit, facts) if edit.grade is Grade.SAFE else _graded(edit, Grade.REVIEW, facts)


def _weakens(edit: Edit, pod: PodTemplate) -> bool:
    """Whether ``edit`` would give a container more than it has."""
    if not isinstance(edit, Set | Append | Insert):
        return False
    keys = [key for key in edit.path if isinstance(key, str)]
    if keys[-2:] == ["capabilities", "add"]:
        return _gives_more(edit.value, pod, edit.path)
    return any(key in keys[-2:] and edit.value == value for key, value in _WEAKER)


def _gives_more(value: object, pod: PodTemplate, path: Path) -> bool:
    """Whether a capability at ``path`` of a container is one that it does not have as it is written."""
    dropped = value_at(pod.object.piece.data, (*path[: path.index("capabilities") + 1], "drop")) or []
    names = value if isinstance(value, list) else [value]
    without = {str(name).upper().removeprefix("CAP_") for name in dropped if isinstance(dropped, list)}
    return any(name not in DEFAULT or name in without or "ALL" in without for name in map(str, names))


def _is_spoken_against(edits: list[Edit], each: list[_Seen]) -> bool:
    """Whether what speaks against ``edits`` may be meant by a person, or come only as the container ends, which no run
    waits for."""
    if not any(edit.grade is Grade.BREAKING for edit in edits):
        return False
    return any(one.container.has("lifecycle", "preStop") for one in each) or any(map(_replaces, edits))


def _changes_identity(edit: Edit) -> bool:
    return not set(map(str, edit.path)).isdisjoint(_IDENTITY)


def _keeps_files(pod: PodTemplate) -> bool:
    """Whether a volume of ``pod`` may hold files from before it."""
    if pod.kind.endswith("StatefulSet") and pod.object.items("spec", "volumeClaimTemplates"):
        return True
    volumes = pod.items("volumes")
    return any(key not in _NEW for volume in volumes for key in volume.keys() if key != "name")


def _replaces(edit: Edit) -> bool:
    """Whether ``edit`` replaces or removes what somebody wrote."""
    if isinstance(edit, Drop):
        return True
    return isinstance(edit, Set) and value_at(edit.piece.data, edit.path) not in (None, {}, [])


def _against(transform: Transform, observation: Observation) -> Evidence:
    reason = observation.because.get(transform.id)
    text = f"harden observe: {observation.workload} does not come up with it ({seen(observation)})"
    return Evidence(f"{text}: {reason}" if reason else text)


def _facts(found: Sequence[Observation], how: str = "") -> list[Evidence]:
    texts = (f"{each.workload} came up with it and ran {each.seconds} s ({seen(each)}){how}" for each in found)
    return [Evidence(f"harden observe: {text}") for text in dict.fromkeys(texts)]


def _graded(edit: Edit, grade: Grade, facts: list[Evidence]) -> Edit:
    late = edit.late and grade is Grade.BREAKING
    return replace(edit, grade=grade, basis=Basis.PROVED, evidence=(*facts, *edit.evidence), late=late)


def _lifted(edit: Edit, facts: list[Evidence]) -> Edit:
    """``edit`` with what was seen, which is enough to take a guess to a person."""
    return replace(_with(edit, facts), grade=Grade.REVIEW) if edit.grade is Grade.GUESS else _with(edit, facts)


def _with(edit: Edit, facts: list[Evidence]) -> Edit:
    return replace(edit, evidence=(*edit.evidence, *facts))
