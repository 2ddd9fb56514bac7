from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.cluster.cloud_nodes import account_without_role
from hardener.tree.cloud_views import EksctlCluster

from ._eksctl import NEW_GROUPS, groups, name_of


@transform(each=EksctlCluster, stage="cloud", severity=Severity.MEDIUM)
def eksctl_pod_imds(cluster: EksctlCluster) -> Steps:
    """Disable the metadata service for pods (eksctl).

    Problem: pods can ask the metadata service of their node.

    Result: Pods cannot ask the metadata service of their node.

    Why: whoever takes over a container can otherwise fetch the credentials of the node, and act as the node.

    May break: pods that use the role of their node, or read region and VPC there; they need a role of their own.
    """
    without = account_without_role(cluster.tree)
    for group in groups(cluster):
        if group.get("disablePodIMDS") is True:
            continue
        if group.view("iam", "withAddonPolicies").keys():
            text = (
                f"withAddonPolicies gives rights to the nodes of {name_of(group)}; pods get them from the metadata"
                " service"
            )
            advice = "give the addons podIdentityAssociations instead, then set disablePodIMDS: true"
            yield group.finding(text, "iam", "withAddonPolicies", advice=advice, severity=Severity.MEDIUM)
            continue
        every = Evidence("every service account of the tree has a role of its own")
        found = verdict(against=[without] if without else (), absent=[every], basis=Basis.INFERRED)
        yield [group.set("disablePodIMDS", to=True, follow_up=NEW_GROUPS, **found.words)]
