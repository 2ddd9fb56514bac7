from __future__ import annotations

from hardener.authoring.edits import Edit, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.cloud_views import EksctlCluster

from ._control_plane import LOGS_ARE_OFF, ControlPlaneLogs

_LOGGING = ("cloudWatch", "clusterLogging")
_RETENTION = 90  # days; without a number logs are kept, and billed, for ever


@transform(each=EksctlCluster, stage="logging", severity=Severity.MEDIUM, options=ControlPlaneLogs, cis="EKS 2.1.1")
def eksctl_logging(cluster: EksctlCluster, options: ControlPlaneLogs) -> Steps:
    """Enable control-plane logs (eksctl).

    Problem: the control plane of the EKS cluster does not log everything.

    Result: The control plane of the EKS cluster keeps its logs.

    Why: control-plane logs are off unless requested, and they cannot be recovered afterwards.

    May break: nothing; CloudWatch bills what is logged, and keeps it for 90 days.
    """
    present = cluster.strings(*_LOGGING, "enableTypes")
    missing = [] if {"*", "all"} & set(present) else [name for name in options.wanted if name not in present]
    after = ("for a cluster that runs: eksctl utils update-cluster-logging --config-file=FILE --approve",)
    inert = verdict(why=[LOGS_ARE_OFF]).words
    edits: list[Edit] = []
    if missing and not cluster.has(*_LOGGING, "enableTypes"):
        edits.append(cluster.set(*_LOGGING, "enableTypes", to=list(options.wanted), follow_up=after, **inert))
    else:
        for name in missing:
            edits.append(cluster.append(*_LOGGING, "enableTypes", value=name, follow_up=after, **inert))
    if not cluster.has(*_LOGGING, "logRetentionInDays"):
        edits.append(cluster.set(*_LOGGING, "logRetentionInDays", to=_RETENTION, follow_up=after, **inert))
    yield from edits
