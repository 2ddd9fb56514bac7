"""RFC 6902 patches of steps that were held back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hardener.authoring.edits import Append, Create, Drop, HostFile, Insert
from hardener.engine.index_shifts import as_written, shifts
from hardener.engine.outcome import Change
from hardener.kubernetes.kustomize.operations import operate, pointer_parts
from hardener.support.data_path import Path, existing


def pointer(path: Path) -> str:
    """The JSON pointer of ``path``, whose first part is the number of the document (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path[1:])


def of_step(changes: list[Change]) -> list[dict[str, Any]]:
    """The operations that make ``changes`` on their document as it is now. Missing parents come with the value, and a
    list that gets several items in its midst comes whole."""
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
    for place, document in _rewritten(changes).items():
        operations = _whole(operations, pointer(place), document)
    return operations


def _rewritten(changes: list[Change]) -> dict[Path, Any]:
    """The lists that get several items in front of others, each with its document; the outermost alone. None where
    the changes are of several documents: a pointer does not tell these apart."""
    if len({(change.object.piece, *change.edit.path[:1]) for change in changes if change.edit.path}) > 1:
        return {}
    count: Counter[Path] = Counter()
    documents: dict[Path, Any] = {}
    for change in changes:
        if isinstance(change.edit, Insert):
            piece = change.object.piece
            path = as_written(change.edit.path, change.step, shifts(piece))
            if path is not None:
                count[path[:-1]] += 1
                documents[path[:-1]] = piece.data[int(path[0])]
    several = [place for place, number in count.items() if number > 1]
    return {
        place: documents[place]
        for place in several
        if not any(place != other and place[: len(other)] == other for other in several)
    }


def _whole(operations: list[dict[str, Any]], place: str, document: Any) -> list[dict[str, Any]]:
    """``operations``, with one that writes the list at ``place`` for all that change it or what is in it."""
    inside = [each for each in operations if each["path"].startswith(f"{place}/")]
    value = operate(document, inside)
    for part in pointer_parts(place):
        value = value[int(part) if isinstance(value, list) else part]
    at = operations.index(inside[0])
    kept = [each for each in operations if not each["path"].startswith(f"{place}/")]
    return [*kept[:at], {"op": "replace", "path": place, "value": value}, *kept[at:]]


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
    data = existing(data, path)
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
