"""Maps of values that hold the volumes of pods by their names, each with where it is mounted.

Two ways of writing them are in wide use: the values of the library chart of bjw-s (``advancedMounts`` for one
container, ``globalMounts`` for all of them; github.com/bjw-s-labs/helm-charts, ``common`` 4.1.1), and those of
k8s-at-home (``enabled``, ``mountPath``). A render decides which one a chart takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Append, Edit, Insert, Set
from hardener.charts.values.operations import Kind, Operation
from hardener.support.data_path import Path

_HOLDS = re.compile(r"(?i)persist|volume|storage")
_CONTAINERS = frozenset({"containers", "initContainers"})
_ITEM = {"mountPath": "path", "subPath": "subPath", "readOnly": "readOnly"}


def may_hold(path: Path) -> bool:
    """Whether the map at ``path`` may hold volumes, as it is called."""
    return _HOLDS.search(str(path[-1])) is not None


def entry_at(place: str) -> dict[str, Any]:
    """An entry of such a map, written in all ways: an empty volume that is mounted at ``place``."""
    return {"enabled": True, "type": "emptyDir", "mountPath": place, "globalMounts": [{"path": place}]}


def is_volume(edit: Edit) -> bool:
    """Whether ``edit`` adds an empty volume to a pod, or mounts one."""
    return _volume(edit) is not None or _mount(edit) is not None


def pod_of(edit: Edit) -> Path | None:
    """The path of the pod that ``edit`` adds a volume to, or mounts one in; None where it does neither."""
    if _volume(edit) is not None:
        return edit.path[1 : edit.path.index("volumes")]
    if _mount(edit) is not None:
        return edit.path[1 : next(n for n, part in enumerate(edit.path) if part in _CONTAINERS)]
    return None


def operations(edit: Edit, values: Path, image: Path | None) -> Iterator[list[Operation]]:
    """Yield what makes ``edit`` where the map ``values`` holds volumes: for the container alone whose image stands in
    the map ``image`` of the values, then for all of them, by either way of writing it."""
    volume, mount = _volume(edit), _mount(edit)
    if volume is not None:
        entry = (*values, volume["name"])
        own = {"type": "emptyDir", **volume["emptyDir"]}
        yield [Operation(Kind.SET, (*entry, key), value) for key, value in own.items()]
    elif mount is not None:
        entry = (*values, mount["name"])
        item = {_ITEM[key]: value for key, value in mount.items() if key in _ITEM}
        owner = _owner(image)
        if owner is not None:
            yield [Operation(Kind.APPEND, (*entry, "advancedMounts", *owner), item)]
        yield [Operation(Kind.APPEND, (*entry, "globalMounts"), item)]
        yield [
            Operation(Kind.SET, (*entry, "enabled"), True),
            Operation(Kind.SET, (*entry, "mountPath"), mount["mountPath"]),
        ]


def _owner(image: Path | None) -> tuple[str, str] | None:
    """The names of the controller and of the container, where the path of an image has both."""
    if image is None or len(image) < 4 or image[-2] not in _CONTAINERS:
        return None
    return str(image[-3]), str(image[-1])


def _volume(edit: Edit) -> dict[str, Any] | None:
    return _added(edit, "volumes", {"name", "emptyDir"})


def _mount(edit: Edit) -> dict[str, Any] | None:
    found = _added(edit, "volumeMounts", {"name", "mountPath"})
    return found if found is not None and found.keys() <= {"name", *_ITEM} else None


def _added(edit: Edit, field: str, keys: set[str]) -> dict[str, Any] | None:
    """The item with ``keys`` that ``edit`` adds to the list ``field``, alone; None where it does something else."""
    if not isinstance(edit, Append | Insert | Set) or field not in edit.path[-2:]:
        return None
    items = edit.value if isinstance(edit, Set) else [edit.value]
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        return None
    return items[0] if keys <= items[0].keys() else None
