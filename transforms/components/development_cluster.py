from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import DevelopmentCluster, signs


@transform(each=DevelopmentCluster, stage="components", severity=Severity.LOW, only_reports=True)
def development_cluster(cluster: DevelopmentCluster) -> Steps:
    """Correct insecure flags of a kind or RKE1 cluster.

    Problem: the cluster starts a component with an insecure flag.

    Result: The cluster starts its components with safe flags.

    Why: its flags are a text within a text, which no tool checks, and others can often reach a trial cluster.

    May break: nothing, since it only reports.
    """
    for text in signs.weak_texts(cluster):
        advice = "if others can reach the cluster, remove it and create the cluster again"
        yield cluster.finding(f"the flags of a component hold {text}", severity=Severity.LOW, advice=advice)
