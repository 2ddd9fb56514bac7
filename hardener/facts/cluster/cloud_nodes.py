"""Which machines of a cloud are nodes of a cluster, which role they have, and who needs it.

Every answer is evidence, or None where nothing says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Evidence
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import mapping, mappings
from hardener.support.shapes import texts as strings
from hardener.tree.blocks import Block, texts
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

BY_NAME = "inferred by name"
"""The evidence of ``node_sign`` where only the name says so."""

_WORDS = late_pattern(r"[A-Za-z][a-z]*|[A-Z]+|\d+")
_NODE_WORDS = frozenset({"node", "nodes", "worker", "workers", "nodegroup", "nodegroups", "kubelet"})
_CLUSTER_WORDS = _NODE_WORDS | {"eks", "k", "kubernetes", "karpenter", "kube"}
# What joins a machine to a cluster: scripts of the EKS images, kubeadm, k3s, RKE2.
_JOINS = (
    "/etc/eks/bootstrap",
    "nodeadm",
    "node.eks.aws",
    "kubelet",
    "kubeadm join",
    "k3s agent",
    "rke2-agent",
    "settings.kubernetes",
)
_CLUSTER_TAG = late_pattern(r"kubernetes\.io/cluster/|k8s\.io/cluster-autoscaler|eks:cluster-name")
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")
"""What kubelet, the image pull and the network plugin need (docs.aws.amazon.com/eks, node IAM role)."""

# One of these does what the policy of the key does.
_SAME = {
    "AmazonEC2ContainerRegistryPullOnly": (
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEC2ContainerRegistryPowerUser",
        "AmazonEC2ContainerRegistryFullAccess",
    ),
    "AmazonEKSWorkerNodePolicy": ("AmazonEKSWorkerNodeMinimalPolicy",),
    "AmazonEKS_CNI_Policy": (),
}  # fmt: skip
_ADMIN = late_pattern(
    r"arn:(aws|aws-cn|aws-us-gov):iam::aws:policy/(AdministratorAccess|PowerUserAccess|IAMFullAccess)"
)
# Controllers that ask the metadata service for the region, the VPC or the rights of the node.
_METADATA_READERS = {
    "aws-load-balancer-controller": "the AWS load balancer controller",
    "aws-ebs-csi-driver": "the EBS CSI driver",
    "aws-efs-csi-driver": "the EFS CSI driver",
    "cluster-autoscaler": "the cluster autoscaler",
    "external-dns": "external-dns",
    "kube2iam": "kube2iam",
    "kiam": "kiam",
}


def admin_policy(arn: object) -> tuple[str, str] | None:
    """The partition and the name of a managed policy that owns an account, or can make itself own it."""
    found = _ADMIN.fullmatch(arn) if isinstance(arn, str) else None
    return (found[1], found[2]) if found else None


def lacking(present: frozenset[str]) -> list[str]:
    """The node policies that are not among the names ``present``."""
    return [name for name in NODE_POLICIES if not present & {name, *_SAME[name]}]


def _words(name: object) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORDS.findall(str(name)))


def node_sign(block: Block) -> Evidence | None:
    """Why the machines of a launch template, an instance or a launch configuration are nodes."""
    blocks, folder = block.tree.blocks, block.folder
    for user in blocks.of("aws_eks_node_group", folder=folder):
        if block.address in user.references("launch_template"):
            return user.fact(f"{user} makes nodes from it")
    for user in blocks.of("aws_autoscaling_group", folder=folder):
        starts = block.address in user.references()
        if starts and any(_CLUSTER_TAG.search(text) for text in user.texts()):
            return user.fact(f"{user} makes nodes from it")
    if any(_CLUSTER_TAG.search(text) for text in block.texts()):
        return block.fact("it has the tag of a cluster")
    for name in ("user_data", "user_data_base64"):
        if any(word in text for text in block.texts(name) for word in _JOINS):
            return block.fact("it joins a cluster", name)
    if _words(block.name) & _CLUSTER_WORDS or _words(block.literal("name")) & (_CLUSTER_WORDS - {"k"}):
        return block.fact(BY_NAME)
    return None


def node_role(block: Block, role: str) -> tuple[Evidence, bool] | None:
    """Why the role that ``block`` calls ``role`` is one of nodes, and whether that is proved; None where it is not."""
    blocks, folder = block.tree.blocks, block.folder
    given = _giver(block, role)
    if given is not None:
        return given, True
    known = blocks.at(role, folder)
    if known is not None and (found := _karpenter(block.tree, known)):
        return found, True
    if known is not None and known.kind == "aws_iam_role":
        if not _is_for_machines(known):
            return None
        if _words(known.name) & _NODE_WORDS or _words(known.literal("name")) & _NODE_WORDS:
            return known.fact("machines of EC2 may take it, and it is called after nodes"), True
        return None
    if _words(role.rpartition(".")[2]) & _NODE_WORDS or _words(block.name) & _NODE_WORDS:
        return block.fact("role inferred by name, it is not in this folder"), False
    return None


def _giver(block: Block, role: str) -> Evidence | None:
    """What gives ``role`` to nodes beside ``block``: a node group, or a template of machines by an instance profile."""
    blocks, folder = block.tree.blocks, block.folder
    for group in blocks.of("aws_eks_node_group", folder=folder):
        if role in group.references("node_role_arn"):
            return group.fact(f"{group} gives it to its nodes", "node_role_arn")
    for profile in blocks.of("aws_iam_instance_profile", folder=folder):
        if role not in profile.references("role"):
            continue
        for template in blocks.of("aws_launch_template", "aws_launch_configuration", "aws_instance", folder=folder):
            if profile.address in template.references("iam_instance_profile") and node_sign(template):
                return template.fact(f"{template} gives it to its nodes", "iam_instance_profile")
    return None


def _is_for_machines(role: Block) -> bool:
    """Whether the trust policy of ``role`` lets machines of EC2 take it; yes where it cannot be read."""
    found = role.texts("assume_role_policy")
    if any("ec2.amazonaws" in text for text in found):
        return True
    for address in role.references("assume_role_policy"):
        document = role.tree.blocks.at(address, role.folder)
        if document is not None:
            return any("ec2.amazonaws" in text for text in document.texts())
        return True
    return False


def _karpenter(tree: Tree, role: Block) -> Evidence | None:
    name = role.literal("name")
    for item in tree.of("karpenter.k8s.aws", "EC2NodeClass"):
        if isinstance(name, str) and item.text("spec", "role") == name:
            return item.fact(f"{item} gives it to its nodes", "spec", "role")
    return None


def given_policies(block: Block, role: str) -> frozenset[str]:
    """The names of the managed policies that attachments of the folder, or the role itself, give to ``role``."""
    found: set[str] = set()
    for attachment in block.tree.blocks.of("aws_iam_role_policy_attachment", folder=block.folder):
        if role in attachment.references("role") or attachment.literal("role") == role:
            found.update(_policy_names(attachment.texts("policy_arn") + attachment.texts("for_each")))
    own = block.tree.blocks.at(role, block.folder)
    if own is not None:
        found.update(_policy_names(own.texts("managed_policy_arns")))
    return frozenset(found)


def _policy_names(texts: tuple[str, ...]) -> list[str]:
    return [name for text in texts for name in re.findall(r"\b(?:Amazon\w+|AdministratorAccess)\b", text)]


def metadata_reader(tree: Tree) -> Evidence | None:
    """A controller of the tree that asks the metadata service, since nothing gives it a role of its own."""
    for pod in tree.pod_templates:
        if pod.data.get("hostNetwork") is not True and (known := _known_reader(pod)) is not None:
            return known
    for block in tree.blocks.of("helm_release", "aws_eks_addon"):
        name = next((str(block.literal(key)) for key in ("chart", "addon_name") if block.literal(key)), "")
        if name in _METADATA_READERS and not any(_GIVES.search(text) for text in block.texts()):
            return block.fact(f"{block} has no role of its own, and uses the role of its node")
    return None


def reads_metadata(pod: PodTemplate) -> Evidence | None:
    """Why ``pod`` asks the metadata service of a cloud for its credentials: it is known to, or its arguments name a
    cloud; None where it has an identity of its own, or nothing shows a cloud."""
    known = _known_reader(pod)
    if known is not None:
        return known
    found = _names_cloud(pod)
    return found if found is not None and not _has_identity(pod) else None


def _names_cloud(pod: PodTemplate) -> Evidence | None:
    for index, container in enumerate(mappings(pod.data.get("containers"))):
        for key in ("command", "args"):
            named = next(filter(None, map(_NAMES_CLOUD.search, strings(container.get(key)))), None)
            if named is not None:
                text = f"{named[0]} makes it a client of a cloud, and it has no identity of its own"
                return pod.fact(text, "containers", index, key)
    return None


def _known_reader(pod: PodTemplate) -> Evidence | None:
    for image in _images(pod.data):
        reader = next((name for name in _METADATA_READERS if name in image), None)
        if reader is not None and not _has_identity(pod):
            return pod.object.fact(f"{_METADATA_READERS[reader]} has no role of its own, and uses the role of its node")
    return None


def _has_identity(pod: PodTemplate) -> bool:
    """Whether ``pod`` has an identity of AWS or Azure that it gets elsewhere; that of Google stands at the very
    address."""
    labels = mapping(pod.metadata.data.get("labels"))
    return labels.get(_AZURE_USE) == "true" or _has_role(pod.tree, pod.service_account)


_AZURE_USE = "azure.workload.identity/use"
# Flags by which a controller is told its cloud: external-dns, cluster-autoscaler, cloud controllers, Velero, Vault.
_NAMES_CLOUD = late_pattern(
    r"--?(?:cloud-?)?(?:provider|platform)[= ](?:aws|amazon|ec2|gce|gcp|google|azure|alibabacloud|alicloud|oci)\b"
    r"|--?cloud[= ](?:aws|gce|gcp|google|azure|alibabacloud|alicloud|oci)\b"
)
_GIVES = late_pattern(r"role-arn|role_arn|pod_identity|eks\.amazonaws\.com")


def _images(spec: dict[str, Any]) -> list[str]:
    containers = spec.get("containers")
    return [
        str(item.get("image") or "").rpartition("/")[2]
        for item in (containers if isinstance(containers, list) else ())
        if isinstance(item, dict)
    ]


def account_without_role(tree: Tree) -> Evidence | None:
    """A pod whose service account has no role of AWS, so that it may use that of its node; what says nothing of pods,
    too."""
    pods = [pod for pod in tree.pod_templates if not pod.object.classes]
    if not pods:
        return Evidence("the tree shows no pods, so who uses the role of the node is not known")
    for pod in pods:
        if pod.data.get("hostNetwork") is not True and not _has_role(tree, pod.service_account):
            return pod.object.fact(f"{pod.object} has no AWS role of its own, and may use the role of its node")
    return None


def _has_role(tree: Tree, account: str) -> bool:
    for item in tree.of("", "ServiceAccount"):
        if item.name == account and "eks.amazonaws.com/role-arn" in item.annotations:
            return True
    for group in ("eks.services.k8s.aws", "eks.aws.upbound.io"):
        for item in tree.of(group, "PodIdentityAssociation"):
            if account in texts(item.data.get("spec")):
                return True
    for item in tree.of("eksctl.io", "ClusterConfig"):
        if account in _named_by_eksctl(item):
            return True
    given = tree.blocks.of("aws_eks_pod_identity_association")
    return any(account == block.literal("service_account") for block in given)


def _named_by_eksctl(item: Object) -> Iterator[str]:
    for path in (("iam", "serviceAccounts"), ("iam", "podIdentityAssociations")):
        for entry in item.items(*path):
            name = entry.text("serviceAccountName") or entry.text("metadata", "name")
            if name:
                yield name
