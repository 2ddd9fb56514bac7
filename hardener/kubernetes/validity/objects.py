"""Rules of objects other than pods: Services, NetworkPolicies, Namespaces, selectors and metadata.

Source: k8s.io/kubernetes pkg/apis/core/validation (ValidateService), pkg/apis/networking/validation,
k8s.io/pod-security-admission admission (ValidateNamespace), apimachinery api/validation (ValidateObjectMeta).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import entries, mapping, number

from .violation import Violation

SELECTING = frozenset({"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"})
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"

_LEVELS = ("privileged", "baseline", "restricted")
_PSS = late_pattern(r"pod-security\.kubernetes\.io/(?:enforce|audit|warn)(-version)?")
_VERSION = late_pattern(r"latest|v1\.(?:0|[1-9][0-9]{0,3})")
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")  # IsQualifiedName, IsValidLabelValue: 63
_PREFIX = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_PREFIX_LENGTH = 253


def service(document: dict[Any, Any]) -> Iterator[Violation]:
    """27 to 29."""
    spec = mapping(document.get("spec"))
    kind = spec.get("type") or "ClusterIP"
    yield from _only_outside(document, spec, kind)
    if spec.get("clusterIP") == "None" and kind in ("NodePort", "LoadBalancer"):
        yield Violation(28, ("spec", "clusterIP"), f"clusterIP: None is rejected with type {kind}")
    yield from _service_ports(spec)
    if spec.get("sessionAffinityConfig") is not None and spec.get("sessionAffinity") != "ClientIP":
        where = ("spec", "sessionAffinityConfig")
        yield Violation(29, where, "sessionAffinityConfig is rejected without sessionAffinity: ClientIP")


def _only_outside(document: dict[Any, Any], spec: dict[Any, Any], kind: object) -> Iterator[Violation]:
    """27. Fields that mean a door to the outside are rejected in a Service without one (ValidateService,
    validateServiceExternalTrafficPolicy, validateLoadBalancerClassField)."""

    def rejected(*path: str) -> Violation:
        return Violation(27, path, f"{path[-1]} is rejected with type {kind}")

    if kind == "ClusterIP":
        for index, port in entries(spec.get("ports")):
            if port.get("nodePort"):
                yield Violation(27, ("spec", "ports", index, "nodePort"), "nodePort is rejected with type ClusterIP")
        if spec.get("externalTrafficPolicy") and not spec.get("externalIPs"):
            yield rejected("spec", "externalTrafficPolicy")
    if kind in ("ClusterIP", "NodePort"):
        for key in ("loadBalancerClass", "loadBalancerSourceRanges", "healthCheckNodePort"):
            if spec.get(key):
                yield rejected("spec", key)
        if spec.get("allocateLoadBalancerNodePorts") is not None:
            yield rejected("spec", "allocateLoadBalancerNodePorts")
        if SOURCE_RANGES in mapping(mapping(document.get("metadata")).get("annotations")):
            yield rejected("metadata", "annotations", SOURCE_RANGES)


def _service_ports(spec: dict[Any, Any]) -> Iterator[Violation]:
    """28. Several ports have names, all different; a port stands once per protocol."""
    ports = list(entries(spec.get("ports")))
    names: set[str] = set()
    taken: set[tuple[str, int]] = set()
    for index, port in ports:
        where = ("spec", "ports", index)
        name, value = port.get("name"), number(port.get("port"))
        if not name and len(ports) > 1:
            yield Violation(28, where, "a Service with several ports needs a name for each")
        elif isinstance(name, str) and name in names:
            yield Violation(28, where, f"two ports are called {name}")
        if isinstance(name, str):
            names.add(name)
        if value is not None:
            key = (str(port.get("protocol") or "TCP"), value)
            if key in taken:
                yield Violation(28, where, f"port {value} is listed twice")
            taken.add(key)


def network_policy(document: dict[Any, Any]) -> Iterator[Violation]:
    """30, 32."""
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return
    types = spec.get("policyTypes")
    if not types:
        # Without it Egress is meant only where egress rules exist: a deny of egress would be none.
        yield Violation(32, ("spec",), "policyTypes is not written, so it means Ingress, and Egress only with rules")
    elif isinstance(types, list) and (len(types) > 2 or any([item not in ("Ingress", "Egress") for item in types])):
        yield Violation(30, ("spec", "policyTypes"), "policyTypes are Ingress and Egress")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in entries(spec.get(direction)):
            where = ("spec", direction, index)
            for position, peer in entries(rule.get(peers)):
                yield from _peer(peer, (*where, peers, position))
            for position, port in entries(rule.get("ports")):
                yield from _port(port, (*where, "ports", position))


def _peer(peer: dict[Any, Any], where: Path) -> Iterator[Violation]:
    named = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(key) is not None]
    if not named:
        yield Violation(30, where, "a peer needs a selector or an ipBlock")
    if "ipBlock" not in named:
        return
    if len(named) > 1:
        yield Violation(30, where, "ipBlock allows nothing beside it in its peer")
    block = mapping(peer["ipBlock"])
    exceptions = block.get("except")
    if isinstance(exceptions, list) and exceptions and not _hold(block.get("cidr"), exceptions):
        yield Violation(30, (*where, "ipBlock"), "except lies within cidr, and is smaller")


def _hold(cidr: object, exceptions: list[Any]) -> bool:
    if not isinstance(cidr, str) or not all([isinstance(item, str) for item in exceptions]):
        return False
    return _are_subsets(cidr, tuple(exceptions))


@lru_cache(maxsize=1024)  # policies leave out the same few addresses
def _are_subsets(cidr: str, exceptions: tuple[str, ...]) -> bool:
    try:
        whole, *parts = (ip_network(item, strict=False) for item in (cidr, *exceptions))
    except ValueError:
        return False
    for part in parts:
        if isinstance(whole, IPv4Network) and isinstance(part, IPv4Network):
            inside = part != whole and part.subnet_of(whole)
        elif isinstance(whole, IPv6Network) and isinstance(part, IPv6Network):
            inside = part != whole and part.subnet_of(whole)
        else:
            inside = False
        if not inside:
            return False
    return True


def _port(port: dict[Any, Any], where: Path) -> Iterator[Violation]:
    if port.get("endPort") is None:
        return
    first, last = number(port.get("port")), number(port.get("endPort"))
    if first is None or last is None or last < first:
        yield Violation(30, (*where, "endPort"), "endPort needs a port that is a number, and not a larger one")


def namespace(document: dict[Any, Any]) -> Iterator[Violation]:
    """33. Pod Security labels (ValidateNamespace)."""
    for key, value in mapping(mapping(document.get("metadata")).get("labels")).items():
        match = _PSS.fullmatch(key) if isinstance(key, str) else None
        if match is None:
            continue
        where = ("metadata", "labels", str(key))
        if match[1]:
            if not isinstance(value, str) or not _VERSION.fullmatch(value):
                yield Violation(33, where, f"{key} is latest or v1.N")
        elif value not in _LEVELS:
            yield Violation(33, where, f"{key} is privileged, baseline or restricted")


def selector(document: dict[Any, Any]) -> Iterator[Violation]:
    """26. A workload selects the pods of its own template (apps validation: ValidateDeploymentSpec and others)."""
    spec = mapping(document.get("spec"))
    template = spec.get("template")
    wanted = mapping(mapping(spec.get("selector")).get("matchLabels"))
    if not wanted or not isinstance(template, dict):
        return
    labels = mapping(mapping(template.get("metadata")).get("labels"))
    if any(labels.get(key) != value for key, value in wanted.items()):
        yield Violation(26, ("spec", "selector"), "the selector does not match the labels of the template")


def metadata(found: object, path: Path) -> Iterator[Violation]:
    """38. Keys and values of labels and annotations of one ``metadata``."""
    own = mapping(found)
    for field in ("labels", "annotations"):
        written = own.get(field)
        for key, value in written.items() if isinstance(written, dict) else ():
            if isinstance(key, str) and "$" not in key and not _is_qualified(key):
                yield Violation(38, (*path, field, str(key)), f"{key[:80]} is no key of {field}")
            if not isinstance(value, str):
                if value is not None:
                    yield Violation(38, (*path, field, str(key)), f"the value of {key} is a text")
            elif field == "labels" and value and "$" not in value and not _NAME.fullmatch(value):
                yield Violation(38, (*path, field, str(key)), f"the value of {key} is no value of a label")


@lru_cache(maxsize=256)  # a tree has few keys
def _is_qualified(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > _PREFIX_LENGTH or not _PREFIX.fullmatch(prefix)):
        return False
    return _NAME.fullmatch(name) is not None


# (API group, kind) -> the rules of such an object.
RULES: dict[tuple[str, str], Callable[[dict[Any, Any]], Iterator[Violation]]] = {
    ("", "Service"): service,
    ("", "Namespace"): namespace,
    ("networking.k8s.io", "NetworkPolicy"): network_policy,
    ("extensions", "NetworkPolicy"): network_policy,
    **{(group, kind): selector for group in ("apps", "extensions") for kind in sorted(SELECTING)},
}
