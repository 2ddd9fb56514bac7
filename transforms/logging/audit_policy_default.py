from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.audit.properties import shadowed
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import described, inserted


@transform(
    each=AuditPolicy, stage="logging", severity=Severity.MEDIUM, cis="3.2.2",
    after=("audit-policy-admission", "audit-policy-exec", "audit-policy-pods", "audit-policy-rbac",
           "audit-policy-secrets"),
)  # fmt: skip
def audit_policy_default(policy: AuditPolicy) -> Steps:
    """Record every request.

    Problem: the audit policy does not record some requests.

    Result: The audit log records at least who made each request, and when.

    Why: a request that matches no rule is not recorded at all, and nobody knows in advance which one will matter.

    May break: nothing; the log grows by a line or two for each request that was left out.
    """
    if not policy.judged:
        return
    found = policy.violations("default")
    missing = [violation for violation in found if violation.verdict.rule is None]
    if missing:
        yield inserted(policy, "default", missing, "every other request must be recorded")
    objects = [violation for violation in found if violation.request.resource]
    for rule in shadowed(objects):
        first = next(violation for violation in objects if violation.verdict.rule == rule)
        text = f"this rule leaves {described(first)} out of the log"
        advice = "narrow it to the components and requests that are noise, or give it level Metadata"
        yield policy.finding(text, "rules", rule, advice=advice, severity=Severity.LOW)
