"""Objects that no API server takes as they are written: a kind that is spelt wrong, an API version that is gone."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.kubernetes.kind_names import meant
from hardener.kubernetes.removed_apis import removed
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree


def reports(tree: Tree) -> Iterator[Report]:
    """One finding for each such object of the files that may be edited."""
    for item in tree.objects:
        if not item.editable:
            continue
        gone = removed(item.api_version, item.kind)
        if gone is not None:
            if gone.since <= tree.settings.kubernetes_version and "patch" not in item.classes:
                since = ".".join(map(str, gone.since))
                message = f"no API server serves {item.kind} of {item.api_version} since Kubernetes {since}"
                topic = f"{item.kind} of {item.api_version}, which no API server serves since Kubernetes {since}"
                yield _report("removed-api", item, ("apiVersion",), message, f"write it as {gone.now}", topic)
        elif (kind := meant(item.group, item.kind)) is not None:
            where = f"the API group {item.group}" if item.group else "the core API"
            message = f"not looked at: {where} has no kind {item.kind}"
            yield _report("unknown-kind", item, ("kind",), message, f"write {kind}, if that is what it is")


def _report(id: str, item: Object, path: Path, message: str, advice: str, topic: str | None = None) -> Report:
    file = item.piece.file.name
    return Report(
        id, None, Severity.LOW, message, advice, file, item, item.piece, (*item.path, *path), topic=topic
    )  # fmt: skip
