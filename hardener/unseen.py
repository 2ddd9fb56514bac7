"""Objects whose pods the tree does not show: a controller of the cluster makes them (spec-workloads 3, tier 3)."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.edits import Path, Severity
from hardener.kubernetes.custom_resource import image_fields
from hardener.kubernetes.pod_template import PARTIAL_KINDS, runtime_specs
from hardener.kubernetes.rendered import RENDERED_ELSEWHERE
from hardener.outcome import Report
from hardener.views import Object
from hardener.workspace import Workspace

_HELM = "harden what it renders to: helm template ... | harden filter"
_ADVICE = {
    "argoproj.io": "harden what it renders to: argocd app manifests ... | harden filter",
    "kustomize.toolkit.fluxcd.io": "harden what it renders to: flux build kustomization ... | harden filter",
    "monitoring.coreos.com": "set in it what its pods lack: kubectl get statefulset -o yaml | harden filter names it",
}


def reports(workspace: Workspace) -> Iterator[Report]:
    """One finding for each such object of the files that may be edited."""
    known = {id(pod.object) for pod in workspace.pod_templates}
    for item in workspace.objects:
        if not item.editable:
            continue
        if item.kind in PARTIAL_KINDS and (parts := runtime_specs(item.data)):
            message = f"not hardened: {parts[0][-1]} of {item} runs in a container that a runtime defines elsewhere"
            advice = "set security context, resources and digest in the runtime"
            yield _report("operator-resource", "K01", item, (*item.path, *parts[0]), message, advice)
        if id(item) in known:
            continue
        if (item.group, item.kind) in RENDERED_ELSEWHERE:
            message = f"{item.kind} {item.name} is rendered into workloads that this tree does not show"
            yield _report("renders-elsewhere", None, item, item.path, message, _ADVICE.get(item.group, _HELM))
        elif fields := image_fields(item.data):
            images = "an image" if len(fields) == 1 else f"{len(fields)} images"
            message = f"not hardened: {item.kind} of {item.group} names {images}, and its operator makes the pods"
            advice = "set security context, resources and digest in the operator's fields"
            yield _report("operator-resource", "K01", item, (*item.path, *fields[0]), message, advice)


def _report(id: str, risk: str | None, item: Object, path: Path, message: str, advice: str) -> Report:
    return Report(id, risk, Severity.LOW, message, advice, item.piece.file.name, item, item.piece, path)
