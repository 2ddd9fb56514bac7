"""What a run decided about pods, step by step, and the spec of a pod with some of the steps made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Create, Edit, WrongShapeError, copied, replay
from hardener.engine.outcome import Change, Outcome
from hardener.facts.images.observations import is_shown_by_a_run, settings
from hardener.support.data_path import existing
from hardener.support.shapes import mapping
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

Map = dict[str, Any]
Name = tuple[str, str, str | None, str, int]
"""A pod of a tree: its file, the kind, namespace and name of its object, and how many before it are called so."""


@dataclass(slots=True, eq=False)
class PodStep:
    """A step that changes a pod: its transform, its edits there, and what it sets for each container, by its name."""

    id: str
    edits: list[Edit]
    settings: Mapping[str, tuple[str, ...]]
    changes: list[Change] = field(repr=False)


class DecidedPod(Struct, eq=False):
    """A pod and the steps about it, in order."""

    pod: PodTemplate
    steps: list[PodStep]

    def spec(self, steps: Iterable[PodStep] = ()) -> Map:
        """Its spec as read, with ``steps`` made. Raises WrongShapeError where one leans on a step that is left out."""
        piece, number = self.pod.object.piece, int(self.pod.path[0])
        documents = list(piece.read().documents)
        documents[number] = copied(documents[number])
        chosen = set(map(id, steps))
        for step in self.steps:
            if id(step) in chosen:
                try:
                    replay(documents, step.edits)
                except (KeyError, IndexError, TypeError):
                    raise WrongShapeError(step.id) from None
        return mapping(existing(documents, self.pod.path))


def pods_of(tree: Tree) -> dict[Name, PodTemplate]:
    """The pods that ``tree`` is asked to change, by their names."""
    found: dict[Name, PodTemplate] = {}
    seen: Counter[tuple[str, str, str | None, str]] = Counter()
    for pod in tree.pod_templates:
        item = pod.object
        if item.piece.file.editable and not item.piece.file.is_new and item.piece.source.is_manifest:
            known = _known(item)
            found[(*known, seen[known])] = pod
            seen[known] += 1
    return found


def _known(item: Object) -> tuple[str, str, str | None, str]:
    return item.piece.file.name, item.kind, item.namespace, item.name


def steps_by_pod(outcome: Outcome) -> dict[Name, DecidedPod]:
    """The steps of ``outcome`` that a run of a pod shows, by the pods that they change."""
    pods = pods_of(outcome.tree)
    found = {name: DecidedPod(pod, []) for name, pod in pods.items()}
    by_place = {(id(pod.object.piece), pod.path): found[name] for name, pod in pods.items()}
    seen: set[int] = set()
    for change in outcome.changes:
        if id(change.siblings) in seen or isinstance(change.edit, Create):
            continue
        seen.add(id(change.siblings))
        for known in {id(each): each for each in map(by_place.get, _places(change, by_place)) if each}.values():
            edits = [one.edit for one in change.siblings if _is_of(one.edit, known.pod)]
            if is_shown_by_a_run(change.transform, known.pod, edits):
                of_containers = {container.name: settings(edits, container) for container in known.pod.containers}
                known.steps.append(
                    PodStep(
                        change.transform.id,
                        edits,
                        {key: value for key, value in of_containers.items() if value},
                        change.siblings,
                    )
                )
    return found


def _places(change: Change, known: Mapping[tuple[int, Any], DecidedPod]) -> Iterable[tuple[int, Any]]:
    for one in change.siblings:
        path = one.edit.path
        for length in range(1, len(path)):
            if (id(one.edit.piece), path[:length]) in known:
                yield id(one.edit.piece), path[:length]


def _is_of(edit: Edit, pod: PodTemplate) -> bool:
    return edit.piece is pod.object.piece and edit.path[: len(pod.path)] == pod.path and not isinstance(edit, Create)
