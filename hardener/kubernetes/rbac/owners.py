"""Roles and bindings that belong to the cluster or to its provider, and what every cluster has.

Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy; the label is that of its reconciliation. Names of
providers: EKS, GKE and AKS put theirs into every cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PREFIXES = ("system:", "kubeadm:", "eks:", "gce:", "aks-")
_BOOTSTRAPPED = ("kubernetes.io/bootstrapping", "rbac-defaults")
USERS = frozenset({"cluster-admin", "admin", "edit", "view"})
"""The ClusterRoles for users that every cluster has."""

_ROLES = frozenset({"extension-apiserver-authentication-reader"})  # in kube-system
PUBLIC = frozenset({"system:public-info-viewer", "kubeadm:bootstrap-signer-clusterinfo"})
"""What callers without a credential may be bound to."""
DISCOVERY = frozenset({"system:basic-user", "system:discovery", "system:public-info-viewer"})
"""What every account may be bound to."""


def owner(value: Mapping[str, Any]) -> str | None:
    """Why a role or binding is not for the tree to change; None for one that is."""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name = str(metadata.get("name") or "")
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
    if prefix is not None:
        return f"names with {prefix} belong to the cluster or its provider"
    labels = metadata.get("labels")
    if isinstance(labels, Mapping) and labels.get(_BOOTSTRAPPED[0]) == _BOOTSTRAPPED[1]:
        return "the API server rewrites it at every start"
    if value.get("aggregationRule"):
        return "a controller fills in its rules (aggregationRule)"
    return None


def is_built_in(kind: str, name: str) -> bool:
    """Whether a role of this kind ("Role", "ClusterRole") and name is there without the tree."""
    return name in (_ROLES if kind == "Role" else USERS) or name.startswith(_PREFIXES)
