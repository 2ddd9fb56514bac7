"""Who talks to whom: the connections that the manifests of the tree show, each with its evidence (spec-workloads 11).

Inferred, never observed: what an image has built in is not seen, which is why a Service that nothing in the tree names
is taken to be used from its own namespace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from hardener.edits import Evidence
from hardener.views import Object, PodTemplate

if TYPE_CHECKING:
    from hardener.workspace import Workspace


@dataclass(frozen=True, slots=True, order=True)
class Port:
    """A port of a pod: its number, or its name where no container declares one of that name."""

    port: int | str
    protocol: str = "TCP"


class Way(StrEnum):
    """Where connections come from that are not those of a known workload."""

    OUTSIDE = "outside"  # any address: a load balancer, a node port, an Ingress whose controller the tree does not show
    API_SERVER = "api-server"  # any address, since that of the API server is not known: webhooks, APIServices
    MONITORING = "monitoring"  # any pod of any namespace
    NAMESPACE = "namespace"  # any pod of its namespace: a Service that nothing names (the orphan rule)


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """``client`` opens connections to ``server``; no ``ports`` means all of them (members of one StatefulSet)."""

    client: PodTemplate
    server: PodTemplate
    ports: tuple[Port, ...]
    evidence: tuple[Evidence, ...]
    service: Object | None = None  # the Service through which, if any


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Connections to ``server`` from where the tree shows no workload."""

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
class External:
    """``pod`` talks to something outside the cluster: a host name with a domain, or the addresses of a Service without
    selector. ``addresses`` are those that the tree names, as CIDR or address."""

    pod: PodTemplate
    host: str
    port: int | None
    addresses: tuple[str, ...]
    evidence: Evidence


@dataclass(slots=True)
class Connections:
    """What the tree shows of all connections. Built by ``collect``; in the order of files and lines."""

    edges: list[Edge] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    external: list[External] = field(default_factory=list)

    def into(self, pod: PodTemplate) -> list[Edge]:
        """The edges whose server is ``pod``."""
        raise NotImplementedError

    def out_of(self, pod: PodTemplate) -> list[Edge]:
        """The edges whose client is ``pod``."""
        raise NotImplementedError

    def entries_of(self, pod: PodTemplate) -> list[Entry]:
        """The entries whose server is ``pod``."""
        raise NotImplementedError


def collect(workspace: Workspace) -> Connections:
    """The connections of the tree."""
    return Connections()
