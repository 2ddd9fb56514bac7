from __future__ import annotations

from hardener.authoring.edits import Edit, Grade, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import EksctlCluster

from ._control_plane import ControlPlaneLogs

_LOGGING = ("cloudWatch", "clusterLogging")
_RETENTION = 90  # days; without a number logs are kept, and billed, for ever


@transform(each=EksctlCluster, stage="logging", severity=Severity.MEDIUM, options=ControlPlaneLogs, cis="EKS 2.1.1")
def eksctl_logging(cluster: EksctlCluster, options: ControlPlaneLogs) -> Steps:
    """The control plane of an EKS cluster logs what it does (eksctl).

    Why: control-plane logs are off unless requested, and they cannot be recovered afterwards.

    May break: nothing; CloudWatch bills what is logged, and keeps it for 90 days.
    """
    present = cluster.strings(*_LOGGING, "enableTypes")
    missing = [] if {"*", "all"} & set(present) else [name for name in options.wanted if name not in present]
    after = ("for a cluster that runs: eksctl utils update-cluster-logging --config-file=FILE --approve",)
    edits: list[Edit] = []
    if missing and not cluster.has(*_LOGGING, "enableTypes"):
        edits.append(cluster.set(*_LOGGING, "enableTypes", to=list(options.wanted), grade=Grade.SAFE, follow_up=after))
    else:
        edits += [
            cluster.append(*_LOGGING, "enableTypes", value=name, grade=Grade.SAFE, follow_up=after) for name in missing
        ]
    if not cluster.has(*_LOGGING, "logRetentionInDays"):
        edits.append(cluster.set(*_LOGGING, "logRetentionInDays", to=_RETENTION, grade=Grade.SAFE, follow_up=after))
    yield from edits
