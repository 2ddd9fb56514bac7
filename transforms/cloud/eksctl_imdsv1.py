from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.tree.cloud_views import EksctlCluster

from ._eksctl import NEW_GROUPS, groups
from ._imds import BEFORE


@transform(each=EksctlCluster, stage="cloud", severity=Severity.HIGH)
def eksctl_imdsv1(cluster: EksctlCluster) -> Steps:
    """Disable IMDSv1 (eksctl).

    Problem: the metadata service of the nodes answers without a session token.

    Result: The metadata service answers only requests with a session token.

    Why: IMDSv1 answers a simple GET, which a server-side request forgery can make. eksctl turns it off by itself unless
    it is told not to.

    May break: software with an SDK from before 2019 that knows IMDSv1 only.
    """
    for group in groups(cluster):
        if group.get("disableIMDSv1") is False:
            found = verdict(why=[group.fact("IMDSv1 is left on", "disableIMDSv1")], effect=Effect.WATCHED)
            yield [group.set("disableIMDSv1", to=True, requires=BEFORE, follow_up=NEW_GROUPS, **found.words)]
