from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import ClusterConfig


@transform(each=ClusterConfig, stage="secrets", severity=Severity.MEDIUM, cis="1.2.27", only_reports=True)
def eksctl_secrets_encryption(cluster: ClusterConfig) -> Steps:
    """Encrypt Secrets with your own key (eksctl).

    Problem: the EKS cluster does not encrypt Secrets with your own key.

    Result: Secrets of the cluster are encrypted with your own key.

    Why: you can disable your own KMS key, and each use of it is logged.

    May break: nothing, since it only reports: it needs the ARN of a key, and cannot be turned off again.
    """
    if cluster.has("spec") or cluster.has("secretsEncryption", "keyARN"):
        return
    advice = (
        "create a key in KMS and add {secretsEncryption: {keyARN: arn:aws:kms:REGION:ACCOUNT:key/ID}}; for a"
        " cluster that runs: eksctl utils enable-secrets-encryption"
    )
    yield cluster.finding("the cluster has no secretsEncryption", advice=advice, severity=Severity.MEDIUM)
