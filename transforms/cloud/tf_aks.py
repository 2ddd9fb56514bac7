from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import AksCluster

# (attribute, wanted, what is said of another value, severity); Terraform: azurerm_kubernetes_cluster.
_WANTED = (
    ("local_account_disabled", True, "a local administrator account bypasses Entra ID", Severity.MEDIUM),
    (
        "workload_identity_enabled",
        True,
        "pods have no identity of their own: workload identity is off",
        Severity.MEDIUM,
    ),
    ("oidc_issuer_enabled", True, "pods have no identity of their own: the OIDC issuer is off", Severity.MEDIUM),
)


@transform(
    each=AksCluster, stage="cloud", severity=Severity.MEDIUM, only_reports=True, peers=("checkov:CKV_AZURE_141",),
)  # fmt: skip
def tf_aks(cluster: AksCluster) -> Steps:
    """Use Entra ID and workload identity on AKS (Terraform).

    Problem: the AKS cluster has local users or no identity for pods.

    Result: Users of AKS come from Entra ID, and pods have their own identity.

    Why: with workload identity no pod needs the identity of its node or a stored secret; a local account belongs to
    nobody and stays when its holder leaves (CKV_AZURE_141).

    May break: nothing, since it only reports: the OIDC issuer cannot be turned off again.
    """
    for name, wanted, message, severity in _WANTED:
        if not cluster.is_computed(name) and cluster.literal(name) is not wanted:
            yield cluster.finding(
                message, *((name,) if cluster.has(name) else ()), advice=f"set {name} = true", severity=severity
            )
    if cluster.literal("role_based_access_control_enabled") is False:
        text = "the cluster has no RBAC: whoever logs in may do anything"
        advice = "create a cluster with RBAC and move to it; a change replaces this one"
        yield cluster.finding(text, "role_based_access_control_enabled", advice=advice, severity=Severity.CRITICAL)
