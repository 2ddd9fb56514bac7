"""Roles and bindings that belong to the cluster, and what every cluster has.

Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy. Names of providers: EKS, GKE and AKS put theirs into
every cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardener.kubernetes.rbac.bootstrap import bootstrap_role, is_bootstrapped

_PREFIXES = ("system:", "kubeadm:", "eks:", "gce:", "aks-")
PUBLIC = frozenset({("ClusterRole", "system:public-info-viewer"), ("Role", "kubeadm:bootstrap-signer-clusterinfo")})
"""What callers without a credential may be bound to, by kind and name."""
DISCOVERY = frozenset(
    {("ClusterRole", name) for name in ("system:basic-user", "system:discovery", "system:public-info-viewer")}
)
"""What every account may be bound to, by kind and name."""


def owner(kind: str, value: Mapping[str, Any]) -> str | None:
    """Why the role or binding ``value`` of ``kind`` is not for the tree to change; None for one that is.

    What it is called, and how it is labelled, says nothing: who sends it may have written that."""
    if (version := is_bootstrapped(kind, value)) is not None:
        return f"it is what {version} itself makes"
    if value.get("aggregationRule"):
        return "a controller fills in its rules (aggregationRule)"
    return None


def is_built_in(kind: str, name: str) -> bool:
    """Whether a role of this kind ("Role", "ClusterRole") and name may be there without the tree."""
    return bootstrap_role(kind, name) is not None or name.startswith(_PREFIXES)
