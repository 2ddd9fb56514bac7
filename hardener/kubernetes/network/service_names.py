"""Host names as the DNS of a cluster reads them: which Service a name means.

Source: github.com/kubernetes/dns, docs/specification.md; dns-pod-service.md of the documentation of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from hardener.support.late_pattern import late_pattern

BLANK = "\0"
"""Stands for an expression (``$(NAMESPACE)``) in a host name."""


class Named(NamedTuple):
    """The Service that a host name means: its namespace where that is said."""

    service: str
    namespace: str | None


# The pod of a StatefulSet by its number, or by an expression.
_MEMBER = late_pattern(r"[a-z0-9\0-]*(?:-\d+|\0)")
# Namespaces that many clusters have, and few trees.
_COMMON_NAMESPACES = frozenset("default monitoring logging observability argocd linkerd vault consul ingress".split())


def meanings(host: str) -> list[Named]:
    """The Services that a host name can mean, whether there are such or not.

    ``svc``, ``svc.ns``, ``svc.ns.svc``, ``svc.ns.svc.<domain>``, each perhaps behind the name of a pod.
    """
    labels = host.split(".")
    if "svc" in labels[1:]:
        at = labels.index("svc", 1)
        if at == 1:
            return [Named(labels[0], None)]
        return [Named(labels[at - 2], _namespace(labels[at - 1]))]
    if len(labels) == 1:
        return [Named(host, None)]
    if len(labels) == 2:
        return [Named(labels[0], _namespace(labels[1])), Named(labels[1], None)]
    if len(labels) == 3 and _MEMBER.fullmatch(labels[0]):
        return [Named(labels[1], _namespace(labels[2]))]
    return []


def _namespace(label: str) -> str | None:
    return None if BLANK in label else label


def is_outside(host: str, namespaces: Collection[str] = ()) -> bool:
    """Whether a host is outside the cluster: an address, or a name with a domain."""
    labels = host.split(".")
    if "svc" in labels[2:] or len(labels) == 1:
        return False
    # No top-level domain has a dash or is the name of a namespace of the tree.
    return len(labels) > 2 or not ("-" in labels[1] or labels[1] in namespaces or labels[1] in _COMMON_NAMESPACES)


def is_in_cluster(labels: list[str], services: Collection[str], namespaces: Collection[str]) -> bool:
    """Whether a name with dots can be nothing but that of a Service or of a pod behind one."""
    if "svc" in labels[1:]:
        return True
    if len(labels) == 2 and labels[0] in services and labels[1] in namespaces:
        return True
    return labels[1] in services and _MEMBER.fullmatch(labels[0]) is not None
