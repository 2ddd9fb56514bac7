"""The connections of a tree as records for ``harden graph``: workloads with numbers, what connects them, and where
that stands. The formats that are made of them are in ``graph_formats``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from msgspec import Struct, field

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.api_use import api_use
from hardener.facts.kustomize.builds import Build, Builds
from hardener.facts.network.connections import External, Port, Unresolved, Unseen, Way
from hardener.facts.network.connections.model import Connections, Edge, Entry
from hardener.facts.network.connections.recorded import SeenPorts
from hardener.facts.network.exposure.judged import Opening, opening
from hardener.facts.network.silent_workloads import SilentWorkloads
from hardener.facts.objects.object_links import Relations
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, dotted
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, Service
from hardener.tree.tree import Tree

# What is no workload of its own: patches of one, and copies that a controller owns.
_NOT_SHOWN = {"patch", "owned"}


class Fact(Struct, frozen=True):
    """A piece of evidence; ``file`` is None where it stands in none."""

    text: str
    file: str | None
    line: int | None


class Workload(Struct):
    """A workload by its number. ``namespaces`` are those it comes out in; "" is one that is not named.

    ``part`` tells the pods of an object that has several; ``api`` is why it uses the Kubernetes API; ``silent`` is why
    it is only partly read: it may call others though nothing shows whom.
    """

    id: int
    api_version: str
    kind: str
    name: str
    part: str
    namespaces: tuple[str, ...]
    file: str
    line: int
    api: tuple[Fact, ...]
    silent: tuple[Fact, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.kind}/{self.name}" + (f" {self.part}" if self.part else "")


class How(StrEnum):
    """How a connection is known, where a cluster recorded connections."""

    SEEN = "seen"  # and nothing in the tree names it
    INFERRED = "inferred"  # and it was not seen
    BOTH = "both"


class Link(Struct, frozen=True):
    """A connection to ``server`` from ``client``, or from where ``way`` says. No ports: all of them. One that is not
    ``certain`` is only one that may be: a word names the server, or both have the same credentials. ``how`` is None
    where nothing was recorded."""

    server: Workload
    ports: tuple[Port, ...]
    service: str | None
    evidence: tuple[Fact, ...]
    client: Workload | None = None
    way: Way | None = None
    certain: bool = True
    how: How | None = None


class Lack(StrEnum):
    """Why the tree holds no workload at the other end."""

    EXTERNAL = "external"  # it is outside the cluster
    UNSEEN = "unseen"  # a Service of the tree whose pods something else makes
    UNRESOLVED = "unresolved"  # a name like that of a Service, which is none of the tree


class Host(Struct, frozen=True):
    """What ``client`` talks to and the tree does not hold. ``addresses`` are known of what is external."""

    client: Workload
    host: str
    port: int | None
    lack: Lack
    evidence: tuple[Fact, ...]
    addresses: tuple[str, ...] = ()


class OpenService(Struct, frozen=True):
    """A Service that is open to the outside, and the ``servers`` that it leads to.

    ``kind`` is its type, or "externalIPs". ``evidence`` is why it stays open, or why it can be closed, where ``stays``
    is false.
    """

    name: str
    kind: str
    namespaces: tuple[str, ...]
    file: str
    line: int
    servers: tuple[Workload, ...]
    stays: bool
    evidence: tuple[Fact, ...]


class Graph(Struct):
    """All of it, in the order of files and lines. ``unread`` files and documents are left out."""

    workloads: list[Workload] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    hosts: list[Host] = field(default_factory=list)
    services: list[OpenService] = field(default_factory=list)
    unread: int = 0

    @property
    def tells_how(self) -> bool:
        """Whether its links say how they are known."""
        return any(link.how is not None for link in self.links)


def collect(tree: Tree, mask: Callable[[str], str]) -> Graph:
    """Return the graph of the files that the run was given and of what their kustomizations build, with those at the
    other end; ``mask`` hides secrets in texts."""
    return _Collector(tree, mask).graph()


_Seen = tuple[Lack, str, tuple[str, ...], External | Unseen | Unresolved]


class _Collector:
    def __init__(self, tree: Tree, mask: Callable[[str], str]) -> None:
        self.tree = tree
        self.mask = mask
        self._lines: dict[tuple[Piece, Path], int] = {}
        self._parts: dict[int, int] = {}
        for pod in tree.pod_templates:
            self._parts[id(pod.object)] = self._parts.get(id(pod.object), 0) + 1

    def graph(self) -> Graph:
        """Put all together: what is meant, what it is connected with, and where the evidence of it stands."""
        own = {id(pod) for pod in self.tree.pod_templates if self._is_meant(pod) and not _is_copy(pod)}
        ends = _ends(self.tree.ask(Connections), own)
        services = self._open_services()
        found = [(pod, _api_use(pod), self._silence(pod)) for pod in self._near(own, ends)]
        self._locate(
            *([Evidence("", pod.object.piece, pod.object.path), *use, *silence] for pod, use, silence in found),
            *(edge.evidence for edge in (*ends.edges, *ends.doubts)),
            *(entry.evidence for entry in ends.entries),
            (host[3].evidence for host in ends.hosts),
            *([Evidence("", item.piece, item.path), *how.reasons] for item, how in services),
        )
        by_pod = {id(pod): self._workload(number, pod, *uses) for number, (pod, *uses) in enumerate(found, 1)}
        links = [self._edge(edge, by_pod) for edge in ends.edges]
        links += [self._edge(edge, by_pod, certain=False) for edge in ends.doubts]
        links += [self._way_in(entry, by_pod) for entry in ends.entries]
        others = [self._host(host, by_pod) for host in ends.hosts]
        described = [*self._described(services, by_pod)]
        return Graph(list(by_pod.values()), links, others, described, _unread(self.tree))

    def _near(self, own: set[int], ends: _Ends) -> list[PodTemplate]:
        """The pods that are meant, and those at the other end."""
        near = own | {id(pod) for edge in (*ends.edges, *ends.doubts) for pod in (edge.client, edge.server)}
        return [pod for pod in self.tree.pod_templates if id(pod) in near]

    def _silence(self, pod: PodTemplate) -> list[Evidence]:
        """Why ``pod`` is known to open no connection, where it is."""
        known = self.tree.ask(SilentWorkloads).found
        return [known[pod]] if pod in known else []

    def _edge(self, edge: Edge, by_pod: dict[int, Workload], *, certain: bool = True) -> Link:
        service, facts, client = self._name(edge.service), self._facts(edge.evidence), by_pod[id(edge.client)]
        how = self._how(edge) if certain else None
        return Link(by_pod[id(edge.server)], edge.ports, service, facts, client=client, certain=certain, how=how)

    def _how(self, edge: Edge) -> How | None:
        ports = self.tree.ask(SeenPorts)
        if not ports.are_any:
            return None
        if not ports.is_seen(edge):
            return How.INFERRED
        return How.BOTH if ports.is_inferred(edge) else How.SEEN

    def _way_in(self, entry: Entry, by_pod: dict[int, Workload]) -> Link:
        service, facts = self._name(entry.service), self._facts(entry.evidence)
        return Link(by_pod[id(entry.server)], entry.ports, service, facts, way=entry.way)

    def _host(self, host: _Seen, by_pod: dict[int, Workload]) -> Host:
        lack, name, addresses, found = host
        shown, facts = self.mask(name), self._facts([found.evidence])
        return Host(by_pod[id(found.pod)], shown, found.port, lack, facts, tuple(map(self.mask, addresses)))

    def _open_services(self) -> list[tuple[Object, Opening]]:
        """The Services that are open to the outside, each with why."""
        found = []
        for item in self.tree.of("", "Service"):
            if not item.classes and (item.editable or self._builds(item)):
                try:
                    how = opening(Service(item, item.path, item.data))
                except (WrongShapeError, OpaqueError):
                    continue  # the report says so
                if how is not None:
                    found.append((item, how))
        return found

    def _described(self, services: list[tuple[Object, Opening]], by_pod: dict[int, Workload]) -> Iterator[OpenService]:
        for item, found in services:
            name, namespaces = self.mask(item.name), self._masked_namespaces(item)
            pods = self.tree.ask(Relations).selected_pods(item)
            servers = tuple(by_pod[id(pod)] for pod in pods if id(pod) in by_pod)
            file, line, facts = item.piece.file.name, self._lines[item.piece, item.path], self._facts(found.reasons)
            yield OpenService(name, found.kind, namespaces, file, line, servers, found.stays, facts)

    def _workload(self, number: int, pod: PodTemplate, use: list[Evidence], silent: list[Evidence]) -> Workload:
        item = pod.object
        part = dotted(pod.path[len(item.path) :]) if self._parts[id(item)] > 1 else ""
        namespaces = self._masked_namespaces(item)
        version, kind, name = self.mask(item.api_version), self.mask(item.kind), self.mask(item.name)
        file, line = item.piece.file.name, self._lines[item.piece, item.path]
        facts = self._facts(use), self._facts(silent)
        return Workload(number, version, kind, name, part, namespaces, file, line, *facts)

    def _masked_namespaces(self, item: Object) -> tuple[str, ...]:
        return tuple(self.mask(name or "") for name in self._namespaces(item))

    def _is_meant(self, pod: PodTemplate) -> bool:
        """Whether its file was given, or a kustomization that builds it."""
        return pod.object.editable or bool(self._builds(pod.object))

    def _builds(self, item: Object) -> list[Build]:
        """The builds of ``item`` in which a kustomization has a part that the run was given."""
        return [build for build in self.tree.ask(Builds).of(item) if any(k.editable for k in build.layers(item))]

    def _namespaces(self, item: Object) -> Iterable[str | None]:
        builds = [] if item.editable else self._builds(item)
        if not builds:
            return self.tree.ask(Builds).namespaces(item)
        return sorted({name for build in builds for name in build.namespaces(item)}, key=str)

    def _name(self, service: Object | None) -> str | None:
        return None if service is None else self.mask(service.name)

    def _facts(self, evidence: Iterable[Evidence]) -> tuple[Fact, ...]:
        return tuple(
            Fact(self.mask(fact.text), None, None)
            if fact.piece is None
            else Fact(self.mask(fact.text), fact.piece.file.name, self._lines[fact.piece, fact.path])
            for fact in dict.fromkeys(evidence)
        )

    def _locate(self, *groups: Iterable[Evidence]) -> None:
        """Find the lines of all evidence, piece by piece: what was read is not kept, so each is parsed once more."""
        places: dict[Piece, dict[Path, None]] = {}
        for fact in (fact for group in groups for fact in group):
            if fact.piece is not None:
                places.setdefault(fact.piece, {})[fact.path] = None
        for piece, paths in places.items():
            parsed = piece.read()
            for path in paths:
                line = parsed.line(int(path[0]), path[1:]) if path else 1
                self._lines[piece, path] = piece.line + line


class _Ends(Struct):
    """The connections of the pods that are meant."""

    edges: list[Edge]
    doubts: list[Edge]
    entries: list[Entry]
    hosts: list[_Seen]


def _ends(connections: Connections, own: set[int]) -> _Ends:
    known = {(id(edge.client), id(edge.server)) for edge in connections.edges}
    doubts = [edge for edge in connections.doubts if (id(edge.client), id(edge.server)) not in known]
    return _Ends(
        [edge for edge in connections.edges if id(edge.client) in own or id(edge.server) in own],
        [edge for edge in doubts if id(edge.client) in own or id(edge.server) in own],
        [entry for entry in connections.entries if id(entry.server) in own],
        [host for host in _hosts(connections) if id(host[3].pod) in own],
    )


def _hosts(connections: Connections) -> Iterator[_Seen]:
    """What is reached and is no workload of the tree: why, its name, its addresses, and what was found."""
    yield from ((Lack.EXTERNAL, found.host, found.addresses, found) for found in connections.external)
    yield from ((Lack.UNSEEN, found.service.name, (), found) for found in connections.unseen)
    yield from ((Lack.UNRESOLVED, found.host, (), found) for found in connections.unresolved)


def _is_copy(pod: PodTemplate) -> bool:
    try:
        return not _NOT_SHOWN.isdisjoint(pod.classes)
    except (WrongShapeError, OpaqueError):
        return False


def _api_use(pod: PodTemplate) -> list[Evidence]:
    try:
        return api_use(pod)
    except (WrongShapeError, OpaqueError):
        return []


def _unread(tree: Tree) -> int:
    """How many files and documents could not be read: templates, broken YAML, what is encrypted."""
    pieces = (piece for file in tree.files if file.editable for piece in file.pieces)
    charts = sum(len(names) - 1 for _, names in tree.charts.values())
    return len(tree.problems) + charts + sum(1 for piece in pieces if piece.problem)
