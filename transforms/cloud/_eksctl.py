"""Node groups of an eksctl configuration."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.tree.cloud_views import EksctlCluster
from hardener.tree.view import View

NEW_GROUPS = (
    "eksctl changes existing node groups only by new ones: eksctl create nodegroup --config-file=FILE, then eksctl "
    "delete nodegroup of the old ones",
)


def groups(cluster: EksctlCluster) -> Iterator[View]:
    """Yield the node groups, managed ones and others."""
    for key in ("nodeGroups", "managedNodeGroups"):
        yield from cluster.items(key)


def name_of(group: View) -> str:
    return group.text("name") or "a node group"
