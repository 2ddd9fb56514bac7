"""How values made a step in one release of a chart, for the others: the keys between which the user's own names stand.

A user names parts of such values: ``controllers.web.containers.app.securityContext``. What tells the parts apart is the
image of the container, which stands beside what is set for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Append, Edit, Set
from hardener.charts.run_steps import Step
from hardener.charts.values.new_keys import with_image
from hardener.charts.values.operations import Kind, Operation
from hardener.support.data_path import Path, value_at

_KINDS: dict[type[Edit], Kind] = {Set: Kind.SET, Append: Kind.APPEND}
_LISTS = ("containers", "initContainers")
Name = tuple[str, str, tuple[str, ...]]


class _Own(Struct, frozen=True):
    """The part of a path that stands at ``number`` in the path of an image."""

    number: int


class Recipes:
    """The recipes of one chart, by what an edit is about."""

    def __init__(self) -> None:
        self._known: dict[Name, tuple[str | int | _Own, ...]] = {}

    def learn(self, step: Step, operations: Sequence[Operation], data: Any, values: dict[str, Any]) -> None:
        """Take in that ``operations`` on ``values`` made ``step`` of the object ``data``."""
        edits = step.edits
        if len(edits) != len(operations) or not all(map(_is_same, edits, operations)):
            return
        for edit, operation in zip(edits, operations, strict=True):
            image = next(iter(images_of(edit, data, values)), None)
            if image is not None:
                self._known[_name_of(edit, data)] = _general(operation.path, image)

    def way(self, step: Step, data: Any, values: dict[str, Any]) -> list[Operation] | None:
        """The operations that may make ``step``, for the image of its container; None where they are not known."""
        found = [self._operation(edit, data, values) for edit in step.edits]
        known = [operation for operation in found if operation is not None]
        return known if len(known) == len(found) else None

    def _operation(self, edit: Edit, data: Any, values: dict[str, Any]) -> Operation | None:
        known = self._known.get(_name_of(edit, data))
        image = next(iter(images_of(edit, data, values)), None) if known is not None else None
        if known is None or image is None or not isinstance(edit, Set | Append):
            return None
        path = _special(known, image)
        return None if path is None else Operation(_KINDS[type(edit)], path, edit.value)


def _is_same(edit: Edit, operation: Operation) -> bool:
    if not isinstance(edit, Set | Append) or operation.kind is not _KINDS[type(edit)] or operation.weak:
        return False
    return bool(operation.value == edit.value)


def _name_of(edit: Edit, data: Any) -> Name:
    return str(data.get("kind")), type(edit).__name__, tuple(part for part in edit.path if isinstance(part, str))


def images_of(edit: Edit, data: Any, values: dict[str, Any]) -> list[Path]:
    """The maps of ``values`` with the image of the container that ``edit`` is about, or of the first one of its pod."""
    path = edit.path[1:]
    place = next((path[: n + 2] for n, part in enumerate(path) if part in _LISTS and n + 1 < len(path)), None)
    if place is None:
        start = next((path[: n + 1] for n in range(len(path) - 1, -1, -1) if path[n] == "spec"), ())
        place = (*start, "containers", 0)
    image = value_at(data, (*place, "image"))
    return [
        one for one in with_image(values) if isinstance(image, str) and _is_of(value_at(values, (*one, "image")), image)
    ]


def _is_of(given: Any, image: str) -> bool:
    if isinstance(given, dict):
        repository, tag = given.get("repository"), given.get("tag")
        return isinstance(repository, str) and image.startswith(f"{repository}:{tag}")
    return bool(given == image)


def _general(path: Path, image: Path) -> tuple[str | int | _Own, ...]:
    same = next((n for n, (one, other) in enumerate(zip(path, image, strict=False)) if one != other), None)
    shared = min(len(path), len(image)) if same is None else same
    return (*map(_Own, range(shared)), *path[shared:])


def _special(path: Sequence[str | int | _Own], image: Path) -> Path | None:
    if any(isinstance(part, _Own) and part.number >= len(image) for part in path):
        return None
    return tuple(image[part.number] if isinstance(part, _Own) else part for part in path)
