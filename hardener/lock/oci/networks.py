"""To which part of the network an address belongs: a server on the internet has no say in what is asked inside."""

from __future__ import annotations

import ipaddress
import socket
from enum import StrEnum


class Network(StrEnum):
    """Where an address is; the text says it in a message. ``PROXY``: behind a proxy, which alone knows."""

    PUBLIC = "a public address"
    PRIVATE = "a private address"
    LOOPBACK = "an address of this machine"
    LINK = "a link-local or metadata address"
    PROXY = "behind a proxy"


# Addresses where clouds tell a machine its secrets, beside the link-local ones. Sources: docs.aws.amazon.com (IMDS over
# IPv6, EKS Pod Identity), cloud.google.com (metadata server over IPv6), alibabacloud.com (instance metadata),
# learn.microsoft.com (what is 168.63.129.16), docs.oracle.com (Compute Classic, instance metadata).
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
# Prefixes after which an IPv4 address stands in an IPv6 one, and at which of its bytes. Sources: RFC 6052, 3056, 4291.
_CARRIERS = (
    (ipaddress.IPv6Network("64:ff9b::/96"), 12),
    (ipaddress.IPv6Network("2002::/16"), 2),
    (ipaddress.IPv6Network("::/96"), 12),
    (ipaddress.IPv6Network("::ffff:0:0/96"), 12),
)
_LOCAL_TRANSLATION = ipaddress.IPv6Network("64:ff9b:1::/48")  # RFC 8215
_THIS_HOST = ipaddress.IPv4Network("0.0.0.0/8")  # Linux takes 0.0.0.0 for itself


def network_of(address: str) -> Network:
    """Where a numeric address is. Raises ValueError for what is none."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and not (found.is_loopback or found.is_unspecified):
        for prefix, start in _CARRIERS:
            if found in prefix:
                return network_of(str(ipaddress.IPv4Address(found.packed[start : start + 4])))
    if found in _METADATA or found.is_link_local:
        return Network.LINK
    if found.is_loopback or found.is_unspecified or found in _THIS_HOST:
        return Network.LOOPBACK
    site = isinstance(found, ipaddress.IPv6Address) and (found.is_site_local or found in _LOCAL_TRANSLATION)
    return Network.PRIVATE if site or found.is_multicast or not found.is_global else Network.PUBLIC


def networks_of(host: str) -> frozenset[Network]:
    """Where the addresses are that the name ``host`` has for this machine; empty where it knows none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(network_of(str(entry[4][0])) for entry in found)
