"""Waivers in annotations: ``hardener.dev/ignore-<id>: "reason"``, of the object or of its pod template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring import registry
from hardener.engine.waivers.marks import PREFIX
from hardener.engine.waivers.waiver import EVERYTHING, Collection, Scope, Waiver, containers_called, unknown
from hardener.support.data_path import Path
from hardener.support.near_names import meant
from hardener.tree.core_views import Object, PodTemplate

_IGNORE = f"{PREFIX}ignore-"
_ALL = f"{PREFIX}ignore-all"
_EXPOSE = f"{PREFIX}expose"  # no waiver, but a decision that wants its reason written down like one
_BASIS = f"{PREFIX}basis"  # how the rules of a role of ours are known
_CONTAINER = re.compile(r"container=([^;]*)(?:;|$)")


class Holder(Struct, frozen=True):
    """Metadata that speaks for an object, or for one pod template of it: where it stands and what it speaks for."""

    path: Path
    metadata: dict[str, Any]
    scope: Scope
    pods: list[PodTemplate]

    def mapping(self, key: str) -> dict[str, str]:
        """The annotations or labels, as texts; "" for a null."""
        found = self.metadata.get(key)
        items = found.items() if isinstance(found, dict) else ()
        return {str(name): "" if value is None else str(value) for name, value in items}


def holders(item: Object, pods: list[PodTemplate]) -> Iterator[Holder]:
    """The metadata of ``item`` and of its pod templates ``pods``."""
    metadata = item.data.get("metadata")
    piece = item.piece
    if isinstance(metadata, dict):
        yield Holder((*item.path, "metadata"), metadata, (piece, item.path), pods)
    for pod in pods:
        if pod.template_path != item.path:
            yield Holder(pod.metadata.path, pod.metadata.data, (piece, pod.template_path), [pod])


def read(item: Object, pods: list[PodTemplate], found: Collection) -> None:
    """Add the waivers in the annotations of ``item`` and of its pod templates ``pods`` to ``found``."""
    for holder in holders(item, pods):
        for key, value in holder.mapping("annotations").items():
            if key.startswith(PREFIX) and key != _BASIS:
                _read(item, holder, key, value, found)


def _read(item: Object, holder: Holder, key: str, value: str, found: Collection) -> None:
    path = (*holder.path, "annotations", key)

    def refuse(id: str, message: str, advice: str) -> None:
        found.refuse(id, message, advice, item.piece.file.name, piece=item.piece, path=path, object=item)

    container, reason = _parts(value)
    id = key.removeprefix(_IGNORE)
    if key not in (_ALL, _EXPOSE):
        if not key.startswith(_IGNORE):
            near = meant(key, [_ALL, _EXPOSE, *(_IGNORE + known for known in registry.transforms())])
            refuse("waiver-unknown", f"{key} is no annotation of harden{near}", "correct it, or remove it")
            return
        problem = unknown(id, ("all",))
        if problem:
            refuse("waiver-unknown", problem, "correct it, or remove it; harden list shows the transforms")
            return
    if not reason:
        refuse("waiver-without-reason", "a waiver needs a reason", f"write why as the value of {key}")
        return
    if key == _EXPOSE:
        return
    scopes = [holder.scope] if container is None else containers_called(holder.pods, container)
    if not scopes:
        refuse("waiver-unknown", f"a waiver of {id} names a container that is not there", "correct its name")
        return
    ids = EVERYTHING if key == _ALL else frozenset({id})
    found.waivers.append(
        Waiver(
            id, ids, reason, "annotation", scopes, item.piece.file.name, piece=item.piece, path=path, object=item
        )
    )  # fmt: skip


def _parts(value: str) -> tuple[str | None, str]:
    """The container that a value names, None where it names none, and the reason."""
    named = _CONTAINER.match(value)
    if named is None:
        return None, value.strip()
    return named[1].strip(), value[named.end() :].strip()
