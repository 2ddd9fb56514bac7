from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import EksCluster, Module

_OPEN = frozenset({"0.0.0.0/0", "::/0"})
_ADVICE = (
    "set endpoint_private_access = true, and endpoint_public_access = false or public_access_cidrs to the addresses of "
    "those who use it"
)
# Its variables before version 21 have a prefix (terraform-aws-modules/eks, docs/UPGRADE-21.0.md).
_PREFIXES = ("cluster_", "")


@transform(
    each=EksCluster | Module, stage="exposure", severity=Severity.HIGH, cis="EKS 5.4.2", only_reports=True,
    peers=("checkov:CKV_AWS_38", "checkov:CKV_AWS_39"),
)  # fmt: skip
def tf_eks_endpoint(cluster: EksCluster | Module) -> Steps:
    """Restrict the public endpoint of an EKS cluster (Terraform).

    Problem: the API server of the EKS cluster is open to the internet.

    Result: The API server of the EKS cluster answers only the addresses that need it.

    Why: a leaked token, or the next flaw of the API server, then cannot be used from every address of the internet
    (CKV_AWS_39).

    May break: nothing, since it only reports: no file says which addresses need the API server.
    """
    if isinstance(cluster, Module):
        yield from _of_module(cluster)
        return
    for index in range(cluster.count("vpc_config")):
        path = ("vpc_config", index)
        if cluster.literal(*path, "endpoint_public_access") is False or cluster.is_computed(*path):
            continue  # an expression may close it
        ranges = cluster.strings(*path, "public_access_cidrs")
        if not ranges or _OPEN & set(ranges):
            yield cluster.finding(
                "the API server answers any address of the internet", *path, advice=_ADVICE, severity=Severity.HIGH
            )


def _of_module(module: Module) -> Steps:
    """The module keeps the endpoint private unless it is told otherwise (before version 19 it opens it), and one that
    is open is so for everybody."""
    if module.eks_part != "":
        return
    for prefix in _PREFIXES:
        public, cidrs = f"{prefix}endpoint_public_access", f"{prefix}endpoint_public_access_cidrs"
        by_default = prefix == _PREFIXES[0] and not module.has(public) and _opens_by_default(module)
        if not (by_default or module.literal(public) is True) or module.is_computed(cidrs):
            continue
        ranges = module.strings(cidrs)
        if not ranges or _OPEN & set(ranges):
            text = "the API server answers any address of the internet"
            advice = f"set {public} = false, or {cidrs} to the addresses of those who use it"
            yield module.finding(text, *([] if by_default else [public]), advice=advice, severity=Severity.HIGH)


def _opens_by_default(module: Module) -> bool:
    """Whether it is pinned to a version before 19 (terraform-aws-modules/eks, docs/UPGRADE-19.0.md)."""
    return module.major is not None and module.major < 19
