"""Objects whose pods the tree does not show: a controller of the cluster makes them."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.facts.objects.hidden_pods import shown_folders
from hardener.kubernetes.pods.custom_resource import image_fields
from hardener.kubernetes.pods.operator_pods import OPERATED, RENDERED_ELSEWHERE
from hardener.kubernetes.pods.pod_template import PARTIAL_KINDS, runtime_specs
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_ADVICE = {
    "argoproj.io": "harden the rendered manifests: argocd app manifests ... | harden filter",
    "kustomize.toolkit.fluxcd.io": "harden the rendered manifests: flux build kustomization ... | harden filter",
    "operators.coreos.com": "kubectl get pods -o yaml > FILE and harden check FILE tell what its pods lack",
}
_HELM = "harden the rendered manifests: helm template ... | harden filter"
_FIELDS = "set security context, resources and digest in the operator's fields"
_PODS = "kubectl get pods -o yaml > FILE and harden check FILE tell what its pods lack"


def reports(tree: Tree) -> Iterator[Report]:
    """One finding for each such object of the files that may be edited."""
    known = {pod.object for pod in tree.pod_templates}
    for item in tree.objects:
        if not item.editable or "patch" in item.classes:
            continue
        if item.kind in PARTIAL_KINDS and (parts := runtime_specs(item.sent)):
            message = f"not hardened: {parts[0][-1]} of {item} runs in a container that a runtime defines elsewhere"
            advice = "set security context, resources and digest in the runtime"
            yield _report("operator-resource", "K01", item, (*item.path, *parts[0]), message, advice)
        if item in known:
            continue
        kind = item.group, item.kind
        if kind in RENDERED_ELSEWHERE:
            if not shown_folders(item):
                message = f"{item.kind} {item.name} is rendered into workloads that this tree does not show"
                topic = f"{item.kind} whose workloads this tree does not show"
                advice = _ADVICE.get(item.group, _HELM)
                yield _report("renders-elsewhere", None, item, item.path, message, advice, topic)
        elif fields := image_fields(item.sent):
            images = "an image" if len(fields) == 1 else f"{len(fields)} images"
            message = f"not hardened: {item.kind} of {item.group} names {images}, and its operator makes the pods"
            yield _operated(item, (*item.path, *fields[0]), message)
        elif kind in OPERATED:
            message = f"not hardened: the operator of {item.kind} {item.name} makes the pods"
            yield _operated(item, item.path, message)


def _operated(item: Object, path: Path, message: str) -> Report:
    topic = "object whose pods an operator makes"
    return _report("operator-resource", "K01", item, path, message, f"{_FIELDS}; {_PODS}", topic)


def _report(
    id: str, risk: str | None, item: Object, path: Path, message: str, advice: str, topic: str | None = None
) -> Report:
    file = item.piece.file.name
    return Report(
        id, risk, Severity.LOW, message, advice, file, item, item.piece, path, topic=topic, not_looked_at=True
    )  # fmt: skip
