"""Two states of a document as an RFC 6902 patch that touches no more than what differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from hardener.engine.json_patch import pointer
from hardener.support.data_path import Path

Operation = dict[str, Any]
# Fields by which Kubernetes tells the items of a list apart, the first that an item has.
_KEYS = ("name", "mountPath", "devicePath", "containerPort", "key", "ip", "topologyKey")


def diff(old: Any, new: Any, *, guard: bool = False) -> list[Operation]:
    """The operations that make ``new`` of ``old``.

    With ``guard`` the name of each list item that is changed inside is tested first: a patch then fails where the list
    has other items, and never changes a wrong one.
    """
    operations: list[Operation] = []
    guards: dict[str, Operation] = {}
    for operation in _diff(old, new, ("",), guards):
        operations.append(operation)
    return [*guards.values(), *operations] if guard else operations


def _diff(old: Any, new: Any, path: Path, guards: dict[str, Operation]) -> Iterator[Operation]:
    if _token(old) == _token(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from ({"op": "remove", "path": pointer((*path, key))} for key in old if key not in new)
        for key, value in new.items():
            if key not in old:
                yield {"op": "add", "path": pointer((*path, key)), "value": value}
            else:
                yield from _diff(old[key], value, (*path, key), guards)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_diff(old, new, path, guards)
    else:
        yield {"op": "replace", "path": pointer(path), "value": new}


def _list_diff(old: list[Any], new: list[Any], path: Path, guards: dict[str, Operation]) -> Iterator[Operation]:
    olds, news = [_key(item) for item in old], [_key(item) for item in new]
    if len(set(olds)) < len(olds) or len(set(news)) < len(news):
        if len(old) == len(new):
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                yield from _diff(before, after, (*path, index), guards)
        else:
            yield {"op": "replace", "path": pointer(path), "value": new}
        return
    steps = SequenceMatcher(None, olds, news, autojunk=False).get_opcodes()
    for name, start, end, other, _ in steps:
        for offset in range(end - start if name == "equal" else 0):
            yield from _item_diff(old[start + offset], new[other + offset], (*path, start + offset), guards)
    # From the back, so that each index is still right when its turn comes.
    for name, start, end, first, last in reversed(steps):
        if name == "equal":
            continue
        at_end = end == len(old)
        yield from ({"op": "remove", "path": pointer((*path, index))} for index in reversed(range(start, end)))
        for offset, value in enumerate(new[first:last]):
            yield {"op": "add", "path": pointer((*path, "-" if at_end else start + offset)), "value": value}


def _item_diff(old: Any, new: Any, path: Path, guards: dict[str, Operation]) -> list[Operation]:
    inside = list(_diff(old, new, path, guards))
    if inside and isinstance(old, dict) and isinstance(old.get("name"), str):
        place = pointer((*path, "name"))
        guards[place] = {"op": "test", "path": place, "value": old["name"]}
    return inside


def _key(item: Any) -> str:
    if isinstance(item, dict):
        name = next((key for key in _KEYS if isinstance(item.get(key), str | int)), None)
        if name is not None:
            return f"{name}={item[name]}"
    return _token(item)


def _token(value: Any) -> str:
    """A text that is the same for the same value and type: ``1`` is not ``true``, and not ``1.0``."""
    return json.dumps(value, sort_keys=True, default=repr)
