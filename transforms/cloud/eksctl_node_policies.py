from __future__ import annotations

from typing import Any

from hardener.authoring.edits import Basis, Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.cluster.cloud_nodes import admin_policy, lacking
from hardener.tree.cloud_views import EksctlCluster
from hardener.tree.view import View

from ._eksctl import NEW_GROUPS, groups, name_of

_LIST = ("iam", "attachPolicyARNs")
_OF_NODES = Evidence(
    "kubelet, image pulls and the network plugin need it, and the list replaces the defaults of eksctl"
)


@transform(each=EksctlCluster, stage="cloud", severity=Severity.CRITICAL)
def eksctl_node_policies(cluster: EksctlCluster) -> Steps:
    """Remove administrator policies from the node role (eksctl).

    Problem: the node role has more rights than a node needs.

    Result: The node role has only the rights for the kubelet, image pulls and the network plugin.

    Why: every pod on the node can ask the metadata service for this role, so one compromised container owns the AWS
    account. The list replaces the defaults of eksctl, so it names the three policies of a node.

    May break: pods that use the rights of their node today; they need a role of their own first.
    """
    for group in groups(cluster):
        edits = _edits(group)
        if edits:
            yield edits
        for index, arn in enumerate(group.strings(*_LIST)):
            if "$" in arn:
                text = f"{arn} is filled in later, so the rights of the nodes of {name_of(group)} are not known"
                advice = "check that it is none of AdministratorAccess, PowerUserAccess, IAMFullAccess"
                yield group.finding(text, *_LIST, index, advice=advice, not_looked_at=True)


def _edits(group: View) -> list[Edit]:
    arns = group.strings(*_LIST)
    admins = [(index, admin) for index, arn in enumerate(arns) if (admin := admin_policy(arn)) is not None]
    if not admins:
        return []
    why = [Evidence(f"every pod of {name_of(group)} can use {admins[0][1][1]}")]
    missing = lacking(frozenset(arn.rpartition("/")[2] for arn in arns))
    partition = admins[0][1][0]
    before = ("find the pods that use the rights of their node, and give each a podIdentityAssociation",)
    found = verdict(why=why, effect=Effect.WATCHED)
    lost: dict[str, Any] = {**found.words, "impact": "node-rights-lost", "requires": before, "follow_up": NEW_GROUPS}
    edits: list[Edit] = []
    for index, _ in admins:
        if missing:
            edits.append(group.set(*_LIST, index, to=f"arn:{partition}:iam::aws:policy/{missing.pop(0)}", **lost))
        else:
            edits.append(group.drop(*_LIST, index, **lost))
    for policy in missing:
        value = f"arn:{partition}:iam::aws:policy/{policy}"
        edits.append(group.append(*_LIST, value=value, **found.along(_OF_NODES, basis=Basis.ASSUMED).words))
    return edits
