from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.audit_policy_views import AuditPolicy


@transform(
    each=AuditPolicy, stage="logging", severity=Severity.HIGH, after=("audit-policy-default",), only_reports=True,
)  # fmt: skip
def audit_policy_valid(policy: AuditPolicy) -> Steps:
    """Correct the audit policy.

    Problem: the API server cannot start with the audit policy.

    Result: The API server can start with the audit policy.

    Why: one wrong field in the policy keeps the server from starting, and without the server nobody can change the
    cluster.

    May break: nothing, since it only reports: only its author knows what the rule should say.
    """
    if policy.length == 0:
        message = "an API server does not start with this policy: it has no rule"
        advice = "write at least - level: Metadata; the profile restricted writes the rules it needs"
        yield policy.finding(message, "rules", advice=advice, severity=Severity.HIGH)
    for path, text in policy.problems():
        message = f"an API server does not start with this policy: {text}"
        advice = "correct it before it reaches a control-plane node; until then harden checks nothing else in it"
        yield policy.finding(message, *path, advice=advice, severity=Severity.HIGH)
