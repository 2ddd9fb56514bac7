"""What a cluster in a cloud is made of, as views: resources of Terraform, and the objects of eksctl, Karpenter,
Cluster API and kOps."""

from __future__ import annotations

import re

from hardener.tree.blocks import Block
from hardener.tree.view import View

# Sources of modules (developer.hashicorp.com/terraform/language/modules/sources): the part of a package stands behind
# two slashes, the revision of a Git repository behind "?ref=".
_EKS = re.compile(
    r"(?:registry\.(?:terraform\.io|opentofu\.org)/)?terraform-aws-modules/eks/aws(?://?(?P<part>[^?]*))?"
    r"|(?:git::)?(?:(?:https|ssh|git)://)?(?:git@)?github\.com[/:]terraform-aws-modules/terraform-aws-eks(?:\.git)?"
    r"(?://(?P<within>[^?]*))?(?:\?.*)?"
)
# The module for launch templates of the blueprints of AWS up to version 4, which takes metadata options in its call.
# Source: aws-ia/terraform-aws-eks-blueprints, modules/launch-templates/variables.tf.
_TEMPLATES = re.compile(
    r"(?:git::)?(?:(?:https|ssh|git)://)?(?:git@)?github\.com[/:]aws-ia/terraform-aws-eks-blueprints(?:\.git)?"
    r"//modules/launch-templates(?:\?.*)?"
)
# The blueprints as a whole, which make a cluster and its nodes up to version 4.
# Source: aws-ia/terraform-aws-eks-blueprints v4, variables.tf.
_BLUEPRINTS = re.compile(
    r"(?:registry\.(?:terraform\.io|opentofu\.org)/)?aws-ia/eks-blueprints/aws"
    r"|(?:git::)?(?:(?:https|ssh|git)://)?(?:git@)?github\.com[/:]aws-ia/terraform-aws-eks-blueprints(?:\.git)?/*(?:\?[^/]*)?"
)
_LAST_WITH_NODES = 4
_REF = re.compile(r"[?&]ref=([^&]+)")
_PINNED = re.compile(r"(?:=|~>)?\s*v?(\d+)(?:\.|\s*(?:,|$))")


class NodeTemplate(Block):
    """What virtual machines of AWS are made from, or such a machine."""

    __slots__ = ()
    TYPES = frozenset({"aws_launch_template", "aws_instance", "aws_launch_configuration"})


class PolicyAttachment(Block):
    """A policy of AWS given to a role."""

    __slots__ = ()
    TYPES = frozenset({"aws_iam_role_policy_attachment"})


class Role(Block):
    """A role of AWS."""

    __slots__ = ()
    TYPES = frozenset({"aws_iam_role"})


class TrustPolicy(Block):
    """A policy document of AWS: the one data source that holds what its author decides, and looks nothing up."""

    __slots__ = ()
    TYPES = frozenset({"data.aws_iam_policy_document"})


class EksCluster(Block):
    """A cluster of EKS."""

    __slots__ = ()
    TYPES = frozenset({"aws_eks_cluster"})


class Module(Block):
    """A call of a module."""

    __slots__ = ()
    TYPES = frozenset({"module"})

    @property
    def eks_part(self) -> str | None:
        """Which part of the EKS module of terraform-aws-modules it calls: "" for the whole, "modules/karpenter"; None
        for any other module. Its source is the registry or a Git repository."""
        found = _EKS.fullmatch(str(self.literal("source") or ""))
        return None if found is None else found["part"] or found["within"] or ""

    @property
    def makes_templates(self) -> bool:
        """Whether it calls the module for launch templates of the EKS blueprints."""
        return _TEMPLATES.fullmatch(str(self.literal("source") or "")) is not None

    @property
    def is_blueprints(self) -> bool:
        """Whether it calls the EKS blueprints as a whole, in a version that makes nodes or in one that is not known."""
        calls = _BLUEPRINTS.fullmatch(str(self.literal("source") or "")) is not None
        return calls and (self.major is None or self.major <= _LAST_WITH_NODES)

    @property
    def major(self) -> int | None:
        """The version that it is pinned to, up to the first dot; None where it is not, or may be a later one."""
        version = str(self.literal("version") or "")
        if not version:
            found = _REF.search(str(self.literal("source") or ""))
            version = found[1] if found is not None else ""
        pinned = _PINNED.match(version.strip())
        return int(pinned[1]) if pinned is not None else None


class GkeCluster(Block):
    """A cluster of GKE."""

    __slots__ = ()
    TYPES = frozenset({"google_container_cluster"})


class GkeNodes(Block):
    """Where nodes of GKE are configured: a node pool, or a cluster."""

    __slots__ = ()
    TYPES = frozenset({"google_container_cluster", "google_container_node_pool"})


class AksCluster(Block):
    """A cluster of AKS."""

    __slots__ = ()
    TYPES = frozenset({"azurerm_kubernetes_cluster"})


class EksctlCluster(View):
    """The configuration of eksctl."""

    __slots__ = ()
    KINDS = frozenset({("eksctl.io", "ClusterConfig")})
    type_name = "Object"


class NodeClass(View):
    """What Karpenter makes nodes of AWS from."""

    __slots__ = ()
    KINDS = frozenset({("karpenter.k8s.aws", "EC2NodeClass")})
    type_name = "Object"


class AwsMachineTemplate(View):
    """What Cluster API makes machines of AWS from."""

    __slots__ = ()
    KINDS = frozenset({("infrastructure.cluster.x-k8s.io", "AWSMachineTemplate")})
    type_name = "Object"


class AwsControlPlane(View):
    """A control plane of EKS, of Cluster API."""

    __slots__ = ()
    KINDS = frozenset({("controlplane.cluster.x-k8s.io", "AWSManagedControlPlane")})
    type_name = "Object"


class InstanceGroup(View):
    """The machines of a kOps cluster."""

    __slots__ = ()
    KINDS = frozenset({("kops.k8s.io", "InstanceGroup")})
    type_name = "Object"


class ConfigMap(View):
    """A ConfigMap."""

    __slots__ = ()
    KINDS = frozenset({("", "ConfigMap")})
    type_name = "Object"
