from __future__ import annotations

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.support.shell_words import command
from hardener.tree.cloud_views import EksctlCluster


@transform(each=EksctlCluster, stage="cloud", severity=Severity.MEDIUM)
def eksctl_oidc(cluster: EksctlCluster) -> Steps:
    """Enable the OIDC provider (eksctl).

    Problem: the EKS cluster has no OIDC provider for roles of service accounts.

    Result: A service account can have its own AWS role.

    Why: with the OIDC provider a service account can assume its own role instead of the node's.

    May break: nothing; the network plugin also gets its own role.
    """
    if cluster.get("iam", "withOIDC") is True or cluster.has("iam", "podIdentityAssociations"):
        return
    name = cluster.text("metadata", "name") or "NAME"
    associate = command("eksctl utils associate-iam-oidc-provider --cluster {} --approve", name)
    after = (f"for a cluster that runs: {associate}",)
    found = verdict(why=[Evidence("eksctl makes no OIDC provider unless it is told to")], effect=Effect.WATCHED)
    yield cluster.set("iam", "withOIDC", to=True, follow_up=after, **found.words)
