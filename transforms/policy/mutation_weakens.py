"""K04: policies that loosen pods when they are created."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import MutatingPolicy
from hardener.kubernetes.policies.cel_mutation import may_set

# Fields with the value that takes a guard away.
_WEAK = (
    ("privileged", "true"), ("allowPrivilegeEscalation", "true"), ("hostNetwork", "true"), ("hostPID", "true"),
    ("hostIPC", "true"), ("hostUsers", "true"), ("runAsNonRoot", "false"), ("runAsUser", "0"),
    ("readOnlyRootFilesystem", "false"), ("automountServiceAccountToken", "true"),
)  # fmt: skip


@transform(each=MutatingPolicy, stage="policy", severity=Severity.HIGH, only_reports=True)
def mutation_weakens(policy: MutatingPolicy) -> Steps:
    """Remove mutations that weaken pods.

    Problem: the mutating policy takes a security setting from pods.

    Result: The cluster runs pods with the settings of their manifests.

    Why: the policy changes a pod after its manifest is applied: the pod does not run as the repository says, and the
    manifest does not show it.

    May break: nothing, since it only reports: set the field in the pods that need it.
    """
    if not policy.visits_pods:
        return
    for path, text in policy.expressions():
        found = [f"{field}: {value}" for field, value in _WEAK if may_set(text, field, value)]
        if found:
            yield policy.finding(
                f"{policy.object} sets {', '.join(found)} in pods when they are created",
                *path,
                advice="remove it from the policy; write it in the manifests of the pods that need it",
                severity=Severity.HIGH,
            )
            return
