from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import corrected


@transform(each=AuditPolicy, stage="logging", severity=Severity.MEDIUM, cis="3.2.2")
def audit_policy_admission(policy: AuditPolicy) -> Steps:
    """Record changes of admission webhooks.

    Problem: the audit policy does not record changes of admission webhooks or certificate approvals.

    Result: The audit log records changes of admission webhooks and certificate approvals.

    Why: a webhook sees and changes every object, and an approved certificate is a login that cannot be revoked.

    May break: nothing; the log grows by these requests, and by their bodies where the level includes them.
    """
    yield from corrected(policy, "admission", "the body of the request must be recorded")
