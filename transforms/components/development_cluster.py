from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import DevelopmentCluster, signs


@transform(each=DevelopmentCluster, stage="components", severity=Severity.LOW, only_reports=True)
def development_cluster(cluster: DevelopmentCluster) -> Steps:
    """A cluster that kind or RKE1 makes starts its components with safe flags.

    Why: its flags are text inside text, which no one checks; what begins as a trial is soon reached by others.

    May break: nothing, since it only reports.
    """
    for text in signs.weak_texts(cluster):
        yield cluster.finding(
            f"{text} stands in the flags of a component",
            severity=Severity.LOW,
            advice="where the cluster is reached by others, take it out and make the cluster anew",
        )
