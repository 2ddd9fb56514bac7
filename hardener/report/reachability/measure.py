"""What a run closes and what it must not: pairs of workloads, inferred connections, DNS, ways in; before and after.

Whether an ipBlock of all addresses means pods, too, differs between implementations of NetworkPolicy. Pairs are counted
as if it did, so that nothing is called closed that may be open; what must stay open has to be so in either case.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter

from msgspec import Struct, field, structs

from hardener.facts.network.connections import Edge, Entry, Port, Way
from hardener.facts.network.connections.model import FROM_ANY_POD, Connections, Elsewhere
from hardener.kubernetes.network.network_policy import (
    ANYWHERE,
    DIRECTIONS,
    NAMESPACE_LABEL,
    Address,
    Direction,
    Pod,
    Policy,
    judge,
    leaves,
)
from hardener.kubernetes.network.reachability import Network, bits
from hardener.report.reachability.layout import Layout, Place
from hardener.report.reachability.shut_out import Shut, ShutOut, is_newly_closed, merged
from hardener.report.reachability.state import State
from hardener.tree.core_views import PodTemplate
from hardener.tree.tree import Tree

_FROM_SOME = frozenset({Way.NAMESPACE, Way.MADE, Way.RECORDED})  # and not from anybody
_ELSEWHERE = Pod("\0elsewhere", {})  # a pod of which nothing is known, of a namespace of which nothing is known
_DNS = Pod("kube-system", {"k8s-app": "kube-dns"}, {NAMESPACE_LABEL: "kube-system"})
_DNS_OF_OPENSHIFT = Pod(
    "openshift-dns", {"dns.operator.openshift.io/daemonset-dns": "default"}, {NAMESPACE_LABEL: "openshift-dns"}
)
_OWN_DNS = ("Default", "None")  # dnsPolicy of pods that do not ask the cluster's


class Reachability(Struct):
    """Of the workloads that may be edited: how many ordered pairs of two that may stand in one cluster there are, and
    in how many one can reach the other on some port, as read and after the run: ``kept_named`` of these since something
    in the tree names them, ``kept_in_part`` since one of the two is only partly read, the others since whoever is in
    the cluster, or outside of it, may reach the second.

    ``isolated`` are the workloads that no policy isolated in a direction in which one does now. ``edges`` counts the
    inferred connections of workloads that may be edited, as far as they were open as read, ``entries`` the ways in;
    those lost ``out_of_reach`` are closed by the egress of others, and not by the workload that they lead to. The
    lists hold what the run closes in the whole tree, the workloads that cannot ask the DNS of the cluster any more, and
    whom each policy shuts out that harden has not understood.
    """

    isolated: list[PodTemplate] = field(default_factory=list)
    pairs: int = 0
    open_before: int = 0
    open_after: int = 0
    kept_named: int = 0
    kept_in_part: int = 0
    edges: int = 0
    entries: int = 0
    lost: list[Edge] = field(default_factory=list)
    entries_lost: list[Entry] = field(default_factory=list)
    out_of_reach: list[Entry] = field(default_factory=list)
    dns_lost: list[PodTemplate] = field(default_factory=list)
    shut: list[Shut] = field(default_factory=list)


def measure(tree: Tree) -> Reachability:
    """Measure what the steps that were made so far do to who can reach whom."""
    both = _Both(tree)
    found = Reachability()
    _count_pairs(both, found)
    _count_connections(both, tree.ask(Connections), found)
    touched = [pod for pod in both.layout.pods if both.are_touched(pod)]
    found.isolated = [pod for pod in touched if _is_isolated(both, pod)]
    found.shut = list(_shut_out(both, found.isolated))
    found.dns_lost = [pod for pod in touched if _loses_dns(both, pod)]
    return found


def _count_connections(both: _Both, connections: Connections, found: Reachability) -> None:
    for edge in connections.edges:
        is_counted = edge.client.object.editable or edge.server.object.editable
        if not is_counted and not both.are_touched(edge.client, edge.server):
            continue
        was_open, lost = _edge(both, edge)
        found.edges += was_open and (lost or is_counted)
        if lost:
            found.lost.append(edge)
    for entry in connections.entries:
        was_open, lost = _entry(both, entry)
        found.entries += was_open and (lost or entry.server.object.editable)
        if lost:
            found.entries_lost.append(entry)
            if not both.is_closed_now(entry.server, "ingress"):
                found.out_of_reach.append(entry)


class _Both:
    """The two states of a tree, and what to ask of each."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.layout = Layout(tree)
        self.before, self.after = State(self.layout, True), State(self.layout, False)
        self.dns = (_DNS_OF_OPENSHIFT, 5353) if tree.settings.platform == "openshift" else (_DNS, 53)
        self._touched: dict[PodTemplate, bool] = {}

    def are_touched(self, *pods: PodTemplate) -> bool:
        """Whether the run changes one of ``pods``, as far as policies see it, or the policies that select one. In a run
        of one file most of the tree is as it was."""
        for pod in pods:
            if pod not in self._touched:
                self._touched[pod] = any(
                    self._seen(self.before, pod, at) != self._seen(self.after, pod, at) for at in self.places(pod)
                )
        return any(self._touched[pod] for pod in pods)

    def _seen(self, state: State, pod: PodTemplate, place: Place) -> tuple[object, ...]:
        """All that a verdict about ``pod`` at ``place`` goes by, beside the other end."""
        own, rules = state.end(pod, place)
        return own.namespace, own.labels, own.namespace_labels, own.ports, own.host_network, rules

    def compare(self, ask: Callable[[State, bool], bool]) -> tuple[bool, bool]:
        """Whether something was open as read, and whether the run closes it: what ``ask`` says of a state, told whether
        blocks cover pods. What is open where they do not is open where they do."""
        for blocks_cover_pods in (False, True):
            if ask(self.after, blocks_cover_pods):
                break
            if ask(self.before, blocks_cover_pods):
                return True, True
        return not self.before.has_policies or ask(self.before, True), False

    def networks(self, pod: PodTemplate) -> Iterator[tuple[Network, Network]]:
        """Those in which ``pod`` stands, as read and after the run."""
        for cluster in dict.fromkeys(map(self.layout.cluster, self.places(pod))):
            yield self.before.network(cluster), self.after.network(cluster)

    def is_closed_now(self, pod: PodTemplate, way: Direction) -> bool:
        """Whether the run isolates ``pod`` in a direction in which it was not."""
        number = self.layout.numbers.get(pod, 0)
        return any(is_newly_closed(before, after, number, way) for before, after in self.networks(pod))

    def places(self, pod: PodTemplate) -> tuple[Place, ...]:
        """Where ``pod`` stands; nowhere where it is no workload."""
        return self.layout.places(pod.object) if pod in self.layout.numbers else ()


def _count_pairs(both: _Both, found: Reachability) -> None:
    layout = both.layout
    counted = [number for number, pod in enumerate(layout.pods) if pod.object.editable]
    mask = bits(counted)
    named, is_public = _named(both.layout, both.tree)
    members = [mask & bits(both.after.network(cluster).pods) for cluster in range(layout.clusters)]
    for number in counted:
        near = before = after = 0
        for cluster in map(layout.cluster, layout.places(layout.pods[number].object)):
            near |= members[cluster]
            before |= both.before.network(cluster).sources(number)
            after |= both.after.network(cluster).sources(number)
        found.pairs += (near & ~(1 << number)).bit_count()
        found.open_before += (before & mask).bit_count()
        kept = after & mask
        found.open_after += kept.bit_count()
        found.kept_named += (kept & named.get(number, 0)).bit_count()
        if number not in is_public:
            found.kept_in_part += (kept & ~named.get(number, 0)).bit_count()


def _shut_out(both: _Both, isolated: list[PodTemplate]) -> Iterator[Shut]:
    """Whom the policies of each of ``isolated`` refuse without having understood them."""
    out = ShutOut(both.tree, both.layout)
    for pod in isolated:
        shut = merged([out.of(pod, before, after) for before, after in both.networks(pod)])
        if shut is not None and shut.says_anything:
            yield shut


def _named(layout: Layout, tree: Tree) -> tuple[dict[int, int], set[int]]:
    """By server the clients that something in the tree names, as bits, and the servers that anybody may reach."""
    connections, numbers = tree.ask(Connections), layout.numbers
    named: dict[int, int] = {}
    for edge in (*connections.edges, *connections.doubts):
        if edge.server in numbers and edge.client in numbers:
            server = numbers[edge.server]
            named[server] = named.get(server, 0) | 1 << numbers[edge.client]
    open_to_all = (entry.server for entry in connections.entries if entry.way not in _FROM_SOME)
    return named, {numbers[server] for server in open_to_all if server in numbers}


def _edge(both: _Both, edge: Edge) -> tuple[bool, bool]:
    """Whether ``edge`` was open as read, and whether the run closes it or one of its ports."""
    return _any_of(
        both.compare(partial(_passes, edge, meeting, *on))
        for meeting in _meetings(both, edge)
        for on in _asked(edge.ports)
    )


def _passes(
    edge: Edge,
    meeting: tuple[Place, Place, bool],
    port: int | str | None,
    protocol: str,
    state: State,
    blocks_cover_pods: bool,
) -> bool:
    client, server, moved = meeting
    one, rules = state.end(edge.client, client)
    other, more = state.end(edge.server, server)
    if moved:
        place = one if server.name is None and client.name is not None else other
        one, rules = _move(one, rules, place)
        other, more = _move(other, more, place)
    return judge([*rules, *more], one, other, port, protocol, blocks_cover_pods=blocks_cover_pods).allowed


def _any_of(found: Iterable[tuple[bool, bool]]) -> tuple[bool, bool]:
    was_open = lost = False
    for one, other in found:
        was_open, lost = was_open or one, lost or other
    return was_open, lost


def _asked(ports: tuple[Port, ...]) -> list[tuple[int | str | None, str]]:
    """What to ask ``judge`` for ``ports``, of which none means all."""
    return [(port.port, port.protocol) for port in ports] or [(None, "TCP")]


def _meetings(both: _Both, edge: Edge) -> Iterator[tuple[Place, Place, bool]]:
    """The places of the two ends of ``edge`` that belong together: in one unit, else one build, else one cluster, and
    of these in one namespace where that is so anywhere. Each with whether to take the namespaces for the same: where
    one is not named it may be, and an edge must be open then, too."""
    near = _nearest(both, both.places(edge.client), both.places(edge.server))
    same = [pair for pair in near if pair[0].namespace == pair[1].namespace]
    for client, server in same or near:
        differ = client.namespace != server.namespace
        if not differ or client.name != server.name:
            yield client, server, False
        if differ and (client.name == server.name or client.name is None or server.name is None):
            yield client, server, True


def _nearest(both: _Both, clients: Iterable[Place], servers: Iterable[Place]) -> list[tuple[Place, Place]]:
    for key in (attrgetter("unit"), attrgetter("source"), both.layout.cluster, lambda _: None):
        by_key: dict[object, list[Place]] = {}
        for place in servers:
            by_key.setdefault(key(place), []).append(place)
        if near := [(client, server) for client in clients for server in by_key.get(key(client), ())]:
            return near
    return []


def _move(pod: Pod, policies: list[Policy], to: Pod) -> tuple[Pod, list[Policy]]:
    """``pod`` and its ``policies`` in the namespace of ``to``."""
    moved = structs.replace(pod, namespace=to.namespace, namespace_labels=to.namespace_labels)
    return moved, [dataclasses.replace(policy, namespace=to.namespace) for policy in policies]


def _entry(both: _Both, entry: Entry) -> tuple[bool, bool]:
    """Whether any of ``entry`` was open as read, and whether the run closes any of it. Of one that is not lost, and not
    of a workload that may be edited, whether it was open does not count, and is not asked."""
    asked = [(place, on) for place in both.places(entry.server) for on in _asked(entry.ports)]
    neighbours = asked if entry.way is Way.NAMESPACE else []
    if not entry.server.object.editable and not both.are_touched(entry.server):
        neighbours = [each for each in neighbours if _loses_neighbours(both, entry.server, *each)]
        if not neighbours:
            return False, False
    was_open, lost = _any_of(both.compare(partial(_lets_in, entry, place, *on)) for place, on in asked)
    return was_open, lost or any(_loses_neighbours(both, entry.server, *each) for each in neighbours)


def _lets_in(
    entry: Entry, place: Place, port: int | str | None, protocol: str, state: State, blocks_cover_pods: bool
) -> bool:
    pod, rules = state.end(entry.server, place)
    client: Pod | Address = ANYWHERE
    if entry.caller is not None:
        client = _recorded(entry.caller, pod)
    elif entry.way is Way.MONITORING or entry.way in FROM_ANY_POD:
        client = _ELSEWHERE
    elif entry.way in (Way.NAMESPACE, Way.MADE):
        client = Pod(pod.namespace, {}, pod.namespace_labels)
    return judge(rules, client, pod, port, protocol, blocks_cover_pods=blocks_cover_pods).ingress.open


def _recorded(caller: Elsewhere, beside: Pod) -> Pod:
    """A workload that the tree does not show, as policies see it."""
    if not caller.namespace:
        return Pod(beside.namespace, dict(caller.labels), beside.namespace_labels)
    return Pod(caller.namespace, dict(caller.labels), {"kubernetes.io/metadata.name": caller.namespace})


def _loses_neighbours(both: _Both, pod: PodTemplate, place: Place, on: tuple[int | str | None, str]) -> bool:
    """Whether another workload of the namespace of ``pod`` could reach ``on`` of it as read, and cannot any more."""
    number, cluster = both.layout.numbers[pod], both.layout.cluster(place)
    for blocks_cover_pods in (False, True):
        before, after = (state.network(cluster, blocks_cover_pods) for state in (both.before, both.after))
        closed = after.neighbours(number) & ~after.sources(number, on)
        if closed and before.sources(number, on) & closed:
            return True
    return False


def _is_isolated(both: _Both, pod: PodTemplate) -> bool:
    """Whether ``pod`` is isolated in a direction in which it was not."""
    return any(both.is_closed_now(pod, way) for way in DIRECTIONS)


def _loses_dns(both: _Both, pod: PodTemplate) -> bool:
    """Whether ``pod`` could ask the DNS of the cluster as read, and cannot any more."""
    if pod.data.get("dnsPolicy") in _OWN_DNS:
        return False
    return any(
        both.compare(partial(_asks_dns, both, pod, place, protocol))[1]
        for place in both.places(pod)
        for protocol in ("UDP", "TCP")
    )


def _asks_dns(
    both: _Both, pod: PodTemplate, place: Place, protocol: str, state: State, blocks_cover_pods: bool
) -> bool:
    own, rules = state.end(pod, place)
    server, port = both.dns
    return leaves(rules, own, server, port, protocol, blocks_cover_pods=blocks_cover_pods)
