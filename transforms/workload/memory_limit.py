from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import Container

from . import _recorded_use as recorded_use
from ._resources import Resources, replaced, written
from ._resources import memory_limit as limit_of


@transform(
    each=Container,
    stage="resources",
    severity=Severity.LOW,
    classes=("windows", "node-agent", "system-namespace", "partial"),
    options=Resources,
    # Limits of memory: checkov/kubernetes/checks/resource, and the controls library of Kubescape.
    peers=(
        "kube-linter:unset-memory-requirements",
        "checkov:CKV_K8S_13",
        "polaris:memoryLimitsMissing",
        "kubescape:C-0271",
    ),
)
def memory_limit(container: Container, options: Resources) -> Steps:
    """Set a memory limit.

    Problem: {container} has no suitable memory limit.

    Result: The container gets no more memory than its limit.

    Why: a leak, or a miner that came in through a bug, is stopped in its own container instead of starving the node
    and every pod on it.

    May break: a process that needs more is killed, perhaps only under load and long after the rollout.
    """
    if container.has("resources", "limits", "memory"):
        if edits := list(replaced(container, "memory", options)):
            yield edits
        if (killed := recorded_use.killed(container)) is not None:
            advice = "raise the limit, or find out what takes the memory"
            yield container.finding(killed.text, "resources", "limits", "memory", advice=advice, severity=Severity.LOW)
        return
    amount = limit_of(container, options)
    if amount is not None:
        yield from written(container, "limits", "memory", amount, options)
