"""What is known of connections, as records."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree


class Port(NamedTuple):
    """A port of a pod: its number, its name where no container declares one of that name, or the expression that it
    is."""

    port: int | str
    protocol: str = "TCP"

    @property
    def order(self) -> tuple[bool, int, str, str]:
        """What to sort by: numbers before names."""
        named = isinstance(self.port, str)
        return named, 0 if isinstance(self.port, str) else self.port, str(self.port), self.protocol

    @property
    def is_unknown(self) -> bool:
        """Whether an expression says it, so that it may be any port."""
        text = f"{self.port} {self.protocol}"
        return "$" in text or "{{" in text

    def __str__(self) -> str:
        return f"{self.port}" if self.protocol == "TCP" else f"{self.port}/{self.protocol}"


class Way(StrEnum):
    """Where connections come from that are not those of a known workload."""

    OUTSIDE = "outside"  # any address: a load balancer, a node port, an Ingress whose controller the tree does not show
    API_SERVER = "api-server"  # any address, since that of the API server is not known: webhooks, APIServices
    MONITORING = "monitoring"  # any pod of any namespace
    PROGRAM = "program"  # any pod of any namespace: which pod a program makes a part for is not known
    GATEWAY = "gateway"  # any pod of any namespace: gateways of other namespaces lead to it
    CONTROLLER = "controller"  # any pod of any namespace: a custom resource names it, or it serves the whole cluster
    UNREAD = "unread"  # any pod of any namespace: a document that could not be read names it
    NAMESPACE = "namespace"  # any pod of its namespace: what nothing in the tree names (the orphan rule)
    MADE = "made"  # any pod of its namespace: those that it may make itself, which the tree does not show
    RECORDED = "recorded"  # a workload that the tree does not show, and that a recording saw to call it


FROM_ANY_POD = frozenset({Way.PROGRAM, Way.GATEWAY, Way.CONTROLLER, Way.UNREAD})
"""The ways by which any pod of any namespace may come."""


class Edge(Struct, frozen=True, eq=False):
    """``client`` opens connections to ``server``; no ``ports`` means all of them (members of one StatefulSet).

    Either may be on the node's network (``hostNetwork``), where policies do not reach: such a server is in no policy,
    and such a client is no peer of one, so that its servers have an Entry from OUTSIDE as well.
    """

    client: PodTemplate
    server: PodTemplate
    ports: tuple[Port, ...]
    evidence: tuple[Evidence, ...]
    service: Object | None = None  # the Service through which, if any


class Elsewhere(Struct, frozen=True):
    """A workload that the tree does not show, by a recording: its ``namespace``, and those ``labels`` of its pods that
    say what it is, none where they were not recorded."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()


class Entry(Struct, frozen=True, eq=False):
    """Connections to ``server`` from where the tree shows no workload; no ``ports`` means all of them. ``caller`` is
    known of one that was recorded."""

    server: PodTemplate
    ports: tuple[Port, ...]
    way: Way
    evidence: tuple[Evidence, ...]
    service: Object | None = None
    caller: Elsewhere | None = None


class Unresolved(Struct, frozen=True, eq=False):
    """``pod`` names a host that looks like a Service, and no Service of the tree has that name. ``seen`` is the
    workload that it was recorded to call: then nothing names it."""

    pod: PodTemplate
    host: str
    port: int | None
    evidence: Evidence
    seen: Elsewhere | None = None


class Unseen(Struct, frozen=True, eq=False):
    """``pod`` names ``service``, whose selector matches no pod of the tree: something else makes them.

    ``port`` is that of the Service, where one is named.
    """

    pod: PodTemplate
    service: Object
    port: int | None
    evidence: Evidence


class External(Struct, frozen=True, eq=False):
    """``pod`` talks to something outside the cluster: a host name with a domain, or the addresses of a Service without
    selector. ``addresses`` are those that the tree names. ``seen``: it was recorded, and nothing names it."""

    pod: PodTemplate
    host: str
    port: int | None
    addresses: tuple[str, ...]
    evidence: Evidence
    seen: bool = False


@dataclass(slots=True)
class Connections(AsRead):
    """What the tree shows of all connections, in the order of files and lines.

    ``entrances`` are the workloads that are reached from outside the cluster, by an Ingress, a route or a public
    Service, each with why. ``doubts`` are no connections for sure: a Service is named by a word that need not
    be an address, or a data store has the same credentials. ``told_by_sources`` are those whose sources are in the
    tree, all of them, and were read: whom they name is an edge or a doubt. ``unread`` are those with settings that the
    tree does not hold, each with the first; ``unset`` those without any.
    """

    edges: list[Edge] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    external: list[External] = field(default_factory=list)
    entrances: dict[PodTemplate, Evidence] = field(default_factory=dict)
    doubts: list[Edge] = field(default_factory=list)
    told_by_sources: set[PodTemplate] = field(default_factory=set)
    unread: dict[PodTemplate, Evidence] = field(default_factory=dict)
    unset: set[PodTemplate] = field(default_factory=set)
    _into: dict[PodTemplate, list[Edge]] | None = None
    _out_of: dict[PodTemplate, list[Edge]] | None = None
    _entries_of: dict[PodTemplate, list[Entry]] | None = None
    _doubts_of: dict[PodTemplate, list[Edge]] | None = None

    @classmethod
    def collect(cls, tree: Tree) -> Connections:
        from hardener.facts.network.connections.collect import collect  # late: it makes these

        return collect(tree)

    def into(self, pod: PodTemplate) -> list[Edge]:
        """The edges whose server is ``pod``."""
        if self._into is None:
            self._into = {}
            for edge in self.edges:
                self._into.setdefault(edge.server, []).append(edge)
        return self._into.get(pod, [])

    def out_of(self, pod: PodTemplate) -> list[Edge]:
        """The edges whose client is ``pod``."""
        if self._out_of is None:
            self._out_of = {}
            for edge in self.edges:
                self._out_of.setdefault(edge.client, []).append(edge)
        return self._out_of.get(pod, [])

    def entries_of(self, pod: PodTemplate) -> list[Entry]:
        """The entries whose server is ``pod``."""
        if self._entries_of is None:
            self._entries_of = {}
            for entry in self.entries:
                self._entries_of.setdefault(entry.server, []).append(entry)
        return self._entries_of.get(pod, [])

    def doubts_of(self, pod: PodTemplate) -> list[Edge]:
        """The doubts whose client or server is ``pod``."""
        if self._doubts_of is None:
            self._doubts_of = {}
            for edge in self.doubts:
                for end in (edge.client, edge.server):
                    self._doubts_of.setdefault(end, []).append(edge)
        return self._doubts_of.get(pod, [])
