"""The part of a patch that is better merged than set: a new mapping, which a kustomization may have made before us.

``labels`` that an overlay adds to an object without any would be lost under an RFC 6902 ``add`` of ours.
"""

from __future__ import annotations

from typing import Any

from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.outputs.json_diff import Operation

# Lists of built-in kinds whose items kustomize merges by their name.
_BY_NAME = frozenset({"containers", "initContainers"})
_GROUPS = frozenset({"", "apps", "batch"})  # of a custom resource it replaces lists whole


def split(operations: list[Operation], old: dict[str, Any]) -> tuple[list[Operation], dict[str, Any] | None]:
    """``operations`` on the object ``old`` without those that add a mapping, and these as a strategic merge patch; None
    where there is none."""
    rest: list[Operation] = []
    merged: dict[str, Any] = {}
    for operation in operations:
        keys = _keys(operation["path"])
        value = operation.get("value")
        mergeable = operation["op"] == "add" and isinstance(value, dict) and value and not _holds_null(value)
        if not mergeable or not _put(merged, keys, value, old):
            rest.append(operation)
    if not merged:
        return operations, None
    if not any(operation["op"] != "test" for operation in rest):
        rest = []
    head = {"apiVersion": old["apiVersion"], "kind": old["kind"]}
    name = {"name": old["metadata"]["name"]}
    return rest, head | {"metadata": name | merged.pop("metadata", {})} | merged


def _put(merged: dict[str, Any], keys: list[str], value: Any, old: dict[str, Any]) -> bool:
    """Put ``value`` in ``merged`` under ``keys``; False where a list on the way is not merged by name."""
    steps: list[tuple[str, str | None]] = []  # a key, and the name of the item below it
    here: Any = old
    waiting = iter(keys)
    for key in waiting:
        here = here.get(key) if isinstance(here, dict) else None
        if not isinstance(here, list):
            steps.append((key, None))
            continue
        index = next(waiting, "")
        item = here[int(index)] if index.isdigit() else None
        name = item.get("name") if isinstance(item, dict) else None
        built_in = old.get("kind") in POD_KINDS and str(old["apiVersion"]).rpartition("/")[0] in _GROUPS
        if key not in _BY_NAME or not built_in or not isinstance(name, str):
            return False
        steps.append((key, name))
        here = item
    target = merged
    for key, name in steps[:-1]:
        if name is None:
            target = target.setdefault(key, {})
        else:
            items = target.setdefault(key, [])
            found = next((one for one in items if one["name"] == name), None)
            if found is None:
                found = {"name": name}
                items.append(found)
            target = found
    if steps[-1][1] is not None:
        return False
    target[steps[-1][0]] = value
    return True


def _keys(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    return any(map(_holds_null, value)) if isinstance(value, list) else value is None
