"""What is known of connections, as records."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from hardener.authoring.edits import Evidence
from hardener.support.fast_dataclass import dataclass
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.fact import AsRead

if TYPE_CHECKING:
    from hardener.tree.tree import Tree


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a pod: its number, or its name where no container declares one of that name."""

    port: int | str
    protocol: str = "TCP"

    @property
    def order(self) -> tuple[bool, int, str, str]:
        """What to sort by: numbers before names."""
        named = isinstance(self.port, str)
        return named, 0 if isinstance(self.port, str) else self.port, str(self.port), self.protocol

    def __str__(self) -> str:
        return f"{self.port}" if self.protocol == "TCP" else f"{self.port}/{self.protocol}"


class Way(StrEnum):
    """Where connections come from that are not those of a known workload."""

    OUTSIDE = "outside"  # any address: a load balancer, a node port, an Ingress whose controller the tree does not show
    API_SERVER = "api-server"  # any address, since that of the API server is not known: webhooks, APIServices
    MONITORING = "monitoring"  # any pod of any namespace
    PROGRAM = "program"  # any pod of any namespace: which pod a program makes a part for is not known
    NAMESPACE = "namespace"  # any pod of its namespace: a Service that nothing names (the orphan rule)


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """``client`` opens connections to ``server``; no ``ports`` means all of them (members of one StatefulSet).

    Either may be on the node's network (``hostNetwork``), where policies do not reach: such a server is in no policy,
    and such a client is no peer of one, so that its servers have an Entry from OUTSIDE as well.
    """

    client: PodTemplate
    server: PodTemplate
    ports: tuple[Port, ...]
    evidence: tuple[Evidence, ...]
    service: Object | None = None  # the Service through which, if any


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Connections to ``server`` from where the tree shows no workload; no ``ports`` means all of them."""

    server: PodTemplate
    ports: tuple[Port, ...]
    way: Way
    evidence: tuple[Evidence, ...]
    service: Object | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Unresolved:
    """``pod`` names a host that looks like a Service, and no Service of the tree has that name."""

    pod: PodTemplate
    host: str
    port: int | None
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """``pod`` names ``service``, whose selector matches no pod of the tree: something else makes them.

    ``port`` is that of the Service, where one is named.
    """

    pod: PodTemplate
    service: Object
    port: int | None
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class External:
    """``pod`` talks to something outside the cluster: a host name with a domain, or the addresses of a Service without
    selector. ``addresses`` are those that the tree names."""

    pod: PodTemplate
    host: str
    port: int | None
    addresses: tuple[str, ...]
    evidence: Evidence


@dataclass(slots=True)
class Connections(AsRead):
    """What the tree shows of all connections, in the order of files and lines."""

    edges: list[Edge] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    external: list[External] = field(default_factory=list)
    _into: dict[PodTemplate, list[Edge]] | None = None
    _out_of: dict[PodTemplate, list[Edge]] | None = None
    _entries_of: dict[PodTemplate, list[Entry]] | None = None

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
