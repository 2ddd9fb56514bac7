"""What a JSON patch (RFC 6902) of a kustomization makes of an object, as plain data.

Sources: sigs.k8s.io/kustomize, api/filters/patchjson6902; github.com/evanphx/json-patch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hardener.kubernetes.kustomize.patch import PatchError, identity
from hardener.support.shapes import plain_copy

_INDEX = re.compile(r"-?\d{1,9}")
_MOST_COPIED = 100_000  # values: copies of copies grow without end


def is_operations(document: object) -> bool:
    """Whether ``document`` is a JSON patch: a list of operations."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(item, dict) and isinstance(item.get("op"), str) for item in document)
    )


def operate(
    document: dict[str, Any], operations: list[dict[str, Any]], hit: list[tuple[Any, ...]] | None = None
) -> dict[str, Any]:
    """``document`` with a JSON patch; neither is changed.

    ``hit`` takes, for each operation, which items of lists it leads through: two runs that differ there mean other
    things. Raises PatchError where an operation cannot be made, or a test fails. To replace a key that is not there is
    an error up to kustomize 5.7 only, so ``hit`` tells of it, too.
    """
    root: list[Any] = [plain_copy(document)]
    values = 0
    for operation in operations:
        name = operation.get("op")
        path = _parts(operation.get("path"))
        if hit is not None:
            hit.append(tuple(_identities(root, path if name != "add" else path[:-1])))
        if name in ("add", "replace", "test"):
            value = plain_copy(operation.get("value"))
        elif name in ("move", "copy"):
            origin = _parts(operation.get("from"))
            value = plain_copy(_take(root, origin) if name == "move" else _get(root, origin))
            values += _size(value) if name == "copy" else 0
            if values > _MOST_COPIED:
                raise PatchError("the patch copies more than any object holds")
        elif name == "remove":
            _take(root, path)
            continue
        else:
            raise PatchError("an operation has no name that RFC 6902 knows")
        if name == "test":
            if not _same(_tested(root, path), value):
                raise PatchError(f"the test of {operation.get('path')} fails")
        elif name == "replace":
            _set(root, path, value, insert=False)
        else:
            _set(root, path, value, insert=True)
    if not isinstance(root[0], dict):
        raise PatchError("the patch makes it something else than an object")
    return root[0]


def _size(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, children))


def _parts(pointer: Any) -> list[str]:
    """The parts of a JSON pointer, below the list that holds the document."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise PatchError("an operation has no path")
    return ["0", *(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])]


def pointer_parts(pointer: Any) -> list[str]:
    """The parts of the JSON pointer of an operation; none where it is not one."""
    try:
        return _parts(pointer)[1:]
    except PatchError:
        return []


def _get(root: list[Any], path: list[str]) -> Any:
    value: Any = root
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and (index := _index(part, len(value))) is not None:
            value = value[index]
        else:
            raise PatchError(f"there is no /{'/'.join(path[1:])}")
    return value


def _tested(root: list[Any], path: list[str]) -> Any:
    """The value that a test looks at: a key that is missing counts as null."""
    parent = _get(root, path[:-1])
    return parent.get(path[-1]) if isinstance(parent, dict) else _get(root, path)


def _same(one: Any, other: Any) -> bool:
    # True is no 1 there.
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _index(part: str, length: int, *, insert: bool = False) -> int | None:
    if not _INDEX.fullmatch(part):
        return None
    index = int(part)
    index += (length + insert) * (index < 0)
    return index if 0 <= index < length + insert else None


def _set(root: list[Any], path: list[str], value: Any, *, insert: bool) -> None:
    if len(path) == 1:
        root[0] = value
        return
    parent = _get(root, path[:-1])
    part = path[-1]
    if isinstance(parent, dict):
        parent[part] = value
    elif isinstance(parent, list):
        index = len(parent) if part == "-" and insert else _index(part, len(parent), insert=insert)
        if index is None:
            raise PatchError(f"there is no /{'/'.join(path[1:])}")
        if insert:
            parent.insert(index, value)
        else:
            parent[index] = value
    else:
        raise PatchError(f"nothing can be below /{'/'.join(path[1:-1])}")


def _take(root: list[Any], path: list[str]) -> Any:
    value = _get(root, path)
    parent = _get(root, path[:-1])
    if len(path) == 1:
        raise PatchError("an operation removes the whole object")
    if isinstance(parent, dict):
        del parent[path[-1]]
    else:
        del parent[_index(path[-1], len(parent)) or 0]
    return value


def _identities(root: list[Any], path: list[str]) -> Iterator[Any]:
    """What tells the items of lists apart that ``path`` leads through, None where it leads to nothing."""
    value: Any = root
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and (index := _index(part, len(value))) is not None:
            value, whole = value[index], value is root
            if not whole:
                yield identity(value)
        else:
            yield None
            return
