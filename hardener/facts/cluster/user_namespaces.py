"""Whether nodes and volumes bear user namespaces for pods (``hostUsers: false``), by exports and the tree.

Source: kubernetes.io/docs/concepts/workloads/pods/user-namespaces (Linux 6.3, containerd 2.0, CRI-O 1.25; the file
systems of all volumes of a pod have to map users, which NFS does not); the kubelet asks its runtime, and does not start
a pod where that cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from hardener.authoring.edits import Evidence
from hardener.facts.objects.volume_claims import VolumeClaims
from hardener.tree.core_views import PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_KUBELET, _KERNEL = (1, 33), (6, 3)
_RUNTIMES = {"containerd": (2, 0), "cri-o": (1, 25)}
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")
# Drivers whose volumes are network file systems that do not map users, by their names.
_NOT_MAPPED = (
    "cephfs.csi.ceph.com", "efs.csi.aws.com", "file.csi.azure.com", "filestore.csi.storage.gke.io", "fsx.csi.aws.com",
    "nfs.csi.k8s.io", "smb.csi.k8s.io", "k8s-sigs.io/nfs-subdir-external-provisioner",
)  # fmt: skip


class NodeSupport(AsRead):
    """What the nodes of exports say: ``against`` user namespaces, and where all are new enough ``known``."""

    def __init__(self, tree: Tree) -> None:
        self.against: list[Evidence] = []
        self.known: list[Evidence] = []
        facts = tree.recorded.cluster if tree.recorded is not None else ()
        nodes = [fact for fact in facts if fact.kind == "Node"]
        kernels = [fact for fact in facts if fact.kind == "NodeKernel"]
        for fact in nodes:
            self._judge_node(fact.name)
        for fact in kernels:
            self._judge(f"nodes run Linux {fact.name}", fact.name, _KERNEL)
        if nodes and kernels and not self.against and not _is_old(tree, {fact.by for fact in [*nodes, *kernels]}):
            self.known = [Evidence("kubelets, runtimes and kernels of the nodes that were exported are new enough")]

    def _judge_node(self, said: str) -> None:
        """Judge a node by the versions of its kubelet and container runtime: ``v1.36.2 containerd://2.0.1``."""
        kubelet, _, runtime = said.partition(" ")
        self._judge(f"kubelets of {kubelet} run", kubelet, _KUBELET)
        name, _, version = runtime.partition("://")
        if name and name not in _RUNTIMES:
            self.against.append(Evidence(f"the container runtime of a node is {name}, which has none"))
        elif name:
            self._judge(f"nodes run {name} {version}", version, _RUNTIMES[name])

    def _judge(self, text: str, version: str, least: tuple[int, int]) -> None:
        found = _VERSION.search(version)
        if found is not None and (int(found[1]), int(found[2])) < least:
            self.against.append(Evidence(f"{text}, and user namespaces need {least[0]}.{least[1]}"))


def _is_old(tree: Tree, keys: set[str]) -> bool:
    """Whether one of the sources is too old to speak for a change (decisions.md 3)."""
    today = tree.settings.as_of or date.today()
    sources = [tree.recorded.sources[key] for key in keys] if tree.recorded is not None else []
    ages = [(today - date.fromisoformat(source.last)).days for source in sources]
    return any(age > tree.settings.oldest_recording for age in ages)


class VolumeDrivers(AsRead):
    """The provisioners of storage classes, of the tree and of exports, by the name of the class."""

    def __init__(self, tree: Tree) -> None:
        facts = tree.recorded.cluster if tree.recorded is not None else ()
        self._of_class = {
            fact.name: dict(fact.said).get("provisioner", "") for fact in facts if fact.kind == "StorageClass"
        }
        for item in tree.of("storage.k8s.io", "StorageClass"):
            self._of_class[item.name] = item.text("provisioner") or ""
        self._claims = tree.ask(VolumeClaims)

    def unmapped(self, pod: PodTemplate) -> Iterator[Evidence]:
        """The volumes of ``pod`` whose driver cannot map users."""
        for volume in pod.items("volumes"):
            driver = self._driver(pod, volume)
            if driver.endswith(_NOT_MAPPED):
                yield volume.fact(f"volume {volume.text('name') or ''} is of {driver}, which cannot map users")

    def _driver(self, pod: PodTemplate, volume: View) -> str:
        if volume.has("csi"):
            return volume.text("csi", "driver") or ""
        if not volume.has("persistentVolumeClaim"):
            return ""
        name = self._claims.storage_class(pod, volume.text("name") or "")
        return self._of_class.get(name or "", "")
