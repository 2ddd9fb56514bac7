from __future__ import annotations

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.objects.pod_security_levels import keeping_ephemeral
from hardener.tree.core_views import PodTemplate, View

_KEY = "ephemeralContainers"


# After what is written for the whole pod, which a container for debugging inherits, too.
@transform(
    each=PodTemplate, stage="seccomp", severity=Severity.HIGH, pss="baseline",
    after=("apparmor-profile", "seccomp-runtime-default", "proc-mount-default", "selinux-options"),
    classes=("windows", "node-agent", "control-plane", "system-namespace"), only_reports=True,
)  # fmt: skip
def ephemeral_containers(pod: PodTemplate) -> Steps:
    """Remove debug containers from a manifest.

    Problem: the manifest holds a container that was started for debugging.

    Result: The manifest holds no ephemeral container.

    Why: such a container is added to a running pod and shares its resources. A privileged one controls the node, and
    whoever copies the manifest from Git starts it again.

    May break: nothing, since it only reports: an API server refuses a pod or template that is made with one
    (pkg/apis/core/validation), so nothing that runs depends on it.
    """
    for number, container in enumerate(pod.items(_KEY)):
        yield _finding(pod, number, container)


def _finding(pod: PodTemplate, number: int, container: View) -> Finding:
    name = container.text("name") or f"number {number + 1}"
    message = f"ephemeral container {name} is in a manifest, and the API server refuses a pod that is made with one"
    severity = Severity.LOW
    for level in ("baseline", "restricted"):
        if problems := keeping_ephemeral(pod, number, level):
            message += f"; it is below Pod Security level {level}: {', '.join(problems)}"
            severity = Severity.HIGH if level == "baseline" else Severity.LOW
            break
    return container.finding(
        message, advice="remove it from the manifest; kubectl debug adds one to a running pod", severity=severity
    )
