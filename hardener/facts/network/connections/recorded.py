"""The connections that a cluster recorded, by ``harden.evidence.yaml``, between workloads of the tree.

Flows prove that pairs talk, and never that others do not: what was inferred and not seen stays open, and is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hardener.authoring.edits import Evidence
from hardener.exports.model import OUTSIDE, Peer, Recorded
from hardener.facts.images.recordings import Recordings
from hardener.facts.network.connections.model import (
    Connections,
    Edge,
    Elsewhere,
    Entry,
    External,
    Port,
    Unresolved,
    Way,
)
from hardener.kubernetes.network.passing_labels import stays
from hardener.tree.core_views import PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

if TYPE_CHECKING:
    from hardener.facts.network.connections.collect import Collector

_FILE = "harden.evidence.yaml"
_SERVICE = "Service"
_ANY_ADDRESS, _OUTSIDE = "any address", "an address outside of the cluster"
_API = f"{_SERVICE}/default/kubernetes"
_DNS_PORT, _DNS_NAMESPACES = 53, frozenset({"kube-system", "openshift-dns"})  # every pod may ask them anyway
_NAMING = frozenset({
    "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component", "app", "k8s-app",
})  # fmt: skip
_Pair = tuple[PodTemplate, PodTemplate]


def put_recorded(into: Collector) -> None:
    """Take up the connections between pods of the tree that were recorded."""
    recorded = into.tree.recorded
    if recorded is None or not recorded.peers:
        return
    pods = _pods(into)
    for peer in recorded.peers:
        for client in pods.get(peer.source, ()):
            fact = _fact(client, peer, recorded)
            for server in pods.get(peer.target, ()):
                into.add(client, server, _ports(peer), fact, None)
            if peer.target.startswith(f"{_SERVICE}/"):
                _put_service(into, client, peer, fact)


def _pods(into: Collector) -> dict[str, list[PodTemplate]]:
    """The pods of the tree by the names that the recording has for them."""
    recordings = into.tree.ask(Recordings)
    found: dict[str, list[PodTemplate]] = {}
    for pod in into.pods:
        for key in recordings.keys(pod.object):
            found.setdefault(key, []).append(pod)
    return found


def put_elsewhere(into: Collector) -> None:
    """Take up the recorded connections of which the tree shows one end alone: what was seen is let through, whoever
    has the other end in Git."""
    recorded = into.tree.recorded
    if recorded is None or not recorded.peers:
        return
    pods = _pods(into)
    found: dict[tuple[PodTemplate, tuple[Port, ...], Elsewhere | None], list[Evidence]] = {}
    for peer in recorded.peers:
        if peer.source not in pods:
            caller, on = _elsewhere(peer.source, peer.target, recorded), _ports(peer)
            for server in pods.get(peer.target, ()):
                found.setdefault((server, on, caller), []).append(_called(server, peer, recorded))
        for client in pods.get(peer.source, ()) if peer.target not in pods else ():
            _put_called(into, client, peer, recorded)
    order = {pod: position for position, pod in enumerate(into.pods)}
    into.found.entries += [
        Entry(server, on, Way.OUTSIDE if caller is None else Way.RECORDED, tuple(facts), caller=caller)
        for (server, on, caller), facts in found.items()
    ]
    into.found.entries.sort(key=lambda entry: order.get(entry.server, 0))


def _put_called(into: Collector, client: PodTemplate, peer: Peer, recorded: Recorded) -> None:
    """Take up that ``client`` was seen to call what the tree does not show."""
    fact, port = _fact(client, peer, recorded), peer.port or None
    other = _elsewhere(peer.target, peer.source, recorded)
    if other is None or peer.target == _API:
        into.found.external.append(External(client, _ANY_ADDRESS, port, (), fact, seen=True))
        return
    kind, namespace, name = peer.target.split("/", 2)
    is_service_here = kind == _SERVICE and any(
        map(into.endpoints.pods, into.resolve(client.object, f"{name}.{namespace}"))
    )
    if not is_service_here and not (port == _DNS_PORT and namespace in _DNS_NAMESPACES):
        into.found.unresolved.append(Unresolved(client, f"{name}.{namespace}", port, fact, other))


def _elsewhere(name: str, beside: str, recorded: Recorded) -> Elsewhere | None:
    """The workload ``name``, None for what is outside of the cluster; its namespace is "" where it is that of the
    workload ``beside``."""
    if name == OUTSIDE:
        return None
    about, namespace = recorded.workloads.get(name), name.split("/")[1]
    labels = about.labels if about is not None else ()
    kept = tuple(label for label in labels if label[0] in _NAMING and stays(*label))
    return Elsewhere("" if beside.split("/")[1:2] == [namespace] else namespace, kept)


def _ports(peer: Peer) -> tuple[Port, ...]:
    return (Port(peer.port, peer.protocol),) if peer.port else ()


def _called(server: PodTemplate, peer: Peer, recorded: Recorded) -> Evidence:
    source = recorded.sources[peer.by]
    caller = _OUTSIDE if peer.source == OUTSIDE else peer.source
    text = f"{_FILE}: {source.tool} saw {caller} connect to it ({recorded.days(peer.by)})"
    return Evidence(text, *server.object.place(server.path))


def _put_service(into: Collector, client: PodTemplate, peer: Peer, fact: Evidence) -> None:
    _, namespace, name = peer.target.split("/", 2)
    for service in into.resolve(client.object, f"{name}.{namespace}"):
        for server in into.endpoints.pods(service):
            into.add(client, server, into.endpoints.ports(service, server, peer.port or None), fact, service)


def _fact(client: PodTemplate, peer: Peer, recorded: Recorded) -> Evidence:
    source = recorded.sources[peer.by]
    port = f":{peer.port}" if peer.port else ""
    target = _OUTSIDE if peer.target == OUTSIDE else peer.target
    text = f"{_FILE}: {source.tool} saw it connect to {target}{port} ({recorded.days(peer.by)})"
    return Evidence(text, *client.object.place(client.path))


def is_recorded(edge: Edge) -> bool:
    """Whether a recording saw the connection."""
    return any(map(_is_of_recording, edge.evidence))


def is_inferred(edge: Edge) -> bool:
    """Whether the manifests show the connection, or something else than a recording."""
    return not all(map(_is_of_recording, edge.evidence))


def _is_of_recording(fact: Evidence) -> bool:
    return fact.text.startswith(f"{_FILE}: ")


class SeenPorts(AsRead):
    """The ports at which each pair of workloads was seen to talk, and at which the tree shows that it does; () stands
    for all. ``are_any``: whether anything was recorded."""

    def __init__(self, tree: Tree) -> None:
        self.are_any = tree.recorded is not None and bool(tree.recorded.peers)
        self._seen: dict[_Pair, list[tuple[Port, ...]]] = {}
        self._inferred: dict[_Pair, list[tuple[Port, ...]]] = {}
        for edge in tree.ask(Connections).edges if self.are_any else ():
            pair = (edge.client, edge.server)
            if is_recorded(edge):
                self._seen.setdefault(pair, []).append(edge.ports)
            if is_inferred(edge):
                self._inferred.setdefault(pair, []).append(edge.ports)

    def is_seen(self, edge: Edge) -> bool:
        """Whether the pair was seen at a port of ``edge``."""
        return _meet(self._seen.get((edge.client, edge.server), ()), edge.ports)

    def is_inferred(self, edge: Edge) -> bool:
        """Whether the tree shows the pair at a port of ``edge``."""
        return _meet(self._inferred.get((edge.client, edge.server), ()), edge.ports)


def _meet(found: Iterable[tuple[Port, ...]], ports: tuple[Port, ...]) -> bool:
    return any(not each or not ports or set(each) & set(ports) for each in found)


class NeverRecorded(AsRead):
    """The connections that were inferred, and that nothing recorded though flows of the client were."""

    def __init__(self, tree: Tree) -> None:
        self._by_client: dict[PodTemplate, list[tuple[Edge, str]]] = {}
        if tree.recorded is None or not tree.recorded.peers:
            return
        keys, periods = tree.ask(Recordings).keys, _periods(tree.recorded)

        def period(pod: PodTemplate) -> str | None:
            return next((periods[key] for key in keys(pod.object) if key in periods), None)

        seen = tree.ask(SeenPorts)
        for edge in tree.ask(Connections).edges:
            days = period(edge.client)
            if edge.client is not edge.server and days and not seen.is_seen(edge):
                self._by_client.setdefault(edge.client, []).append((edge, days))

    def of(self, client: PodTemplate) -> list[tuple[Edge, str]]:
        """Those that ``client`` opens, each with the days of the recording."""
        return self._by_client.get(client, [])


def _periods(recorded: Recorded) -> dict[str, str]:
    """The days of which flows of a workload are known."""
    found: dict[str, str] = {}
    for peer in recorded.peers:
        for end in {peer.source, peer.target} - {OUTSIDE}:
            found.setdefault(end, recorded.days(peer.by))
    return found
