from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import EksctlCluster

_PATH = ("accessConfig", "authenticationMode")


@transform(each=EksctlCluster, stage="authentication", severity=Severity.MEDIUM, only_reports=True)
def eks_auth_mode(cluster: EksctlCluster) -> Steps:
    """Set the EKS authentication mode to API (eksctl).

    Problem: a ConfigMap decides who may log in to the EKS cluster.

    Result: The EKS API decides who may log in to the cluster.

    Why: whoever may write ConfigMap aws-auth is administrator of the cluster, no log of AWS shows it, and a mistake in
    it locks everybody out.

    May break: nothing, since it only reports: copy every entry first; the change cannot be undone.
    """
    if cluster.get(*_PATH) == "CONFIG_MAP":
        text = "ConfigMap aws-auth alone decides who may log in"
        advice = (
            "write API_AND_CONFIG_MAP, then an access entry for each line of aws-auth (eksctl utils"
            " migrate-to-access-entry), then API; neither step can be taken back"
        )
        yield cluster.finding(text, *_PATH, severity=Severity.MEDIUM, advice=advice)
