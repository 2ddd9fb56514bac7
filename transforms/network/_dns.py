"""The rules that let a pod ask for names."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from typing import Any

from hardener.facts.cluster.platforms import Platforms
from hardener.facts.network.connections import Port
from hardener.tree.core_views import PodTemplate
from hardener.tree.tree import Tree

_PORT, _PORT_OF_OPENSHIFT = 53, 5353
# kubernetes.io/metadata.name is set by the API server since 1.21; matchExpressions, since the label transformers of
# kustomize rewrite matchLabels. NodeLocal DNSCache runs in the network of the node, which no podSelector matches
# (kubernetes issue 70555).
_PEERS: list[dict[str, Any]] = [
    {
        "namespaceSelector": {
            "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kube-system"]}]
        },
        "podSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]},
    },
    {"ipBlock": {"cidr": "169.254.20.10/32"}},
]
_OPENSHIFT: list[dict[str, Any]] = [
    {
        "namespaceSelector": {
            "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["openshift-dns"]}]
        }
    }
]


def cluster_dns(tree: Tree) -> tuple[list[dict[str, Any]], tuple[Port, ...]]:
    """Return the DNS of the cluster: its pods, and the ports on which they listen."""
    platforms = tree.ask(Platforms)
    if platforms.is_configured:
        openshift = platforms.name == "openshift"
        return (_OPENSHIFT, _ports(_PORT_OF_OPENSHIFT)) if openshift else (_PEERS, _ports(_PORT))
    if platforms.openshift:  # which cluster it comes to is not known
        return [*_PEERS, *_OPENSHIFT], (*_ports(_PORT), *_ports(_PORT_OF_OPENSHIFT))
    return _PEERS, _ports(_PORT)


def nameservers(pod: PodTemplate) -> tuple[list[dict[str, Any]], tuple[Port, ...]]:
    """Return the name servers that the pod lists itself, with their port."""
    found: list[dict[str, Any]] = []
    texts = pod.strings("dnsConfig", "nameservers")
    if not texts:
        return found, ()

    for text in texts:
        try:
            address = ip_address(text)
        except ValueError:
            continue
        found.append({"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}})
    return found, _ports(_PORT)


def uses_cluster_dns(pod: PodTemplate) -> bool:
    """Return whether the pod asks the DNS of the cluster: under the policies ClusterFirst, the default, and
    ClusterFirstWithHostNet."""
    return pod.get("dnsPolicy") not in ("None", "Default")


@cache
def _ports(number: int) -> tuple[Port, ...]:
    return Port(number, "UDP"), Port(number)
