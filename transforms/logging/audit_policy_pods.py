from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import corrected


@transform(each=AuditPolicy, stage="logging", severity=Severity.MEDIUM, cis="3.2.2")
def audit_policy_pods(policy: AuditPolicy) -> Steps:
    """Record the bodies of pod requests.

    Problem: the audit policy does not record what is started.

    Result: The audit log records the request of everything that is started.

    Why: the request shows a privileged pod, a hostPath or a foreign image, and detection rules read it.

    May break: nothing; the log grows by these requests, and by their bodies where the level includes them.
    """
    yield from corrected(policy, "pods", "the body of the request must be recorded")
