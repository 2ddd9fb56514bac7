"""What is done to the values of a chart: operations on their data, and the overrides that these come to."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from msgspec import Struct

from hardener.charts.values.set_values import keys_of, name_of
from hardener.errors import HardenError
from hardener.support.data_path import Path, value_at


class ConflictError(HardenError):
    """Operations that cannot be made together."""


class Kind(Enum):
    """What an operation does with its value."""

    SET = "set"
    APPEND = "append"  # to a list
    REMOVE = "remove"  # an item of a list, by its value
    DROP = "drop"  # a key


class Operation(Struct, frozen=True, eq=False):
    """``value`` is put at, appended to, or removed from ``path`` of the values. ``guessed``: nobody saw that what
    stands there comes out where it is wanted; its name speaks for it. A ``weak`` one keeps what is there today, and
    gives way to each that is not."""

    kind: Kind
    path: Path
    value: Any = None
    guessed: bool = False
    weak: bool = False

    def same(self, other: Operation) -> bool:
        """Tell whether ``other`` puts the same value at the same place."""
        return self.kind is other.kind and self.path == other.path and _alike(self.value, other.value)


def _alike(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


class Touched:
    """Which operations change which values: one more is held against those of its own path, above it and below it."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._at: dict[Path, list[Operation]] = {}
        self._below: dict[Path, list[Operation]] = {}
        for operation in operations:
            if not operation.weak:
                self.add(operation)

    def add(self, operation: Operation) -> bool:
        """Take in one more, and tell whether nothing the same was there."""
        there = self._at.setdefault(operation.path, [])
        if any(operation.same(other) for other in there):
            return False
        there.append(operation)
        for length in range(1, len(operation.path)):
            self._below.setdefault(operation.path[:length], []).append(operation)
        return True

    def near(self, operation: Operation) -> Iterator[Operation]:
        """Yield those that change what ``operation`` changes, or a part of it, or what it is a part of."""
        for length in range(1, len(operation.path) + 1):
            yield from self._at.get(operation.path[:length], ())
        yield from self._below.get(operation.path, ())

    def check(self, operation: Operation) -> None:
        """Raise ConflictError where ``operation`` cannot be made together with those that are known."""
        for other in self.near(operation):
            if not operation.same(other) and not _agree(operation, other):
                raise ConflictError(name_of(min(operation.path, other.path, key=len)))


def _agree(one: Operation, other: Operation) -> bool:
    """Whether what one of the two puts somewhere leaves what the other does: both change the items of a list."""
    short, long = sorted((one, other), key=lambda operation: len(operation.path))
    if short.kind not in (Kind.APPEND, Kind.REMOVE):
        return False
    return short.path != long.path or short.kind is long.kind


def overrides(values: dict[str, Any], operations: Iterable[Operation]) -> dict[Path, Any]:
    """Return the keys of ``values`` that ``operations`` change, each with its new value: of lists the whole, of maps
    the keys that change; None for a key that goes. Raises ConflictError where one cannot be made."""
    unique: dict[tuple[Path, Kind, str], Operation] = {}
    for operation in _without_weak(list(operations)):
        unique.setdefault((operation.path, operation.kind, repr(operation.value)), operation)
    made = dict(values)
    owned = {id(made)}
    for operation in sorted(unique.values(), key=lambda operation: len(operation.path)):
        _operate(made, operation, owned)
    found: dict[Path, Any] = {}
    for operation in unique.values():
        keys = keys_of(operation.path)
        found[keys] = value_at(made, keys)
    return {path: value for path, value in found.items() if not any(path[:n] in found for n in range(1, len(path)))}


def _without_weak(operations: list[Operation]) -> Iterator[Operation]:
    """``operations`` without the weak ones that another one of them, or an earlier weak one, decides about."""
    strong = Touched(operations)
    seen: set[Path] = set()
    for operation in operations:
        if operation.weak and (operation.path in seen or any(True for _ in strong.near(operation))):
            continue
        if operation.weak:
            seen.add(operation.path)
        yield operation


def _operate(values: Any, operation: Operation, owned: set[int]) -> None:
    """Change ``values``. Those in ``owned`` are copies by now; the others on the way are copied first, and no more."""
    parent, last = _owned_parent(values, operation, owned), operation.path[-1]
    if operation.kind is Kind.SET:
        parent[last] = copy.deepcopy(operation.value)
        return
    if operation.kind is Kind.DROP:
        parent[last] = None
        return
    items = parent.get(last) if isinstance(parent, dict) else parent[last]
    if items is not None and not isinstance(items, list):
        raise ConflictError(name_of(operation.path))
    if operation.kind is Kind.APPEND:
        parent[last] = [*(items or []), copy.deepcopy(operation.value)]
    elif operation.value in (items or []):
        parent[last] = [item for item in items or [] if item != operation.value]
    else:
        raise ConflictError(name_of(operation.path))


def _owned_parent(values: Any, operation: Operation, owned: set[int]) -> Any:
    """What holds the last part of the path of ``operation``, copied where it is not ``owned``."""
    parent = values
    for part in operation.path[:-1]:
        if isinstance(part, str) and isinstance(parent, dict):
            child = parent.get(part)
        elif isinstance(part, int) and isinstance(parent, list) and part < len(parent):
            child = parent[part]
        else:
            raise ConflictError(name_of(operation.path))
        if id(child) not in owned:
            child = list(child) if isinstance(child, list) else dict(child) if isinstance(child, dict) else {}
            owned.add(id(child))
            parent[part] = child
        parent = child
    last = operation.path[-1]
    if isinstance(parent, list) and not (isinstance(last, int) and last < len(parent)):
        raise ConflictError(name_of(operation.path))
    return parent


def as_values(found: dict[Path, Any]) -> dict[str, Any]:
    """Return overrides as values."""
    made: dict[str, Any] = {}
    for path, value in found.items():
        parent = made
        for key in path[:-1]:
            parent = parent.setdefault(str(key), {})
        parent[str(path[-1])] = value
    return made
