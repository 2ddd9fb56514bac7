"""K04: policies that take the token from pods when it is mounted already."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import MutatingPolicy
from hardener.kubernetes.policies.cel_mutation import may_set

_FIELD = "automountServiceAccountToken"


@transform(each=MutatingPolicy, stage="policy", severity=Severity.MEDIUM, only_reports=True)
def late_token_policy(policy: MutatingPolicy) -> Steps:
    """Replace the policy that acts after the token mount.

    Problem: the policy removes the token only after it was mounted.

    Result: The token is not mounted.

    Why: the API server runs MutatingAdmissionPolicies after its own plugins. By then the plugin ServiceAccount has
    mounted the token: the field says false, and the token is still in the pod.

    May break: nothing, since it only reports.
    """
    if not policy.visits_pods:
        return
    expressions = list(policy.expressions())
    if any("volumeMounts" in text for _, text in expressions):
        return
    for path, text in expressions:
        if may_set(text, _FIELD, "false"):
            message = (
                f"{policy.object} sets {_FIELD} of pods after the token is mounted: the field says false, but the"
                " token is there"
            )
            advice = f"remove the policy, and set {_FIELD}: false in the service accounts, or in the pod templates"
            yield policy.finding(message, *path, severity=Severity.MEDIUM, advice=advice)
            return
