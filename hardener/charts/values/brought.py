"""Volumes that a chart brings itself as soon as its values ask for a root file system that is read-only: they stand in
for those that were to be mounted at the same path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Append, Edit
from hardener.charts.rendered import Key
from hardener.charts.renders import Objects
from hardener.charts.values.operations import Kind, Operation
from hardener.charts.values.volume_entries import pod_of
from hardener.support.data_path import Path, value_at

_CONTAINERS = ("containers", "initContainers")


class Brought(Struct, frozen=True):
    """In the pod at ``pod`` of the object ``key`` the volume ``name`` of the chart stands in for the one ``wanted``."""

    key: Key
    pod: Path
    name: str
    wanted: str

    def rename(self, data: Any) -> None:
        """Call the volume that was wanted in ``data``, the object, as the chart calls it."""
        pod = value_at(data, self.pod)
        for item in [*_items(pod, "volumes"), *(mount for mount in _mounts(pod))]:
            if item.get("name") == self.wanted:
                item["name"] = self.name


def brought(edit: Edit, key: Key, base: Objects, came: Objects) -> Brought | None:
    """What stands in for the volume that ``edit`` mounts in a container of the object ``key``: an empty one that the
    chart mounts at the same path since its values are others, as ``came`` shows, and ``base`` does not."""
    pod = pod_of(edit)
    if not isinstance(edit, Append) or pod is None or edit.path[-1] != "volumeMounts" or key not in came:
        return None
    before, after = (value_at(objects[key].data, pod) for objects in (base, came))
    container = value_at(after, edit.path[1 + len(pod) : -1])
    names = [
        mount.get("name") for mount in _items(container, "volumeMounts")
        if mount.get("mountPath") == edit.value["mountPath"] and mount.get("name") != edit.value["name"]
    ]  # fmt: skip
    known = {volume.get("name") for volume in _items(before, "volumes")}
    new = {volume.get("name") for volume in _items(after, "volumes") if volume.get("emptyDir") is not None} - known
    if len(names) != 1 or names[0] not in new:
        return None
    return Brought(key, pod, str(names[0]), str(edit.value["name"]))


def without(operations: list[Operation], volume: Brought) -> list[Operation] | None:
    """``operations`` without those that add the volume that was wanted, and its mount; None where that is not all that
    there is of it."""
    of_it = [one for one in operations if isinstance(one.value, dict) and one.value.get("name") == volume.wanted]
    fields = sorted("mountPath" in one.value for one in of_it)
    if fields != [False, True] or any(one.kind is not Kind.APPEND for one in of_it):
        return None
    return [one for one in operations if one not in of_it]


def _mounts(pod: Any) -> Iterator[dict[str, Any]]:
    for field in _CONTAINERS:
        for container in _items(pod, field):
            yield from _items(container, "volumeMounts")


def _items(data: Any, field: str) -> list[dict[str, Any]]:
    found = value_at(data, (field,))
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
