from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import corrected


@transform(each=AuditPolicy, stage="logging", severity=Severity.MEDIUM, cis="3.2.2")
def audit_policy_rbac(policy: AuditPolicy) -> Steps:
    """Record the bodies of RBAC changes.

    Problem: the audit policy does not record RBAC changes in full.

    Result: The audit log records every change of roles and bindings in full.

    Why: whoever gives himself rights changes these objects, and only the body says which rights they were.

    May break: nothing; the log grows by these requests, with their bodies where the level says so.
    """
    yield from corrected(policy, "rbac", "a change of rights must be recorded whole")
