"""Where kubeadm is told how nodes join, in its own objects and in those of Cluster API."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.support.data_path import Path
from hardener.tree.control_plane import ControlPlane

_CLUSTER_API = {
    "KubeadmControlPlane": ("spec", "kubeadmConfigSpec"),
    "KubeadmControlPlaneTemplate": ("spec", "template", "spec", "kubeadmConfigSpec"),
    "KubeadmConfig": ("spec",),
    "KubeadmConfigTemplate": ("spec", "template", "spec"),
}


def places(carrier: ControlPlane, kind: str) -> Iterator[Path]:
    """Yield where the configuration of ``kind``, "InitConfiguration" or "JoinConfiguration", begins in ``carrier``."""
    if carrier.object.group == "kubeadm.k8s.io":
        if carrier.object.kind == kind:
            yield ()
    elif carrier.object.kind in _CLUSTER_API:
        path = (*_CLUSTER_API[carrier.object.kind], kind[0].lower() + kind[1:])
        if carrier.has(*path):
            yield path
