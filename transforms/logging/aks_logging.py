from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import AksCluster

_AUDIT = frozenset({"kube-audit", "kube-audit-admin"})


@transform(each=AksCluster, stage="logging", severity=Severity.MEDIUM, cis="AKS 2.1.1", only_reports=True)
def aks_logging(cluster: AksCluster) -> Steps:
    """Keep the audit log of an AKS cluster (Terraform).

    Problem: the AKS cluster keeps no audit log.

    Result: The audit log of the AKS cluster is kept.

    Why: AKS keeps no log of its control plane unless a diagnostic setting sends it somewhere.

    May break: nothing, since it only reports: you decide where the logs go.
    """
    for setting in cluster.tree.blocks.of("azurerm_monitor_diagnostic_setting"):
        texts = set(setting.texts())
        if _AUDIT & texts and "guard" in texts:
            return
        if {"audit", "allLogs"} & texts or setting.is_computed("enabled_log"):
            return
    yield cluster.finding(
        "no diagnostic setting of the tree keeps the audit log",
        advice=f"write an azurerm_monitor_diagnostic_setting for {cluster.address}.id with enabled_log for "
        "kube-audit-admin and guard",
        severity=Severity.MEDIUM,
    )
