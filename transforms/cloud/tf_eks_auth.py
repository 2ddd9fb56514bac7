from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import EksCluster

_BLOCK = ("access_config", 0)


@transform(each=EksCluster, stage="cloud", severity=Severity.MEDIUM, only_reports=True)
def tf_eks_auth(cluster: EksCluster) -> Steps:
    """Use access entries for EKS (Terraform).

    Problem: a ConfigMap decides who may log in to the EKS cluster.

    Result: Access entries decide who may log in to the EKS cluster.

    Why: the ConfigMap aws-auth can be changed by whoever may write ConfigMaps in kube-system, and no log of AWS shows
    it; the identity that created the cluster remains an administrator, and no list shows it.

    May break: nothing, since it only reports: a change of the mode cannot be undone.
    """
    if cluster.literal(*_BLOCK, "authentication_mode") == "CONFIG_MAP":
        text = "ConfigMap aws-auth alone decides who may log in to the cluster"
        advice = 'write aws_eks_access_entry for each line of aws-auth, then set "API_AND_CONFIG_MAP", then "API"'
        yield cluster.finding(text, *_BLOCK, "authentication_mode", advice=advice, severity=Severity.MEDIUM)
    if cluster.literal(*_BLOCK, "bootstrap_cluster_creator_admin_permissions") is True:
        yield cluster.finding(
            "whoever creates the cluster stays its administrator",
            *_BLOCK,
            "bootstrap_cluster_creator_admin_permissions",
            advice="write an aws_eks_access_entry for the administrators, and set it to false with the next cluster: a "
            "change replaces this one",
            severity=Severity.LOW,
        )
