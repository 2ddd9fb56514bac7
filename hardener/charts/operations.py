"""What is done to the values of a chart: operations on their data, and the overrides that these come to."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from hardener.charts.markers import keys_of
from hardener.errors import HardenError
from hardener.support.data_path import Path, value_at
from hardener.support.fast_dataclass import dataclass


class ConflictError(HardenError):
    """Operations that cannot be made together."""


class Kind(Enum):
    """What an operation does with its value."""

    SET = "set"
    APPEND = "append"  # to a list
    REMOVE = "remove"  # an item of a list, by its value
    DROP = "drop"  # a key


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """``value`` is put at, appended to, or removed from ``path`` of the values. ``guessed``: nobody saw that what
    stands there comes out where it is wanted; its name speaks for it."""

    kind: Kind
    path: Path
    value: Any = None
    guessed: bool = False

    def same(self, other: Operation) -> bool:
        """Whether both do the same."""
        return self.kind is other.kind and self.path == other.path and _alike(self.value, other.value)


def _alike(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def overrides(values: dict[str, Any], operations: Iterable[Operation]) -> dict[Path, Any]:
    """The keys of ``values`` that ``operations`` change, each with its new value: of lists the whole, of maps the keys
    that change; None for a key that goes. Raises ConflictError."""
    unique: list[Operation] = []
    for operation in operations:
        if not any(operation.same(other) for other in unique):
            unique.append(operation)
    for index, one in enumerate(unique):
        for other in unique[:index]:
            _check(one, other)
    made = copy.deepcopy(values)
    for operation in sorted(unique, key=lambda operation: len(operation.path)):
        _operate(made, operation)
    found: dict[Path, Any] = {}
    for operation in unique:
        keys = keys_of(operation.path)
        found[keys] = value_at(made, keys)
    return {path: value for path, value in found.items() if not any(path[:n] in found for n in range(1, len(path)))}


def _check(one: Operation, other: Operation) -> None:
    """Raise ConflictError where what one of the two puts somewhere the other changes."""
    short, long = sorted((one, other), key=lambda operation: len(operation.path))
    if long.path[: len(short.path)] != short.path:
        return
    if short.path == long.path and short.kind is long.kind and short.kind in (Kind.APPEND, Kind.REMOVE):
        return
    if short.path != long.path and short.kind in (Kind.APPEND, Kind.REMOVE):
        return
    raise ConflictError(dotted_key(short.path))


def _operate(values: Any, operation: Operation) -> None:
    parent = values
    for part in operation.path[:-1]:
        if isinstance(part, str) and isinstance(parent, dict):
            if not isinstance(parent.get(part), dict | list):
                parent[part] = {}
            parent = parent[part]
        elif isinstance(part, int) and isinstance(parent, list) and part < len(parent):
            parent = parent[part]
        else:
            raise ConflictError(dotted_key(operation.path))
    last = operation.path[-1]
    if isinstance(parent, list) and not (isinstance(last, int) and last < len(parent)):
        raise ConflictError(dotted_key(operation.path))
    if operation.kind is Kind.SET:
        parent[last] = copy.deepcopy(operation.value)
    elif operation.kind is Kind.DROP:
        parent[last] = None
    else:
        items = parent.get(last) if isinstance(parent, dict) else parent[last]
        if items is not None and not isinstance(items, list):
            raise ConflictError(dotted_key(operation.path))
        if operation.kind is Kind.APPEND:
            parent[last] = [*(items or []), copy.deepcopy(operation.value)]
        elif operation.value in (items or []):
            parent[last] = [item for item in items or [] if item != operation.value]
        else:
            raise ConflictError(dotted_key(operation.path))


def nested(found: dict[Path, Any]) -> dict[str, Any]:
    """Overrides as values."""
    made: dict[str, Any] = {}
    for path, value in found.items():
        parent = made
        for key in path[:-1]:
            parent = parent.setdefault(str(key), {})
        parent[str(path[-1])] = value
    return made


def dotted_key(path: Sequence[str | int]) -> str:
    """A key of values as people write it: ``server.resources``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if "." not in part else f'."{part}"'
    return text.removeprefix(".")
