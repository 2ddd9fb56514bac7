from __future__ import annotations

from hardener.authoring.edits import Basis, Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.cluster.cloud_nodes import admin_policy, given_policies, lacking, node_role
from hardener.tree.cloud_views import PolicyAttachment, Role

from ._scaffold import IRSA

_SUFFIX = {
    "AmazonEKSWorkerNodePolicy": "worker",
    "AmazonEC2ContainerRegistryPullOnly": "ecr",
    "AmazonEKS_CNI_Policy": "cni",
}
_BEFORE = (
    "find the pods that use the rights of their node, and give each a role of its own (IRSA or EKS Pod Identity):"
    " aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=NODE_INSTANCE_ID",
    "terraform plan shows the policies that the role loses",
)


@transform(each=PolicyAttachment | Role, stage="cloud", severity=Severity.CRITICAL, peers=("checkov:CKV_AWS_274",))
def tf_node_admin_detach(block: PolicyAttachment | Role) -> Steps:
    """Detach administrator policies from the node role (Terraform).

    Problem: the node role has more rights than a node needs.

    Result: The node role has only the rights for the kubelet, image pulls and the network plugin.

    Why: every pod on the node can ask the metadata service for this role, so one compromised container owns the AWS
    account. Nodes keep only the rights of the kubelet and the network plugin; pods get their own roles (CKV_AWS_274).

    May break: pods that use the rights of their node today; they need a role of their own first.
    """
    yield from _attachment(block) if isinstance(block, PolicyAttachment) else _role(block)


def _attachment(block: PolicyAttachment) -> Steps:
    admin = admin_policy(block.literal("policy_arn"))
    roles = [address for address in block.references("role") if address.startswith("aws_iam_role.")]
    role = roles[0] if roles else str(block.literal("role") or "")
    found = node_role(block, role) if role and (admin or _may_be_admin(block)) else None
    if admin is None:
        if found is not None:
            yield from _unsure(block, "the policy is an expression")
        return
    name = admin[1]
    if found is None:
        if not roles:
            yield from _unsure(block, f"{name} is given to a role that this folder does not show")
        return
    if block.is_repeated:
        yield from _unsure(block, "count or for_each makes any number of it")
    elif not (missing := lacking(given_policies(block, role))):
        yield from _unsure(block, "the role has the policies of a node already, so the whole block can go")
    else:
        yield _detached(block, role, admin, missing, found)
        text = f"pods that used {name} of their node need a role of their own"
        yield block.finding(text, advice=f"write {IRSA}", severity=Severity.MEDIUM)


def _detached(
    block: PolicyAttachment, role: str, admin: tuple[str, str], missing: list[str], found: tuple[Evidence, bool]
) -> list[Edit]:
    """One step: what a node is ``missing`` in place of ``admin``, the partition and name of its policy."""
    (partition, name), (sign, proved) = admin, found
    basis = Basis.PROVED if proved else Basis.INFERRED
    facts = [sign] if proved else [sign, Evidence("role-inferred-by-name")]
    open_to_pods = Evidence(f"{name} of {role or block.name} is open to every pod on its nodes")
    judged = verdict(why=[*facts, open_to_pods], effect=Effect.WATCHED, basis=basis)
    arn = _arn(partition, missing[0])
    edits: list[Edit] = [block.set("policy_arn", to=arn, impact="node-rights-lost", requires=_BEFORE, **judged.words)]
    taken: set[str] = set()
    for policy in missing[1:]:
        label = _free(block, f"{block.name}_{_SUFFIX[policy]}", taken)
        value = {"role": _role_value(block), "policy_arn": _arn(partition, policy)}
        edits.append(block.behind(block.kind, label, value, **judged.along(*facts, basis=basis).words))
    return edits


def _may_be_admin(block: PolicyAttachment) -> bool:
    """Whether an expression gives an administration policy."""
    texts = block.texts("policy_arn") + block.texts("for_each")
    return block.is_computed("policy_arn") and any("AdministratorAccess" in text for text in texts)


def _role(block: Role) -> Steps:
    count = block.count("managed_policy_arns")
    found = [(index, admin_policy(block.literal("managed_policy_arns", index))) for index in range(count)]
    admins = [(index, admin) for index, admin in found if admin is not None]
    if not admins:
        return
    sign = node_role(block, block.address)
    if sign is None:
        return
    missing = lacking(given_policies(block, block.address))
    edits: list[Edit] = []
    for index, (partition, name) in admins:
        path = ("managed_policy_arns", index)
        why = [sign[0], Evidence(f"{name} is open to every pod on its nodes")]
        lost = verdict(why=why, effect=Effect.WATCHED).words
        if missing:
            arn = _arn(partition, missing.pop(0))
            edits.append(block.set(*path, to=arn, impact="node-rights-lost", requires=_BEFORE, **lost))
        else:
            edits.append(block.drop(*path, impact="node-rights-lost", requires=_BEFORE, **lost))
    for policy in missing:
        kept = verdict(why=sign[:1], effect=Effect.WATCHED)
        edits.append(block.append("managed_policy_arns", value=_arn(admins[0][1][0], policy), **kept.words))
    yield edits
    text = "pods that used the administration rights of their node need a role of their own"
    yield block.finding(text, advice=f"write {IRSA}", severity=Severity.MEDIUM)


def _unsure(block: PolicyAttachment, why: str) -> Steps:
    text = f"an administration policy of AWS, left as it is: {why}"
    advice = (
        "if nodes have this role, give it AmazonEKSWorkerNodePolicy, AmazonEC2ContainerRegistryPullOnly and "
        "AmazonEKS_CNI_Policy in its place, and pods a role of their own"
    )
    yield block.finding(text, "policy_arn", advice=advice, severity=Severity.HIGH)


def _arn(partition: str, policy: str) -> str:
    return f"arn:{partition}:iam::aws:policy/{policy}"


def _role_value(block: PolicyAttachment) -> str:
    return block.text("role") or ""


def _free(block: PolicyAttachment, name: str, taken: set[str]) -> str:
    """``name``, or with a number where the folder has a block of that name."""
    number, found = 1, name
    while found in taken or block.tree.blocks.at(f"{block.kind}.{found}", block.folder) is not None:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
