"""What on a Service makes and shapes its way in from outside the cluster: fields, and annotations of providers.

Sources: k8s.io/kubernetes pkg/apis/core/validation (ValidateService) for the fields; for the annotations the pages on
Services of the cloud providers (AWS, Azure, GKE, OpenStack, OCI, DigitalOcean, Hetzner, Huawei, Tencent, Yandex) and of
MetalLB, Cilium, kube-vip, PureLB, Calico, Antrea, Tailscale, F5, ExternalDNS and Gardener.
"""

from __future__ import annotations

import re

REJECTED = "the API server rejects it on a ClusterIP Service"
FIELDS = {
    "loadBalancerClass": REJECTED,
    "loadBalancerSourceRanges": REJECTED,
    "allocateLoadBalancerNodePorts": REJECTED,
    "healthCheckNodePort": REJECTED,
    "loadBalancerIP": "it does nothing on a ClusterIP Service",
}
"""Fields of a Service that must go when it becomes ClusterIP, and why."""

# Patterns stay texts: re compiles one when it is first needed, and most runs need none.
# Keys that only a Service with a load balancer has: whoever writes one has thought about its way in.
_LOAD_BALANCER = (
    r"(?i)load-?balancer|^service\.beta\.kubernetes\.io/|/l4-rbs$|/network-tier$"
    r"|^(?:metallb\.(?:universe\.tf|io)|lbipam\.cilium\.io|kube-vip\.io|purelb\.io|lb\.kubesphere\.io)/|^io\.cilium/lb-"
    r"|^kubernetes\.io/elb\.|^service\.cloud\.tencent\.com/|^service\.kubernetes\.io/(?:qcloud|tke)"
    r"|^(?:[\w-]+\.)*(?:oraclecloud|hetzner|ovhcloud)\.(?:com|cloud)/|^yandex\.cloud/|^kubernetes\.civo\.com/"
    r"|^projectcalico\.org/ipv[46]pools$|^service\.antrea\.io/external-ip-pool$|^cis\.f5\.com/"
)
_STATIC_ADDRESS = r"(?i)eip-allocations|static-?ip|public-?ip|external-?ip|(?:^|/)pip-|ip-addresses?$"
_DNS = r"(?i)^external-dns\.|^dns\.|/dns-?names?$|^tailscale\.com/"
_INTERNAL = r"(?i)internal|-scheme$|/load-balancer-type$"


def shapes_load_balancer(key: str) -> bool:
    """Whether an annotation means something only where the Service has a load balancer or an announced address.

    One of them, service.beta.kubernetes.io/load-balancer-source-ranges, the API server rejects on a ClusterIP Service.
    """
    return re.search(_LOAD_BALANCER, key) is not None


def names_way_in(key: str) -> bool:
    """Whether an annotation gives a Service a load balancer, a static address or a public name."""
    return any(re.search(pattern, key) for pattern in (_LOAD_BALANCER, _STATIC_ADDRESS, _DNS))


def is_internal(key: str, value: str) -> bool:
    """Whether an annotation keeps the load balancer off the public network."""
    return value.strip().lower() in ("true", "internal", "0.0.0.0/0") and re.search(_INTERNAL, key) is not None
