from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.kustomize.builds import Builds
from hardener.tree.core_views import PodTemplate


@transform(
    each=PodTemplate, stage="labels", severity=Severity.LOW, cis="5.7.4",
    classes=("windows", "node-agent", "control-plane"),
    only_reports=True, peers=("checkov:CKV_K8S_21",),
)  # fmt: skip
def default_namespace(pod: PodTemplate) -> Steps:
    """Move workloads out of the default namespace.

    Problem: the workload is in the namespace `default`.

    Result: The workload is in its own namespace.

    Why: policies, quotas and rights are given by namespace; a workload in `default` cannot be isolated from the other
    ones there.

    May break: nothing, since it only reports: Services and claims have to move, too, and callers have to use the new
    names.
    """
    if "default" not in pod.tree.ask(Builds).namespaces(pod.object):
        return  # without any namespace, whoever applies it chooses one
    path = ("metadata", "namespace") if pod.object.namespace else ("metadata",)
    advice = "create a namespace for the application and move all its objects there; data in claims stays behind"
    yield pod.object.finding(f"{pod.object} is in the namespace default", *path, advice=advice, severity=Severity.LOW)
