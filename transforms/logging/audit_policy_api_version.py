from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.audit_policy_views import GROUP, AuditPolicy

from ._policy import FOLLOW_UP

_OLD = ("v1alpha1", "v1beta1")


@transform(each=AuditPolicy, stage="logging", severity=Severity.MEDIUM)
def audit_policy_api_version(policy: AuditPolicy) -> Steps:
    """Set the audit policy version to v1.

    Problem: the audit policy has an API version that no longer exists.

    Result: The audit policy has the API version audit.k8s.io/v1.

    Why: since Kubernetes 1.24 an API server does not start with a policy of an older version. The fields are the same.

    May break: nothing; Kubernetes knows v1 since 1.12.
    """
    if policy.version in _OLD:
        fact = policy.fact(f"audit.k8s.io/{policy.version} is gone since Kubernetes 1.24", "apiVersion")
        found = verdict(known=[fact], basis=Basis.PROVED)
        yield policy.set("apiVersion", to=f"{GROUP}/v1", follow_up=FOLLOW_UP, **found.words)
