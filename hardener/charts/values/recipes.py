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
from hardener.charts.values import volume_entries
from hardener.charts.values.new_keys import with_image
from hardener.charts.values.operations import Kind, Operation
from hardener.support.data_path import Path, value_at

_KINDS: dict[type[Edit], Kind] = {Set: Kind.SET, Append: Kind.APPEND}
_LISTS = ("containers", "initContainers")
Name = tuple[str, str, tuple[str, ...]]


class _Own(Struct, frozen=True):
    """The part of a path that stands at ``number`` in the path of an image."""

    number: int


class _Entry(Struct, frozen=True):
    """A map of values that holds volumes by their names, and the key of an entry that says how it is mounted."""

    values: tuple[str | int | _Own, ...]
    key: str


_Recipe = tuple[str | int | _Own, ...] | _Entry


class Recipes:
    """The recipes of one chart, by what an edit is about."""

    def __init__(self) -> None:
        self._known: dict[Name, _Recipe] = {}

    def learn(self, step: Step, operations: Sequence[Operation], data: Any, values: dict[str, Any]) -> None:
        """Take in that ``operations`` on ``values`` made ``step`` of the object ``data``."""
        found: dict[Name, _Recipe] = {}
        left = list(operations)
        for edit in step.edits:
            image = next(iter(images_of(edit, data, values)), None)
            if image is None or not left:
                return
            if _is_same(edit, left[0]):
                found[_name_of(edit, data)] = _general(left.pop(0).path, image)
                continue
            entry = _entry(edit, left, image)
            if entry is None:
                return
            found[_name_of(edit, data)], count = entry
            del left[:count]
        if not left:
            self._known |= found

    def way(self, step: Step, data: Any, values: dict[str, Any]) -> list[Operation] | None:
        """The operations that may make ``step``, for the image of its container; None where they are not known."""
        found: list[Operation] = []
        for edit in step.edits:
            some = self._operations(edit, data, values)
            if some is None:
                return None
            found += some
        return found

    def _operations(self, edit: Edit, data: Any, values: dict[str, Any]) -> list[Operation] | None:
        known = self._known.get(_name_of(edit, data))
        image = next(iter(images_of(edit, data, values)), None) if known is not None else None
        if known is None or image is None:
            return None
        path = _special(known.values if isinstance(known, _Entry) else known, image)
        if path is None:
            return None
        if isinstance(known, _Entry):
            ways = volume_entries.operations(edit, path, image)
            return next((way for way in ways if _key_of(way, path) == known.key), None)
        return [Operation(_KINDS[type(edit)], path, edit.value)] if isinstance(edit, Set | Append) else None


def _entry(edit: Edit, operations: Sequence[Operation], image: Path) -> tuple[_Entry, int] | None:
    """How the first of ``operations`` make ``edit`` as an entry of a map of volumes, and how many they are; None where
    they do not."""
    first = operations[0].path
    for number in range(1, len(first) - 1):
        for way in volume_entries.operations(edit, first[:number], image):
            made = operations[: len(way)]
            if len(made) == len(way) and all(one.same(other) for one, other in zip(way, made, strict=True)):
                return _Entry(_general(first[:number], image), _key_of(way, first[:number])), len(way)
    return None


def _key_of(way: Sequence[Operation], values: Path) -> str:
    """The key of an entry of the map ``values`` that the first operation of ``way`` is about."""
    return str(way[0].path[len(values) + 1])


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
