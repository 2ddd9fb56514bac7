"""Objects that no API server takes as they are written: a kind that is spelt wrong, a kind of another API group, an API
version that is gone, a field that is a list where it has to be a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.facts.cluster.platforms import Platforms
from hardener.kubernetes.objects import list_items
from hardener.kubernetes.objects.kind_names import as_spelt, meant, served_as
from hardener.kubernetes.objects.object_shapes import misshapen
from hardener.kubernetes.objects.removed_apis import removed
from hardener.kubernetes.pods.pod_template import POD_KINDS, templates
from hardener.kubernetes.rbac.subjects import GROUP as RBAC
from hardener.support.data_path import Path, dotted, value_at
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree
from hardener.tree.view import literal

_REMEDY = {
    ("a list", False): "write what its items hold without the dashes before them",
    ("a mapping", True): "write a dash before each item of it",
    ("a single value", False): "write the keys and values that belong there",
    ("a single value", True): "write it as an item, after a dash",
}
_INVALID = "not-valid-kubernetes"


def reports(tree: Tree, said: Iterable[Report]) -> Iterator[Report]:
    """One finding for each such object of the files that may be edited, but for those of which one of ``said`` tells
    that their form is wrong."""
    known = {id(report.object) for report in said if report.id == _INVALID}
    for item in tree.objects:
        if item.editable:
            yield from _of(tree, item, known)
    for item, served in _without_version(tree):
        message, advice = "it names no API version, so it is not looked at", f"write apiVersion: {served}"
        yield _report("wrong-api-version", item, ("kind",), message, advice, not_looked_at=True)


def _of(tree: Tree, item: Object, known: set[int]) -> Iterator[Report]:
    if not _is_well_named(item.api_version, item.group, item.kind):
        if (gone := removed(item.api_version, item.kind)) is not None:
            if gone.since <= tree.settings.kubernetes_version and "patch" not in item.classes:
                since = ".".join(map(str, gone.since))
                message = f"no API server serves {item.kind} of {item.api_version} since Kubernetes {since}"
                topic = f"object {item.kind} of {item.api_version}, which no API server serves since Kubernetes {since}"
                yield _report("removed-api", item, ("apiVersion",), message, f"write it as {gone.now}", topic)
            return
        if (kind := meant(item.group, item.kind)) is not None:
            where = f"the API group {item.group}" if item.group else "the core API"
            message = f"not looked at: {where} has no kind {item.kind}"
            yield _report(
                "unknown-kind", item, ("kind",), message, f"write {kind}, if that is meant", not_looked_at=True
            )
            return
        if (served := _served(item)) is not None:
            message = f"no API server serves {item.kind} of {item.api_version}"
            is_read = bool(templates(item.sent))
            message += "" if is_read else ", so it is not looked at"
            topic = f"object {item.kind} of {item.api_version}, which no API server serves"
            kind = as_spelt(item.kind)
            advice = f"write apiVersion: {served}" + (f" and kind: {kind}" if kind != item.kind else "")
            yield _report(
                "wrong-api-version", item, ("apiVersion",), message, advice, topic, not_looked_at=not is_read
            )  # fmt: skip
            return
    if item.piece.source.is_manifest and id(item) not in known:
        found = misshapen(item.sent)
        if found is not None and "patch" not in item.classes:
            wanted = "a list" if found.is_list else "a mapping"
            message = f"{dotted(found.path)} is {found.found} and has to be {wanted}: the API server refuses the object"
            advice = f"{_REMEDY[found.found, found.is_list]}; kubectl apply --dry-run=server tells whether it is right"
            topic = "object in a form that the API server refuses"
            yield _report(_INVALID, item, found.path, message, advice, topic, not_looked_at=True)


@lru_cache(maxsize=256)  # a tree has few kinds
def _is_well_named(api_version: str, group: str, kind: str) -> bool:
    """Whether an API server serves objects that are named so, as far as that is known."""
    if removed(api_version, kind) is not None or served_as(api_version, kind) is not None:
        return False
    return meant(group, kind) is None


def _served(item: Object) -> str | None:
    """The API version in which ``item`` is served, where it is not in its own."""
    served = served_as(item.api_version, item.kind)
    if served is None or not item.name or literal(item.api_version) != item.api_version or "patch" in item.classes:
        return None
    if served.startswith(RBAC) and item.api_version == "v1" and item.tree.ask(Platforms).of(item) == "openshift":
        return None  # its clients know the kinds of its version 3 by that
    return served


def _without_version(tree: Tree) -> Iterator[tuple[Object, str]]:
    """Objects of Kubernetes that are whole but for their API version, which they have to name: kubectl refuses them,
    unless it is told not to validate. A patch or a part of a pod has containers without an image, or none."""
    for file in tree.files:
        if not file.editable or not file.source.is_manifest or file.path in tree.patch_files:
            continue
        for piece in file.pieces:
            for index, document in enumerate(piece.data):
                for path, found in _objects(document, (index,)):
                    item = Object(tree, piece, path, found)
                    served = served_as("", item.kind)
                    if served and item.name and "$patch" not in piece.text and _is_whole(found, served):
                        yield item, served


def _objects(document: object, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The objects in ``document`` that have a kind and no API version, with their places."""
    waiting: list[tuple[Path, Any]] = [(path, document)]
    while waiting:
        place, found = waiting.pop()
        if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
            continue
        if list_items.is_list(found):
            items = [
                list_items.completed(item, list_items.implied(found.get("apiVersion"), found["kind"], item))
                for item in found["items"]
            ]
            waiting += [((*place, "items", number), item) for number, item in enumerate(items)]
        elif not found.get("apiVersion"):
            yield place, found


def _is_whole(document: dict[str, Any], api_version: str) -> bool:
    if document["kind"] not in POD_KINDS:
        return True
    named = {**document, "apiVersion": api_version}
    found = [value_at(named, (*path, "spec", "containers")) for path in templates(named)]
    containers = [container for each in found if isinstance(each, list) for container in each]
    return bool(containers) and all(isinstance(each, dict) and each.get("image") for each in containers)


def _report(
    id: str, item: Object, path: Path, message: str, advice: str, topic: str | None = None, *,
    not_looked_at: bool = False,
) -> Report:  # fmt: skip
    file = item.piece.file.name
    return Report(
        id, None, Severity.LOW, message, advice, file, item, item.piece, (*item.path, *path), topic=topic,
        not_looked_at=not_looked_at,
    )  # fmt: skip
