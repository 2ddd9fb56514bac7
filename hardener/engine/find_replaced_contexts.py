"""Security contexts in whose place a program may have another one when it runs: what is written, or written by a run,
holds where it has none. What it has then nobody judges, so each is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hardener.authoring.edits import OpaqueError, Severity
from hardener.engine.outcome import Report
from hardener.support.data_path import dotted
from hardener.tree.core_views import PodTemplate, View
from hardener.tree.pod_fragments import written_containers
from hardener.tree.tree import Tree

FIELD = "securityContext"
_ADVICE = "let what is given there be no weaker than what harden writes for the rest"


def reports(tree: Tree) -> Iterator[Report]:
    """One finding for each thing that may replace a security context of a pod that may be edited."""
    said: set[tuple[int, str]] = set()
    for pod in tree.pods_and_parts:
        if not pod.object.editable or not pod.object.piece.source.is_program or "patch" in pod.object.classes:
            continue
        for view in _replaced(pod):
            why = str(view.replaced_by(FIELD))
            key = id(pod.object.piece), why
            if key not in said:
                said.add(key)
                yield _report(view, why)


def _replaced(pod: PodTemplate) -> Iterable[View]:
    views: tuple[View, ...] = (pod, *written_containers(pod))
    return (view for view in views if view.replaced_by(FIELD) is not None)


def _report(view: View, why: str) -> Report:
    item = view.object
    error = OpaqueError(why, (*view.path[1:], FIELD))
    message = f"not judged: {dotted(error.path)} is {why}; what harden writes holds where that gives none"
    return Report(
        "opaque-value", None, Severity.LOW, message, _ADVICE, item.piece.file.name, item, item.piece,
        (*view.path, FIELD), not_looked_at=True,
    )  # fmt: skip
