"""What a run wants to change of a rendered chart, step by step, and what the objects would be then."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Append, Create, Edit, Set, WrongShapeError, replay
from hardener.charts.rendered import Key, key_of
from hardener.engine.outcome import Change, Outcome
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path


class Step(Struct, eq=False):
    """A step of a run: its changes, and its edits of documents, in order; ``creates``: it makes a new object."""

    number: int
    changes: list[Change]
    edits: list[Edit]
    creates: bool


class Wanted:
    """The steps of ``outcome``, a run over a rendered chart."""

    def __init__(self, outcome: Outcome) -> None:
        self._documents: dict[Piece, list[Any]] = {}  # as rendered
        self._keys: dict[tuple[Piece, int], Key] = {}
        seen: Counter[tuple[str, ...]] = Counter()
        for file in outcome.tree.files:
            for piece in file.pieces:
                if piece.is_new or not piece.parsed:
                    continue
                self._documents[piece] = piece.read().documents
                for number, data in enumerate(self._documents[piece]):
                    if isinstance(data, dict):
                        self._keys[piece, number] = key_of(data, seen)
        self.steps: list[Step] = []
        known: dict[int, Step] = {}
        for change in outcome.changes:
            step = known.get(id(change.siblings))
            if step is None:
                step = known[id(change.siblings)] = Step(len(self.steps), [], [], False)
                self.steps.append(step)
            step.changes.append(change)
            if isinstance(change.edit, Create) or change.edit.piece not in self._documents:
                step.creates = True
            else:
                step.edits.append(change.edit)

    def rename(self, keys: Mapping[Key, Key]) -> None:
        """Call the objects by other ``keys``."""
        self._keys = {place: keys.get(key, key) for place, key in self._keys.items()}

    def place(self, edit: Edit) -> tuple[Key, Any]:
        """Return the object of an edit, and its data as rendered."""
        number = int(edit.path[0])
        return self._keys[edit.piece, number], self._documents[edit.piece][number]

    def data(self, key: Key) -> Any:
        """Return the object ``key`` as rendered; None where there is none."""
        place = next((place for place, own in self._keys.items() if own == key), None)
        return None if place is None else self._documents[place[0]][place[1]]

    def after(self, steps: Iterable[Step]) -> dict[Key, Any]:
        """Return the objects that ``steps`` change, as they leave them. Raises WrongShapeError where one leans on a
        step that is left out."""
        made: dict[Piece, list[Any]] = {}
        for step in sorted(steps, key=lambda step: step.number):
            for piece in dict.fromkeys(edit.piece for edit in step.edits):
                if piece not in made:
                    made[piece] = copy.deepcopy(self._documents[piece])
                try:
                    replay(made[piece], [edit for edit in step.edits if edit.piece is piece])
                except (KeyError, IndexError, TypeError):
                    raise WrongShapeError(step.changes[0].transform.id) from None
        return {
            self._keys[piece, number]: data
            for piece, documents in made.items()
            for number, data in enumerate(documents)
            if (piece, number) in self._keys
        }


# What decides whether a container starts at all: that it must not run as root rests on the user that it was given.
_RIGHTS = frozenset({
    "privileged", "runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups", "capabilities",
    "sysctls", "windowsOptions",
})  # fmt: skip


def resting_on(wanted: Wanted, steps: Sequence[Step], left: Collection[int]) -> dict[int, int]:
    """Return those of ``steps``, by their numbers, that may rest on one of ``left``, and on which: what comes later for
    the same container, or for its pod, where both are about who it runs as and what it may do."""
    found: dict[int, int] = {}
    gone: list[tuple[Key, Path, int]] = []
    for step in sorted(steps, key=lambda step: step.number):
        scopes = [(wanted.place(edit)[0], scope) for edit in step.edits if (scope := _scope(edit)) is not None]
        on: int | None = step.number
        if step.number not in left:
            near = (number for key, scope in scopes for at, other, number in gone if key == at and _meet(scope, other))
            on = next(near, None)
            if on is not None:
                found[step.number] = on
        if on is not None:
            gone += [(key, scope, on) for key, scope in scopes]
    return found


def _scope(edit: Edit) -> Path | None:
    """Where an edit changes rights: the path of the container, or that of the pod; None where it changes none."""
    path = edit.path[1:]
    if "securityContext" not in path:
        return None
    at = path.index("securityContext")
    value = edit.value if isinstance(edit, Set | Append) else None
    names = {*map(str, path[at + 1 :]), *(value if isinstance(value, dict) else ())}
    return path[:at] if names & _RIGHTS else None


def _meet(one: Path, other: Path) -> bool:
    return one[: len(other)] == other or other[: len(one)] == one
