from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import FOLLOW_UP


@transform(each=AuditPolicy, stage="logging", severity=Severity.LOW, after=("audit-exec-keep-response-started",))
def audit_policy_omit_request_received(policy: AuditPolicy) -> Steps:
    """Omit the stage RequestReceived.

    Problem: the audit policy records every request twice.

    Result: The audit log records each request once.

    Why: the line of the response says the same, and how the request ended; without the first line the same disk holds a
    log of twice the time.

    May break: nothing that reads responses; a request that stops the server before it answers leaves no line.
    """
    if policy.has("omitStages") or not policy.judged:
        return
    fact = policy.fact("every request is recorded twice: when it arrives and when it is answered")
    found = verdict(known=[fact], basis=Basis.PROVED)
    yield policy.set("omitStages", to=["RequestReceived"], follow_up=FOLLOW_UP, **found.words)
