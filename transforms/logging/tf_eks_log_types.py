from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.cloud_views import EksCluster, Module

from ._control_plane import COST, LOGS_ARE_OFF, ControlPlaneLogs

# The default of the module (terraform-aws-modules/eks, variables.tf).
_DEFAULT = ("audit", "api", "authenticator")


@transform(
    each=EksCluster | Module, stage="logging", severity=Severity.MEDIUM, options=ControlPlaneLogs, cis="EKS 2.1.1",
    peers=("checkov:CKV_AWS_37",),
)  # fmt: skip
def tf_eks_log_types(cluster: EksCluster | Module, options: ControlPlaneLogs) -> Steps:
    """Enable control-plane logs of an EKS cluster (Terraform).

    Problem: the control plane of the EKS cluster does not log everything.

    Result: The control plane of the EKS cluster keeps its logs.

    Why: control-plane logs are off unless requested, and they cannot be recovered afterwards.

    May break: nothing; CloudWatch bills what is logged.
    """
    name = "enabled_cluster_log_types"
    present: tuple[str, ...] = ()
    if isinstance(cluster, Module):
        if cluster.eks_part != "":
            return
        known = _attribute(cluster)
        if known is None:
            text = "the module version decides what the control plane logs, and it is not pinned"
            advice = "pin the version, and set enabled_log_types (cluster_enabled_log_types before version 21)"
            yield cluster.finding(text, advice=advice, severity=Severity.LOW)
            return
        name, present = known, () if cluster.has(known) else _DEFAULT
    if cluster.is_computed(name):
        text = "an expression decides what the control plane logs"
        advice = f"check that its value is {', '.join(options.wanted)}"
        yield cluster.finding(text, name, advice=advice, severity=Severity.LOW, not_looked_at=True)
        return
    yield from _add(cluster, name, present or cluster.strings(name), options)


def _attribute(module: Module) -> str | None:
    """The variable of the module that names the log types; None where the version is not known."""
    for known in ("enabled_log_types", "cluster_enabled_log_types"):
        if module.has(known):
            return known
    if module.major is None:
        return None
    return "enabled_log_types" if module.major >= 21 else "cluster_enabled_log_types"


def _add(cluster: EksCluster | Module, name: str, present: tuple[str, ...], options: ControlPlaneLogs) -> Steps:
    missing = [each for each in options.wanted if each not in present]
    if not missing:
        return
    inert = verdict(why=[LOGS_ARE_OFF]).words
    if cluster.has(name):
        for each in missing:
            yield cluster.append(name, value=each, follow_up=(COST,), **inert)
    else:
        every = [each for each in present if each not in options.wanted]
        every += options.wanted
        yield cluster.set(name, to=every, follow_up=(COST,), **inert)
