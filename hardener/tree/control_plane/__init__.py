"""What carries the flags of cluster components: static pods, kubeadm, Cluster API, k3s, RKE2, kops, Talos, and the
components' own configuration files. One vocabulary for all: `Component`."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.transform import Steps
from hardener.kubernetes.components.flag_values import NAMES
from hardener.tree.control_plane import reading, rules
from hardener.tree.control_plane.component import HOSTED, Component, How
from hardener.tree.control_plane.held_files import held_components
from hardener.tree.control_plane.saying import how, since
from hardener.tree.tree import Tree
from hardener.tree.view import View

__all__ = [
    "HOSTED", "AuthenticationFile", "Component", "ComponentFile", "ControlPlane", "DevelopmentCluster", "How",
    "by_table", "components", "control_planes", "held_components", "how", "since", "unread",
]  # fmt: skip


class ControlPlane(View):
    """An object that holds flags of cluster components."""

    __slots__ = ()
    type_name = "Object"
    NEEDS = "holds_components"
    KINDS = frozenset({
        ("", "Pod"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "ReplicaSet"),
        ("kubeadm.k8s.io", "ClusterConfiguration"),
        ("kubeadm.k8s.io", "InitConfiguration"),
        ("kubeadm.k8s.io", "JoinConfiguration"),
        ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
        ("controlplane.cluster.x-k8s.io", "KubeadmControlPlaneTemplate"),
        ("bootstrap.cluster.x-k8s.io", "KubeadmConfig"),
        ("bootstrap.cluster.x-k8s.io", "KubeadmConfigTemplate"),
        ("kops.k8s.io", "Cluster"),
        ("kops.k8s.io", "InstanceGroup"),
        ("rancher", "K3sConfiguration"),
        ("talos", "TalosConfiguration"),
    })  # fmt: skip

    @classmethod
    def of_tree(cls, tree: Tree) -> list[ControlPlane]:
        """Those of the files that may be edited."""
        return [carrier for carrier in control_planes(tree) if carrier.object.editable]


class ComponentFile(View):
    """The configuration file of a component."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({
        ("kubelet.config.k8s.io", "KubeletConfiguration"),
        ("kubeproxy.config.k8s.io", "KubeProxyConfiguration"),
        ("kubescheduler.config.k8s.io", "KubeSchedulerConfiguration"),
    })  # fmt: skip


class AuthenticationFile(View):
    """An AuthenticationConfiguration of the API server."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({("apiserver.config.k8s.io", "AuthenticationConfiguration")})


class DevelopmentCluster(View):
    """The configuration of kind, minikube or RKE1, in which flags are text inside text: only looked at."""

    __slots__ = ()
    KINDS = frozenset({("kind.x-k8s.io", "Cluster"), ("rke", "RkeConfiguration")})


def control_planes(tree: Tree) -> list[ControlPlane]:
    """All of the tree: of Pods and workloads the few that start a component."""
    return [
        ControlPlane(item, item.path, item.data)
        for names in sorted(ControlPlane.KINDS)
        for item in tree.of(*names)
        if item.group not in ("", "apps") or _starts_one(item)
    ]


def components(carrier: View, *names: str) -> Iterator[Component]:
    """The components whose flags ``carrier`` holds; only those called ``names`` where any are given."""
    for component in reading.components(carrier):
        if not names or component.name in names:
            yield component


def unread(carrier: View) -> Iterator[tuple[str, View, list[str]]]:
    """The components that ``carrier`` starts by a command line that cannot be read, each with its container and the
    weak flags that its text holds."""
    yield from reading.unread(carrier)


def _starts_one(carrier: View) -> bool:
    """Whether a container of the pod may start a component."""
    spec = carrier.data.get("spec")
    if carrier.object.kind != "Pod" and isinstance(spec, dict):
        spec = (spec.get("template") or {}).get("spec") if isinstance(spec.get("template"), dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    for container in containers if isinstance(containers, list) else ():
        if isinstance(container, dict):
            words = [container.get("image")]
            for key in ("command", "args"):
                found = container.get(key)
                words += found if isinstance(found, list) else ()
            if any(name in word for word in words if isinstance(word, str) for name in NAMES):
                return True
    return False


def by_table(carrier: View, id: str) -> Steps:
    """What the rules of the table for the transform ``id`` make of ``carrier``."""
    for component in components(carrier):
        yield from rules.applied(component, id)
