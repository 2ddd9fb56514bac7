from __future__ import annotations

from hardener.cloud import EksCluster
from hardener.declare import Steps, transform
from hardener.edits import Severity

_OPEN = frozenset({"0.0.0.0/0", "::/0"})
_ADVICE = (
    "set endpoint_private_access = true, and endpoint_public_access = false or public_access_cidrs to the addresses of "
    "those who use it"
)


@transform(each=EksCluster, stage="exposure", severity=Severity.HIGH, cis="EKS 5.4.2")
def tf_eks_endpoint(cluster: EksCluster) -> Steps:
    """The API server of an EKS cluster does not answer the whole internet (Terraform).

    Why: a leaked token, or the next flaw of the API server, is then of no use from just anywhere (CKV_AWS_39).

    May break: nothing, since it only reports: which addresses need the API server, no file says.
    """
    for index in range(cluster.count("vpc_config")):
        path = ("vpc_config", index)
        if cluster.literal(*path, "endpoint_public_access") is False or cluster.is_computed(*path):
            continue  # an expression may close it
        ranges = cluster.strings(*path, "public_access_cidrs")
        if not ranges or _OPEN & set(ranges):
            yield cluster.finding(
                "the API server answers any address of the internet", *path, advice=_ADVICE, severity=Severity.HIGH
            )
