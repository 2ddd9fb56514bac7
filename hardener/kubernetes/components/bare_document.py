"""Configurations of clusters that say no kind: of nodes of k3s and RKE2, of Talos, of RKE1.

They are known by their keys, and get a group and a kind that nothing else has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_RANCHER_KEYS = frozenset({
    "kube-apiserver-arg", "kube-controller-manager-arg", "kube-scheduler-arg", "kubelet-arg", "kube-proxy-arg",
    "etcd-arg", "cluster-init", "write-kubeconfig-mode", "tls-san", "secrets-encryption", "protect-kernel-defaults",
    "agent-token", "token", "token-file", "server", "node-label", "node-taint", "flannel-backend", "disable",
    "cluster-cidr", "service-cidr", "selinux", "profile", "cni", "data-dir",
})  # fmt: skip
# One of these, and a second key: a `token` and a `server` alone are of many programs.
_RANCHER_ALONE = frozenset({
    "kube-apiserver-arg", "kube-controller-manager-arg", "kube-scheduler-arg", "kubelet-arg", "kube-proxy-arg",
    "etcd-arg", "cluster-init", "write-kubeconfig-mode", "tls-san", "secrets-encryption", "protect-kernel-defaults",
})  # fmt: skip
_PLACE = r"/rancher/(?:k3s|rke2)/config\.yaml(?:\.d/[^/]+)?\Z"
_WORDS = (*(f"{key}:" for key in sorted(_RANCHER_ALONE)), "machine:", "kube-api:")


def may_be_bare(text: str) -> bool:
    """Whether a text without a kind may be one of these; tells without parsing."""
    return any(word in text for word in _WORDS)


def is_node_configuration(path: str) -> bool:
    """Whether a file stands where k3s and RKE2 look for the configuration of a node."""
    return "/rancher/" in path and re.search(_PLACE, path) is not None


def name_of(document: Mapping[str, Any], path: str = "") -> tuple[str, str] | None:
    """Group and kind of a document in the file ``path`` that says no kind; None where it is none of these.

    They are ("rancher", "K3sConfiguration"), ("talos", "TalosConfiguration") and ("rke", "RkeConfiguration").
    """
    keys = document.keys()
    if "machine" in keys and "cluster" in keys and document.get("version") == "v1alpha1":
        return "talos", "TalosConfiguration"
    if "services" in keys and "nodes" in keys:
        services = document["services"]
        if isinstance(services, Mapping) and "kube-api" in services:
            return "rke", "RkeConfiguration"
    if is_node_configuration(path) and not keys.isdisjoint(_RANCHER_KEYS):
        return "rancher", "K3sConfiguration"
    if keys.isdisjoint(_RANCHER_ALONE):
        return None
    if len(keys & _RANCHER_KEYS) > 1 or any(key.endswith("-arg") for key in keys):
        return "rancher", "K3sConfiguration"
    return None
