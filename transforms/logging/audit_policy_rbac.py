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

    Why: an intruder who takes more rights changes these objects, and only the body shows which rights.

    May break: nothing; the log grows by these requests, and by their bodies where the level includes them.
    """
    yield from corrected(policy, "rbac", "a change of rights must be recorded whole")
