from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import EksCluster


@transform(
    each=EksCluster, stage="secrets", severity=Severity.MEDIUM, cis="EKS 5.3.1", only_reports=True,
    peers=("checkov:CKV_AWS_58",),
)  # fmt: skip
def tf_eks_encryption(cluster: EksCluster) -> Steps:
    """Encrypt Secrets of an EKS cluster with your own key (Terraform).

    Problem: the EKS cluster does not encrypt Secrets with your own key.

    Result: Secrets of the EKS cluster are encrypted with your own key.

    Why: whoever has a backup or a disk of etcd can read every Secret, unless that also needs a key from elsewhere
    (CKV_AWS_58).

    May break: nothing, since it only reports: it needs a key, and cannot be turned off again.
    """
    if not cluster.count("encryption_config") and not cluster.has_dynamic("encryption_config"):
        advice = (
            'add encryption_config { provider { key_arn = aws_kms_key.eks.arn } resources = ["secrets"] }, each '
            "argument on a line of its own"
        )
        yield cluster.finding("Secrets are not encrypted with your own key", advice=advice, severity=Severity.MEDIUM)
