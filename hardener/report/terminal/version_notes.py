"""Whether the Kubernetes version of a run fits what the tree says, and what harden knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hardener.authoring.config import NEWEST
from hardener.kubernetes.components.flag_values import parsed_version
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

# Where a cluster says its version: kubeadm's kubernetesVersion, eksctl's metadata.version, version of aws_eks_cluster.
_SAID = (
    ("kubeadm.k8s.io", "ClusterConfiguration", ("kubernetesVersion",)),
    ("eksctl.io", "ClusterConfig", ("metadata", "version")),
)


def remarks(tree: Tree) -> Iterator[str]:
    """One line where the version is newer than harden knows, one where the tree says an older one than assumed."""
    version = tree.settings.kubernetes_version
    if version > NEWEST:
        yield f"Kubernetes {_text(version)} is newer than what harden knows: it is judged like {_text(NEWEST)}"
    said = [(found, item) for item, found in _said(tree) if found < version]
    if said:
        oldest, item = min(said, key=lambda one: one[0])
        yield (
            f"{item.piece.file.name} says Kubernetes {_text(oldest)}, older than {_text(version)}: "
            f"--kubernetes-version {_text(oldest)} leaves out what it does not have"
        )


def _said(tree: Tree) -> Iterator[tuple[Object, tuple[int, int]]]:
    items = [(item, path) for group, kind, path in _SAID for item in tree.of(group, kind)]
    if tree.terraform_files:
        items += [(block, ("version",)) for block in tree.terraform.of("aws_eks_cluster")]
    for item, path in items:
        value: Any = item.data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        version = parsed_version(value) if isinstance(value, str) else None  # as a number, 1.30 would be 1.3
        if item.editable and version is not None:
            yield item, version


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
