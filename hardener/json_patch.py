"""RFC 6902 patches of steps that were held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardener.edits import Append, Create, Drop, HostFile, Insert, Path
from hardener.shifts import as_written, shifts

if TYPE_CHECKING:
    from hardener.outcome import Change


def pointer(path: Path) -> str:
    """The JSON pointer of ``path``, whose first part is the number of the document (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path[1:])


def of_step(changes: list[Change]) -> list[dict[str, Any]]:
    """The operations that make ``changes`` on their document as it is now. Missing parents come with the value."""
    operations: list[dict[str, Any]] = []
    made: dict[Path, dict[str, Any]] = {}
    moves: list[tuple[Path, dict[str, Any]]] = []
    for change in changes:
        edit, piece = change.edit, change.object.piece
        if isinstance(edit, Create):
            whole = edit.text if isinstance(edit, HostFile) else edit.value
            operations.append({"op": "add", "path": "", "value": whole})
            continue
        path = as_written(edit.path, change.step, shifts(piece))
        if path is None:
            continue
        if isinstance(edit, Drop):
            moves += [(gone, {"op": "remove"}) for gone in _dropped(piece.data, path, change.before)]
            continue
        if isinstance(edit, Insert):
            moves.append((path, {"op": "add", "value": edit.value}))
            continue
        value = change.after
        depth = _existing(piece.data, path)
        if isinstance(edit, Append) and depth == len(path):
            operations.append({"op": "add", "path": pointer((*path, "-")), "value": value})
        elif depth == len(path):
            operations.append({"op": "replace", "path": pointer(path), "value": value})
        else:
            if isinstance(edit, Append):
                value = [value]
            _add(operations, made, path, depth, value)
    # From the back, so that each index is still right when its turn comes.
    moves.reverse()
    for path, operation in sorted(moves, key=_place, reverse=True):
        operations.append({"op": operation["op"], "path": pointer(path), **operation})
    return operations


def _place(move: tuple[Path, dict[str, Any]]) -> tuple[list[tuple[bool, str | int]], bool]:
    return [(isinstance(part, int), part) for part in move[0]], move[1]["op"] == "remove"


def _add(
    operations: list[dict[str, Any]], made: dict[Path, dict[str, Any]], path: Path, depth: int, value: Any
) -> None:
    # The first missing parent is added with all that this step puts below it.
    top = path[: depth + 1]
    rest = path[depth + 1 :]
    if top in made:
        target = made[top]["value"]
        if not rest:  # several items for a list that is missing
            made[top]["value"] = [*target, *value]
            return
        for part in rest[:-1]:
            target = target.setdefault(part, {})
        if isinstance(target.get(rest[-1]), list) and isinstance(value, list):
            target[rest[-1]] = [*target[rest[-1]], *value]
        else:
            target[rest[-1]] = value
        return
    for part in reversed(rest):
        value = {part: value}
    made[top] = {"op": "add", "path": pointer(top), "value": value}
    operations.append(made[top])


def _dropped(data: Any, path: Path, before: Any) -> list[Path]:
    """What goes with ``path``: all of it, or only the keys seen when it was decided, if later steps added others."""
    for part in path:
        data = data[part]
    if isinstance(data, dict) and isinstance(before, dict) and data.keys() - before.keys():
        return [(*path, key) for key in before]
    return [path]


def _existing(value: Any, path: Path) -> int:
    for depth, part in enumerate(path):
        if isinstance(value, dict) and value.get(part) is not None:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return depth
    return len(path)
