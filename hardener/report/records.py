"""Records that several formats for programs hold: objects, files that were not read, and the impact of the changes."""

from __future__ import annotations

import os
from functools import cache
from itertools import islice
from typing import Any

from hardener.engine.outcome import Outcome
from hardener.report import impact, unread
from hardener.report.reachability.measure import Reachability
from hardener.report.reachability.shut_out import MOST_NAMED
from hardener.sources.files.selection import LeftOut
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_MOST_PLACES = 20


def object_record(item: Object | None) -> dict[str, str | None] | None:
    """Return how ``item`` is named."""
    if item is None:
        return None
    return type_record(item) | {"name": item.name}


def type_record(item: Object) -> dict[str, str | None]:
    """Return how ``item`` is named, but for its name."""
    return {"apiVersion": item.api_version, "kind": item.kind, "namespace": item.namespace}


def left_out(tree: Tree) -> list[dict[str, Any]]:
    """Return what was met and not read, by reason, as records; of a stream nothing."""
    if tree.stream:
        return []
    named = unread.unread_files(tree)
    return [_left_out(one, named.get(one.id, [])) for one in unread.left_out(tree)]


def _left_out(one: LeftOut, named: list[str]) -> dict[str, Any]:
    places = [os.path.relpath(path) for path in [*one.places, *named][:_MOST_PLACES]]
    return {
        "reason": one.id, "message": unread.reason(one), "files": one.files, "folders": one.folders, "places": places,
        "more": one.more,
    }  # fmt: skip


def impact_records(outcome: Outcome, reach: Reachability | None = None) -> list[dict[str, Any]]:
    """Return what a person has to know before the changes are applied, the gravest first, as records."""
    one = cache(object_record)  # most entries are about the same thousands of objects
    return [
        {"id": entry.id, "message": entry.text.strip(), "objects": list(map(one, entry.objects))}
        for entry in impact.entries(outcome, reach)
    ]


def shut_out_records(reach: Reachability) -> list[dict[str, Any]]:
    """Return for each workload whom its policies refuse that harden has not understood, as records."""
    return [
        {
            "workload": object_record(shut.server.object), "policies": list(map(object_record, shut.policies)),
            "services": list(map(object_record, shut.services)), "unseen": str(shut.unseen),
            "outOfReach": str(shut.out), "partlyRead": shut.count,
            "workloads": [object_record(pod.object) for pod in islice(shut.clients, MOST_NAMED)],
        }
        for shut in reach.shut
    ]  # fmt: skip
