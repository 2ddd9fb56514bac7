from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import Container

from ._resources import Resources, replaced, written
from ._resources import cpu_limit as limit_of


@transform(
    each=Container,
    stage="resources",
    severity=Severity.LOW,
    classes=("windows", "system-namespace", "partial"),
    options=Resources,
    # Limits of cpu: checkov/kubernetes/checks/resource, and the controls library of Kubescape.
    peers=("kube-linter:unset-cpu-requirements", "checkov:CKV_K8S_11", "polaris:cpuLimitsMissing", "kubescape:C-0270"),
)
def cpu_limit(container: Container, options: Resources) -> Steps:
    """Set a CPU limit.

    Problem: {container} has no suitable CPU limit.

    Result: The container gets no more CPU time than its limit.

    Why: a runaway loop or a miner gets a fixed share of the node and no more. If you rely on requests alone, set
    `resources.cpu-limit: none` in a profile: harden then writes a limit only where a quota asks for it.

    May break: nothing fails, but a process that used idle cores is throttled, which shows as latency or a slow start.
    """
    if container.has("resources", "limits", "cpu"):
        if edits := list(replaced(container, "cpu", options)):
            yield edits
        return
    amount = limit_of(container, options)
    if amount is not None:
        yield from written(container, "limits", "cpu", amount, options)
