"""What NetworkPolicies let through: their rules as plain values, and whether one pod reaches another.

Sources: kubernetes/api networking/v1/types.go, kubernetes/kubernetes pkg/apis/networking/v1/defaults.go and
pkg/apis/networking/validation/validation.go; of pods on the network of their node, the concept page "Network Policies".

Only networking.k8s.io/v1 is known here. Traffic between a pod and its own node always passes, and so do the answers of
a connection; neither is asked about.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Literal

from msgspec import Struct

from hardener.kubernetes.network import label_selector
from hardener.kubernetes.network.label_selector import EVERYTHING, Selector
from hardener.kubernetes.objects.shape import ShapeError, mapping, sequence
from hardener.support.data_path import Path

GROUP = "networking.k8s.io"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace: its name."""

Direction = Literal["ingress", "egress"]
DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
PEERS: dict[Direction, str] = {"ingress": "from", "egress": "to"}
"""The key of the peers in a rule, by direction."""

_LAST_PORT = 65535
_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))


class Block(Struct, frozen=True):
    """Addresses: those of ``network`` that are in none of ``exceptions``."""

    network: IPv4Network | IPv6Network
    exceptions: tuple[IPv4Network | IPv6Network, ...] = ()

    def holds(self, address: IPv4Address | IPv6Address) -> bool:
        return address in self.network and not any(address in exception for exception in self.exceptions)

    @property
    def is_everywhere(self) -> bool:
        """Whether it leaves out link-local and single addresses at most, such as those of a cloud's metadata."""
        return self.network.prefixlen == 0 and all(
            exception.prefixlen == exception.max_prefixlen
            or any(exception.version == local.version and exception.subnet_of(local) for local in _LINK_LOCAL)  # type: ignore[arg-type]
            for exception in self.exceptions
        )


class Peer(Struct, frozen=True):
    """One item of ``from`` or ``to``. All three None: it stands for nobody (the API server refuses such an item)."""

    pods: Selector | None = None
    namespaces: Selector | None = None
    block: Block | None = None


class Ports(Struct, frozen=True):
    """Ports ``first`` to ``last`` of a protocol, or the one that a container of the *server* calls ``name``."""

    protocol: str = "TCP"
    first: int = 1
    last: int = _LAST_PORT
    name: str | None = None


class RulePorts(tuple[Ports, ...]):
    """The ports of a rule. There may be thousands of them, so that what is asked of them is looked up."""

    @cached_property
    def numbered(self) -> Spans:
        """Those that are numbers."""
        return Spans((entry.protocol, entry.first, entry.last) for entry in self if entry.name is None)

    @cached_property
    def names(self) -> frozenset[tuple[str, str]]:
        """The protocol and name of those that are names."""
        return frozenset((entry.protocol, entry.name) for entry in self if entry.name is not None)

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    def __hash__(self) -> int:
        return self._hash


class Spans:
    """Ports by protocol, as spans that do not overlap."""

    def __init__(self, found: Iterable[tuple[str, int, int]]) -> None:
        self._by_protocol: dict[str, tuple[list[int], list[int]]] = {}
        for protocol, first, last in sorted(found):
            firsts, lasts = self._by_protocol.setdefault(protocol, ([], []))
            if lasts and first <= lasts[-1]:
                lasts[-1] = max(lasts[-1], last)
            else:
                firsts.append(first)
                lasts.append(last)

    def meet(self, protocol: str, first: int, last: int) -> bool:
        """Whether any port from ``first`` to ``last`` is among them."""
        firsts, lasts = self._by_protocol.get(protocol, ((), ()))
        at = bisect_right(firsts, last) - 1
        return at >= 0 and lasts[at] >= first


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: connections with any of ``peers`` (None: with anybody) on any of ``ports`` (None: on all).

    ``path`` is where it stands in the object.
    """

    peers: tuple[Peer, ...] | None
    ports: RulePorts | None
    path: Path = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """A NetworkPolicy. ``ingress`` and ``egress`` are None where it does not isolate in that direction.

    ``origin`` is whatever the caller wants to find again with it; what two policies say is equal without it.
    """

    namespace: str
    selector: Selector
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None
    name: str = field(default="", compare=False)
    origin: Any = field(default=None, compare=False)

    def rules(self, direction: Direction) -> tuple[Rule, ...] | None:
        return self.ingress if direction == "ingress" else self.egress


class Pod(Struct, frozen=True, eq=False, dict=True):
    """A pod as policies see it, or all pods of one template.

    ``ports`` are the named ones of its containers: number and protocol by name. ``namespace_labels`` are those of its
    namespace, ``kubernetes.io/metadata.name`` among them where the name is known.
    """

    namespace: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str] = {}
    ports: Mapping[str, tuple[tuple[int, str], ...]] = {}
    host_network: bool = False

    @cached_property
    def names(self) -> dict[tuple[int, str], list[str]]:
        """The names of its ports, by number and protocol."""
        found: dict[tuple[int, str], list[str]] = {}
        for name, numbers in self.ports.items():
            for on in numbers:
                found.setdefault(on, []).append(name)
        return found


class Address(Struct, frozen=True):
    """Somebody who is no pod. None is any address outside the cluster, of which nothing is known."""

    ip: IPv4Address | IPv6Address | None = None

    @classmethod
    def of(cls, text: str) -> Address:
        return cls(ip_address(text))


ANYWHERE = Address()


class Side(Struct, frozen=True):
    """What the policies of one end say: whether one isolates it, and the rule that lets the connection through."""

    isolated: bool = False
    policy: Policy | None = None
    rule: Rule | None = None

    @property
    def open(self) -> bool:
        return not self.isolated or self.rule is not None


class Verdict(Struct, frozen=True):
    """Whether a connection comes about: the client's egress and the server's ingress must both let it through."""

    egress: Side
    ingress: Side

    @property
    def allowed(self) -> bool:
        return self.egress.open and self.ingress.open


# The question.


def judge(
    policies: Iterable[Policy],
    client: Pod | Address,
    server: Pod | Address,
    port: int | str | None,
    protocol: str = "TCP",
    *,
    blocks_cover_pods: bool = True,
) -> Verdict:
    """Whether ``client`` can open connections to ``port`` of ``server``, and which rules let them through.

    ``port`` is a number, a name that a container of the server declares, or None: every port of every protocol, by one
    rule. ``policies`` may be all of the cluster. Whether an ipBlock means pods, too, is left to the implementation:
    with ``blocks_cover_pods`` one of all addresses does (Calico and others), without it none does (Cilium).
    """
    found = tuple(policies)
    return Verdict(
        _side(found, "egress", client, server, server, port, protocol, blocks_cover_pods),
        _side(found, "ingress", server, client, server, port, protocol, blocks_cover_pods),
    )


def leaves(
    policies: Sequence[Policy], client: Pod, server: Pod, port: int, protocol: str, *, blocks_cover_pods: bool
) -> bool:
    """Whether ``client`` is let out to ``port`` of ``server``, as of ``judge``; whether it is let in is not asked."""
    return _side(policies, "egress", client, server, server, port, protocol, blocks_cover_pods).open


def _side(
    policies: Sequence[Policy],
    direction: Direction,
    own: Pod | Address,
    other: Pod | Address,
    server: Pod | Address,
    port: int | str | None,
    protocol: str,
    blocks_cover_pods: bool,
) -> Side:
    isolated = False
    for policy in policies:
        rules = policy.rules(direction)
        if rules is None or not selects(policy, own):
            continue
        isolated = True
        for rule in rules:
            if opens(rule.ports, server, port, protocol) and admits(policy, rule, other, blocks_cover_pods):
                return Side(True, policy, rule)
    return Side(isolated)


def selects(policy: Policy, pod: Pod | Address) -> bool:
    """Whether ``policy`` holds for ``pod``. Pods on the network of their node are not told apart from the node."""
    return (
        isinstance(pod, Pod)
        and not pod.host_network
        and pod.namespace == policy.namespace
        and policy.selector.matches(pod.labels)
    )


def admits(policy: Policy, rule: Rule, other: Pod | Address, blocks_cover_pods: bool = True) -> bool:
    """Whether ``other`` is among the peers of ``rule``."""
    if rule.peers is None:
        return True
    return any(_is_peer(policy.namespace, peer, other, blocks_cover_pods) for peer in rule.peers)


def _is_peer(namespace: str, peer: Peer, other: Pod | Address, blocks_cover_pods: bool) -> bool:
    if peer.block is not None:
        if isinstance(other, Address) and other.ip is not None:
            return peer.block.holds(other.ip)
        return peer.block.is_everywhere and (isinstance(other, Address) or blocks_cover_pods)
    if not isinstance(other, Pod) or other.host_network or (peer.pods is None and peer.namespaces is None):
        return False
    if peer.namespaces is None:
        known = other.namespace == namespace
    else:
        known = peer.namespaces.matches(other.namespace_labels)
    return known and (peer.pods is None or peer.pods.matches(other.labels))


def opens(ports: RulePorts | None, server: Pod | Address, port: int | str | None, protocol: str) -> bool:
    """Whether ``ports`` of a rule (None: all) hold ``port`` of ``server``, as of ``judge``."""
    if ports is None:
        return True
    if port is None:
        return False
    if isinstance(port, int):
        numbers: tuple[int, ...] = (port,)
    else:
        numbers = numbers_of(server, port, protocol)
        if not numbers and (protocol, port) in ports.names:
            return True  # nobody knows its number, but both mean the same port
    return bool(numbers) and all(_holds(ports, server, number, protocol) for number in numbers)


def _holds(ports: RulePorts, server: Pod | Address, number: int, protocol: str) -> bool:
    if ports.numbered.meet(protocol, number, number):
        return True
    names = server.names.get((number, protocol), ()) if isinstance(server, Pod) and ports.names else ()
    return any((protocol, name) in ports.names for name in names)


def numbers_of(server: Pod | Address, name: str, protocol: str) -> tuple[int, ...]:
    """The numbers of the ports that containers of ``server`` call ``name``."""
    found = server.ports.get(name, ()) if isinstance(server, Pod) else ()
    return tuple(number for number, own in found if own == protocol)


def ranges(ports: RulePorts, server: Pod | Address) -> list[tuple[str, int, int]]:
    """Protocol, first and last of ``ports`` on ``server``; a name that no container declares is no port."""
    found = []
    for entry in ports:
        if entry.name is None:
            found.append((entry.protocol, entry.first, entry.last))
        else:
            found += [(entry.protocol, n, n) for n in numbers_of(server, entry.name, entry.protocol)]
    return found


def meet(one: RulePorts | None, other: RulePorts | None, server: Pod | Address) -> bool:
    """Whether any port of ``server`` is in both (None: all ports)."""
    if one is None or other is None:
        own = one if other is None else other
        return own is None or bool(ranges(own, server))
    spans = Spans(ranges(other, server))
    return any(spans.meet(*each) for each in ranges(one, server))


def lets_all(policy: Policy, direction: Direction) -> Rule | None:
    """The rule by which ``policy`` isolates nothing in ``direction``: ingress from every pod or from every address, or
    egress to every pod and every address, on all ports, those of TCP at least. None where there is none such.

    Policies add up, so that no other one closes anything of it either. Link-local and single addresses that a block
    leaves out (the metadata of a cloud) close nothing between pods.
    """
    pods = addresses = None
    for rule in policy.rules(direction) or ():
        if rule.ports is not None and Ports() not in rule.ports:
            continue
        if rule.peers is None:
            return rule
        if pods is None and any(map(_is_every_pod, rule.peers)):
            pods = rule
        if addresses is None and any(peer.block is not None and peer.block.is_everywhere for peer in rule.peers):
            addresses = rule
    if direction == "ingress":
        return pods or addresses
    return pods if addresses else None


def _is_every_pod(peer: Peer) -> bool:
    return peer.block is None and peer.namespaces == EVERYTHING and peer.pods in (None, EVERYTHING)


# Reading objects.


def parse(document: Any, namespace: str, *, origin: Any = None) -> Policy | None:
    """The NetworkPolicy ``document``, which comes out in ``namespace``; None where its shape is none that an API server
    takes, so that it has no effect. A peer, port or condition that is refused as such lets nothing through."""
    try:
        spec = mapping(mapping(document).get("spec"))
        types = [str(item) for item in sequence(spec.get("policyTypes"))]
        rules: dict[Direction, tuple[Rule, ...]] = {
            "ingress": _rules(spec, "ingress", "from"),
            "egress": _rules(spec, "egress", "to"),
        }
        if not types:
            types = ["Ingress", "Egress"] if rules["egress"] else ["Ingress"]
        return Policy(
            namespace,
            label_selector.parse(mapping(spec.get("podSelector"))),
            rules["ingress"] if "Ingress" in types else None,
            rules["egress"] if "Egress" in types else None,
            str(mapping(mapping(document).get("metadata")).get("name") or ""),
            origin,
        )
    except ShapeError:
        return None


_MOST_KNOWN = 1000
_KNOWN: dict[tuple[Direction, str], tuple[Rule, ...]] = {}  # by what says them: policies of a tree say much alike


def _rules(spec: Mapping[str, Any], direction: Direction, key: str) -> tuple[Rule, ...]:
    items = sequence(spec.get(direction))
    if not items:
        return ()
    said = direction, repr(items)
    found = _KNOWN.get(said)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        found = _KNOWN[said] = tuple([_rule(item, ("spec", direction, at), key) for at, item in enumerate(items)])
    return found


def _rule(value: Any, path: Path, key: str) -> Rule:
    item = mapping(value)
    peers, ports = sequence(item.get(key)), sequence(item.get("ports"))
    return Rule(
        tuple(map(_peer, peers)) if peers else None,
        RulePorts(entry for entry in map(_ports, ports) if entry is not None) if ports else None,
        path,
    )


def _peer(value: Any) -> Peer:
    item = mapping(value)
    pods, namespaces = (
        None if item.get(key) is None else label_selector.parse(mapping(item[key]))
        for key in ("podSelector", "namespaceSelector")
    )
    if item.get("ipBlock") is None:
        return Peer(pods, namespaces)
    if pods is not None or namespaces is not None:
        return Peer()  # refused: an ipBlock stands alone
    block = mapping(item["ipBlock"])
    return Peer(None, None, _block(str(block.get("cidr")), *map(str, sequence(block.get("except")))))


@lru_cache(maxsize=1000)
def _block(cidr: str, *exceptions: str) -> Block | None:
    try:
        return Block(ip_network(cidr, strict=False), tuple(ip_network(text, strict=False) for text in exceptions))
    except ValueError:
        return None


def _ports(value: Any) -> Ports | None:
    item = mapping(value)
    protocol = "TCP" if item.get("protocol") is None else str(item["protocol"])
    port, end = item.get("port"), item.get("endPort")
    if protocol not in _PROTOCOLS or isinstance(port, bool) or isinstance(end, bool):
        return None
    if end is not None and not (isinstance(port, int) and isinstance(end, int)):
        return None  # refused: a range has two numbers
    if port is None:
        return Ports(protocol)
    if isinstance(port, int):
        last = port if end is None else end
        return Ports(protocol, port, last) if 0 < port <= last <= _LAST_PORT else None
    return Ports(protocol, 1, 0, port) if isinstance(port, str) else None
