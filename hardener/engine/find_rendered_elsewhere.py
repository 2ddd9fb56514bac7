"""Objects whose pods the tree does not show: a controller of the cluster makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hardener.authoring.edits import OpaqueError, Severity, WrongShapeError
from hardener.engine.outcome import Outcome, Report
from hardener.facts.objects.hidden_pods import shown_folders
from hardener.kubernetes.pods.applied_elsewhere import alterations
from hardener.kubernetes.pods.custom_resource import image_fields, is_custom
from hardener.kubernetes.pods.operator_pods import OPERATED, RENDERED_ELSEWHERE
from hardener.kubernetes.pods.operator_templates import HELD_KINDS, HOLDERS, MERGED, held_objects, operator_pods
from hardener.kubernetes.pods.pod_template import PARTIAL_KINDS, group, partial_specs, runtime_specs, templates
from hardener.kubernetes.pods.weaknesses import Weakness, weaknesses
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, dotted
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_Place = tuple[Piece, Path]
_Told = tuple[Piece, Path, str]

_ADVICE = {
    "argoproj.io": "harden the rendered manifests: argocd app manifests ... | harden filter",
    "kustomize.toolkit.fluxcd.io": "harden the rendered manifests: flux build kustomization ... | harden filter",
    "operators.coreos.com": "kubectl get pods -o yaml > FILE and harden check FILE tell what its pods lack",
}
_HELM = "harden the rendered manifests: helm template ... | harden filter"
_FIELDS = "set security context, resources and digest in the operator's fields"
_RENDERED = "check what it comes to: render it, and harden check the result"
_ALTERED = "field by which a deployer changes what is in a folder"
_OPERATOR = "object whose pods an operator makes"
_LOOSE = "object by which an operator makes pods that are not confined"
_PODS = "kubectl get pods -o yaml > FILE and harden check FILE tell what its pods lack"


def reports(outcome: Outcome) -> Iterator[Report]:
    """One finding for each such object of the files that may be edited."""
    tree = outcome.tree
    known = {pod.object for pod in tree.pod_templates}
    containers, told = _containers(tree), _told(outcome)
    for item in tree.objects:
        if not item.editable or "patch" in item.classes:
            continue
        if item.kind in PARTIAL_KINDS and (parts := runtime_specs(item.sent)):
            message = f"not hardened: {parts[0][-1]} of {item} runs in a container that a runtime defines elsewhere"
            advice = "set security context, resources and digest in the runtime"
            yield _report("operator-resource", "K01", item, (*item.path, *parts[0]), message, advice)
        if item.kind in HELD_KINDS:
            yield from _of_holder(item)
        if item in known:
            continue
        kind = item.group, item.kind
        if kind in RENDERED_ELSEWHERE:
            yield from _of_rendered(item)
        elif is_custom(item.data):
            yield from _of_custom(item, containers, told)


def _of_holder(item: Object) -> Iterator[Report]:
    """The objects within ``item`` that hold no pod: nothing judges them there."""
    held = held_objects((item.group, item.kind), item.data)
    others = [(path, found) for path, found in held if not _holds_pods(found)]
    if others:
        kinds = ", ".join(dict.fromkeys(str(found["kind"]) for _, found in others))
        count = "1 object" if len(others) == 1 else f"{len(others)} objects"
        message = f"not looked at: {count} within {item} ({kinds})"
        advice = "check what it comes to: kubectl get ... -o yaml > FILE; harden check FILE"
        topic = "object around others that nobody looks at"
        yield _report("operator-resource", None, item, (*item.path, *others[0][0]), message, advice, topic)


def _holds_pods(document: dict[str, Any]) -> bool:
    kind = group(document.get("apiVersion")), str(document["kind"])
    if templates(document) or partial_specs(document) or kind in HOLDERS:
        return True
    return next(operator_pods(kind, document), None) is not None


def _of_rendered(item: Object) -> Iterator[Report]:
    for path in alterations((item.group, item.kind), item.data):
        message = f"not looked at: {dotted(path)} of {item} changes what is in the folder"
        yield _report("renders-elsewhere", None, item, (*item.path, *path), message, _RENDERED, _ALTERED)
    if not shown_folders(item):
        message = f"{item.kind} {item.name} is rendered into workloads that this tree does not show"
        topic = f"{item.kind} whose workloads this tree does not show"
        advice = _ADVICE.get(item.group, _HELM)
        yield _report("renders-elsewhere", None, item, item.path, message, advice, topic)


def _of_custom(item: Object, containers: set[_Place], told: set[_Told]) -> Iterator[Report]:
    """What an operator makes of ``item`` and no transform judged; ``containers`` are those that transforms visit, and
    ``told`` the places of which they tell."""
    kind = item.group, item.kind
    loose = [each for each in weaknesses(item.data) if not _is_told(item, each, told)]
    images = image_fields(item.sent)
    fields = [path for path in images if not _is_within(item, path, containers)]
    if loose:
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        message = f"not hardened: {item} sets {loose[0].what}{more}, and its operator makes the pods"
        yield _operated(item, (*item.path, *loose[0].path), message, Severity(loose[0].severity), _LOOSE)
    elif fields:
        named = "an image" if len(fields) == 1 else f"{len(fields)} images"
        message = f"not hardened: {item.kind} of {item.group} names {named}, and its operator makes the pods"
        yield _operated(item, (*item.path, *fields[0]), message)
    elif kind in OPERATED and (kind in MERGED or not images):
        message = f"not hardened: the operator of {item.kind} {item.name} makes the pods"
        yield _operated(item, item.path, message)


def _containers(tree: Tree) -> set[_Place]:
    """The containers that operators take, which transforms visit."""
    found: set[_Place] = set()
    for pod in tree.operator_pods:
        with suppress(OpaqueError, WrongShapeError):
            found.update((pod.object.piece, container.path) for container in pod.containers)
    return found


def _told(outcome: Outcome) -> set[_Told]:
    """The places of which a transform tells, with its id: of a change that is held back or waived, or in a finding."""
    kept = [(record.transform.id, record.changes) for record in outcome.held]
    kept += [(record.transform.id, record.changes) for record in outcome.waived]
    held = {(change.object.piece, change.path, id) for id, changes in kept for change in changes}
    return held | {(report.piece, report.path, report.id) for report in outcome.findings if report.piece is not None}


def _is_told(item: Object, found: Weakness, told: set[_Told]) -> bool:
    """Whether its transform tells of a weakness, or a waiver lets it be."""
    path = (*item.path, *found.path)
    if any((item.piece, path[:length], found.transform) in told for length in range(len(item.path), len(path) + 1)):
        return True
    return item.tree.waivers is not None and item.tree.waivers.is_waived(found.transform, item, path)


def _is_within(item: Object, path: Path, containers: set[_Place]) -> bool:
    return any((item.piece, (*item.path, *path[:length])) in containers for length in range(len(path)))


def _operated(
    item: Object, path: Path, message: str, severity: Severity = Severity.LOW, topic: str = _OPERATOR
) -> Report:
    report = _report("operator-resource", "K01", item, path, message, f"{_FIELDS}; {_PODS}", topic)
    report.severity = severity
    return report


def _report(
    id: str, risk: str | None, item: Object, path: Path, message: str, advice: str, topic: str | None = None
) -> Report:
    file = item.piece.file.name
    return Report(
        id, risk, Severity.LOW, message, advice, file, item, item.piece, path, topic=topic, not_looked_at=True
    )  # fmt: skip
