from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.access.views import Binding, Role
from hardener.kubernetes.rbac.subjects import GROUP

_OLD = (f"{GROUP}/v1beta1", f"{GROUP}/v1alpha1")


@transform(each=Role | Binding, stage="authorization", severity=Severity.LOW)
def rbac_api_version(target: Role | Binding) -> Steps:
    """Update the RBAC API version.

    Problem: the object has an RBAC API version that clusters no longer serve.

    Result: The role or binding has an API version that clusters serve.

    Why: Kubernetes 1.22 removed v1beta1 and v1alpha1, so the API server refuses the object, and whoever needs its
    rights may use cluster-admin instead.

    May break: nothing; v1 has the same fields, and Kubernetes serves it since 1.8.
    """
    version = target.get("apiVersion")
    if version in _OLD:
        found = verdict(known=[Evidence(f"no release since 1.22 serves {version}")], basis=Basis.PROVED)
        yield target.set("apiVersion", to=f"{GROUP}/v1", **found.words)
