from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import corrected


@transform(each=AuditPolicy, stage="logging", severity=Severity.MEDIUM, cis="3.2.2")
def audit_policy_exec(policy: AuditPolicy) -> Steps:
    """Record exec and port-forward.

    Problem: the audit policy does not record who opens shells or tunnels.

    Result: The audit log records who opened a shell or a tunnel, and with which command.

    Why: most intrusions continue with a shell in a pod, and the request holds the command.

    May break: nothing; the log grows by these requests, and by their bodies where the level includes them.
    """
    yield from corrected(policy, "exec", "the body of the request must be recorded")
