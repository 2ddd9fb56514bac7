from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import EksctlCluster

from ._eksctl import groups, name_of

_PATH = ("iam", "withAddonPolicies")


@transform(each=EksctlCluster, stage="cloud", severity=Severity.MEDIUM, only_reports=True)
def eksctl_node_addon_policies(cluster: EksctlCluster) -> Steps:
    """Move addon policies off the node role (eksctl).

    Problem: every pod on the nodes has the rights of an addon.

    Result: Only the addon has the rights of the addon.

    Why: withAddonPolicies adds rights to the role of the node, so every pod on the node can change DNS records, disks
    or the size of the cluster.

    May break: nothing, since it only reports: the addon needs its own role first.
    """
    for group in groups(cluster):
        given = [name for name in group.view(*_PATH).keys() if group.get(*_PATH, name) is True]
        if given:
            text = f"every pod of {name_of(group)} has the rights of {', '.join(given)}"
            advice = "write iam.podIdentityAssociations with wellKnownPolicies for each addon, and remove it here"
            yield group.finding(text, *_PATH, advice=advice, severity=Severity.MEDIUM)
