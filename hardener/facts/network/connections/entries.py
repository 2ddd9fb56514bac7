"""Connections that come from where the tree shows no workload, and those of the ingress controllers and Prometheus
servers that it does show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.network.connections.controllers import Controllers
from hardener.facts.network.connections.endpoints import (
    Endpoints,
    declared_ports,
    expressions,
    is_headless,
    named_ports,
    number,
)
from hardener.facts.network.connections.model import Edge, Entry, Port, Way
from hardener.facts.network.run_time_peers import RunTimePeers, gateway_of_all_namespaces, is_prometheus
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.network import callers
from hardener.kubernetes.network.addresses import Address, Form, find
from hardener.kubernetes.network.ingress import Backend
from hardener.kubernetes.network.label_selector import Selector, parse
from hardener.kubernetes.network.service_names import meanings
from hardener.kubernetes.objects.shape import ShapeError
from hardener.kubernetes.pods.custom_resource import is_custom_group
from hardener.support.data_path import Path
from hardener.support.shapes import mapping
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree


class Sink(Protocol):
    """What the edges of workloads are collected in: says which are known, and takes those of controllers.

    ``named`` are the Services that another workload names, ``namespaces`` all that the tree knows.
    """

    named: set[Object]
    namespaces: frozenset[str]

    @property
    def edges(self) -> list[Edge]:
        """The edges that are known so far, those of workloads."""

    @property
    def doubts(self) -> list[Edge]:
        """What may be a connection of a workload."""

    @property
    def edges_of_parts(self) -> list[Edge]:
        """Those of the parts of pods that programs make."""

    def add(
        self, client: PodTemplate, server: PodTemplate, on: tuple[Port, ...], fact: Evidence, service: Object | None
    ) -> None:
        """Take up an edge; one that is known gets the evidence."""

    def resolve(self, asking: Object, host: str) -> list[Object]:
        """The Services of the tree that ``asking`` means by ``host``."""


def collect(
    tree: Tree, pods: list[PodTemplate], endpoints: Endpoints, sink: Sink
) -> tuple[list[Entry], dict[PodTemplate, Evidence]]:
    """The entries of ``tree``, in the order of ``pods``, which they lead to, and its entrances (see ``Connections``);
    edges of controllers go to ``sink``."""
    entries = _Entries(tree, pods, endpoints, sink)
    for service in tree.of("", "Service"):
        entries.exposed(service)
        entries.routed(service)
    for item in tree.objects:
        entries.called(item)
    for pod in pods:
        entries.host_ports(pod)
    entries.monitors()
    entries.scraped()
    entries.from_programs()
    entries.from_unread()
    entries.from_custom_resources()
    entries.called_at_run_time()
    edges = sink.edges
    entries.named_for_a_purpose(edges)
    entries.from_nodes(edges)
    entries.from_nodes(sink.doubts, sure=False)
    entries.orphans(edges)
    return entries.finished(), entries.entrances


_PortsOfPods = dict[PodTemplate, set[Port]]


class _Entries:
    def __init__(self, tree: Tree, pods: list[PodTemplate], endpoints: Endpoints, sink: Sink) -> None:
        self._tree = tree
        self._every_pod = pods
        self._states = endpoints.states
        self._pods = endpoints.pods
        self._ports = endpoints.ports
        self._sink = sink
        self._services = tree.ask(Relations).services_called
        self._controllers = Controllers(tree, pods)
        self._found: dict[tuple[PodTemplate, tuple[Port, ...], Way], tuple[list[Evidence], Object | None]] = {}
        self._open: set[Object] = set()  # Services that are used from outside the workloads of the tree
        self.entrances: dict[PodTemplate, Evidence] = {}

    def finished(self) -> list[Entry]:
        order = {pod: position for position, pod in enumerate(self._every_pod)}
        found = [Entry(pod, on, way, tuple(facts), service) for (pod, on, way), (facts, service) in self._found.items()]
        return sorted(found, key=lambda entry: order.get(entry.server, 0))

    def _add(
        self, pod: PodTemplate, on: tuple[Port, ...], way: Way, fact: Evidence, service: Object | None = None
    ) -> None:
        facts, _ = self._found.setdefault((pod, on, way), ([], service))
        if fact not in facts:
            facts.append(fact)

    def _to_service(self, service: Object, wanted: int | str | None, way: Way, fact: Evidence) -> None:
        if way in (Way.OUTSIDE, Way.API_SERVER):
            self._open.add(service)
        for pod in self._pods(service):
            self._add(pod, self._ports(service, pod, wanted), way, fact, service)

    def exposed(self, service: Object) -> None:
        """Load balancers, node ports and external addresses."""
        for state in self._states(service):
            spec = mapping(state.data.get("spec"))
            kind = spec.get("type")
            if kind in ("LoadBalancer", "NodePort"):
                fact = state.fact(f"{service} is of type {kind}", "spec", "type")
            elif spec.get("externalIPs"):
                fact = state.fact(f"{service} has external addresses", "spec", "externalIPs")
            else:
                continue
            self._to_service(service, None, Way.OUTSIDE, fact)
            self._enters(service, fact)

    def _enters(self, service: Object, fact: Evidence) -> None:
        for pod in self._pods(service):
            self.entrances.setdefault(pod, fact)

    def routed(self, service: Object) -> None:
        """Ingresses and routes: from their controller where it is in the tree, else from anywhere."""
        for item, backend in self._tree.ask(Relations).routes_to(service):
            fact = Evidence(f"{item} leads to {service}", item.piece, (*item.path, *backend.path))
            self._from_controller(item, service, backend.port, fact)
            self._enters(service, fact)

    def _from_controller(self, item: Object, service: Object, wanted: int | str | None, fact: Evidence) -> None:
        controllers = self._controllers.of(item)
        if not controllers:
            self._to_service(service, wanted, Way.OUTSIDE, fact)
        for client in controllers:
            for pod in self._pods(service):
                self._sink.add(client, pod, self._ports(service, pod, wanted), fact, service)

    def called(self, item: Object) -> None:
        """What the API server calls, and what an Ingress asks for who may pass."""
        for backend in callers.api_server_calls(item.kind, item.data):
            for service in self._named(item, backend):
                fact = Evidence(f"the API server calls {service} for {item}", item.piece, (*item.path, *backend.path))
                self._to_service(service, backend.port, Way.API_SERVER, fact)
        if item.kind == "Ingress":
            for key, value in item.annotations.items():
                for address in find(value, self._services, self._sink.namespaces, form=Form.TEXT):
                    for service in self._sink.resolve(item, address.host):
                        fact = item.fact(f"annotation {key} of {item} names {service}", "metadata", "annotations", key)
                        self._from_controller(item, service, address.port, fact)

    def _named(self, item: Object, backend: Backend) -> list[Object]:
        near = self._services.get(backend.name)
        return near.meeting(item, backend.namespace) if near is not None else []

    def host_ports(self, pod: PodTemplate) -> None:
        """Ports of the node that lead to the pod, and pods that a gateway of Knative leads to."""
        for key in ("initContainers", "containers"):
            for index, container in _listed(pod.data.get(key)):
                for place, item in _listed(container.get("ports")):
                    hosts = item.get("hostPort")
                    own = _port_of(item) if hosts is not None else None
                    if own is not None and (number(hosts) is not None or any(expressions(hosts, None))):
                        on = (own,)
                        fact = pod.fact(f"port {own.port} is open on the node", key, index, "ports", place, "hostPort")
                        self._add(pod, on, Way.OUTSIDE, fact)
        if pod.partial:
            self._add(pod, (), Way.OUTSIDE, pod.object.fact(f"{pod.object} is served through a gateway"))

    def monitors(self) -> None:
        """ServiceMonitors and PodMonitors: those who follow them are made by an operator, so that no tree has them."""
        if self._tree.kinds.isdisjoint(callers.MONITORS):
            return
        found = [(item, it) for item in self._tree.objects if (it := callers.monitor(item.group, item.kind, item.data))]
        services = _ByLabel((service, _labels(service)) for service in self._tree.of("", "Service"))
        pods = _ByLabel((pod, pod.labels) for pod in self._every_pod)
        for item, it in found:
            try:
                selector = parse(it.selector)
            except ShapeError:
                continue
            wanted = [(str(key), str(value)) for key, value in mapping(it.selector.get("matchLabels")).items()]
            fact = item.fact(f"{item} makes Prometheus scrape it")
            if it.services:
                for service in services.selected(selector, wanted):
                    if self._in_reach(item, it, service):
                        self._monitored(service, it, fact)
                continue
            for pod in pods.selected(selector, wanted):
                if self._in_reach(item, it, pod.object):
                    on = {port for pair in it.ports for port in _of_pod(pod, pair)}
                    self._add(pod, tuple(sorted(on, key=lambda port: port.order)), Way.MONITORING, fact)

    def _in_reach(self, item: Object, it: callers.Monitor, other: Object) -> bool:
        builds = self._tree.ask(Builds)
        if it.namespaces is None:
            return builds.meet(item, other)
        return not it.namespaces or any(builds.may_be_in(other, name) for name in it.namespaces)

    def _monitored(self, service: Object, it: callers.Monitor, fact: Evidence) -> None:
        for pod in self._pods(service):
            for name, target in it.ports:
                if name is None and target is not None:
                    on: tuple[Port, ...] = tuple(_of_pod(pod, (None, target)))
                else:
                    on = self._ports(service, pod, name)
                self._add(pod, on, Way.MONITORING, fact, service)

    def scraped(self) -> None:
        """Annotations that ask Prometheus to come: from its pods in the tree, else from any pod of the cluster."""
        servers = [pod for pod in self._every_pod if is_prometheus(pod)]
        for service in self._tree.of("", "Service"):
            if callers.is_scraped(service.annotations):
                fact = service.fact(f"{service} asks to be scraped", "metadata", "annotations")
                port = callers.scrape_port(service.annotations)
                for pod in self._pods(service):
                    self._scrape(servers, pod, (Port(port),) if port else self._ports(service, pod), fact)
        for pod in self._every_pod:
            annotations = mapping(pod.metadata.data.get("annotations"))
            texts = {str(key): str(value).lower() for key, value in annotations.items()}
            if texts and callers.is_scraped(texts):
                fact = pod.metadata.fact("its pods ask to be scraped", "annotations")
                self._scrape(servers, pod, _scraped_ports(pod, callers.scrape_port(texts)), fact)

    def _scrape(self, servers: list[PodTemplate], pod: PodTemplate, on: tuple[Port, ...], fact: Evidence) -> None:
        if not on:
            return
        for client in servers:
            if client is not pod:
                self._sink.add(client, pod, on, fact, None)
        if not servers:
            self._add(pod, on, Way.MONITORING, fact)

    def from_programs(self) -> None:
        """Parts of pods that programs make: the labels and the namespace of such a pod are the program's."""
        for edge in self._sink.edges_of_parts:
            way = Way.OUTSIDE if edge.client.data.get("hostNetwork") is True else Way.PROGRAM
            for fact in edge.evidence:
                self._add(edge.server, edge.ports, way, fact, edge.service)

    def from_unread(self) -> None:
        """What a document that could not be read names, it may call: from whichever namespace."""
        unread = [piece for file in self._tree.files for piece in file.pieces if piece.problem and not piece.is_new]
        called: dict[str, list[Object]] = {}
        for service in self._tree.of("", "Service") if unread else ():
            called.setdefault(service.name, []).append(service)
        for piece in unread if called else ():
            for address in find(piece.text, called, self._sink.namespaces, form=Form.TEXT):
                for service in self._meant(address, called) if address.known and address.firm else ():
                    text = f"{piece.file.name}, which could not be read, names {service}"
                    self._to_service(service, address.port, Way.UNREAD, Evidence(text))

    def _meant(self, address: Address, called: dict[str, list[Object]]) -> list[Object]:
        """The Services that ``address`` may mean, wherever it stands."""
        may_be_in = self._tree.ask(Builds).may_be_in
        for name, namespace in meanings(address.host):
            if name in called:
                return [service for service in called[name] if namespace is None or may_be_in(service, namespace)]
        return []

    def from_custom_resources(self) -> None:
        """What custom resources name beside routes and monitors: their controllers call it, or what these make."""
        for item in self._tree.objects if self._services else ():
            if is_custom_group(item.group) and not callers.monitor(item.group, item.kind, item.data):
                for backend in callers.named_services(item.data.get("spec")):
                    for service in self._named(item, backend):
                        if all(item is not other for other, _ in self._tree.ask(Relations).routes_to(service)):
                            fact = Evidence(f"{item} names {service}", item.piece, (*item.path, "spec", *backend.path))
                            self._to_service(service, backend.port, Way.CONTROLLER, fact)

    def called_at_run_time(self) -> None:
        """Whoever registers webhooks or APIs by itself is called by the API server on the ports of its Services, and by
        the pods that it makes on all that it declares."""
        peers = self._tree.ask(RunTimePeers)
        pods = self._every_pod if peers.has_rights else []
        makers = {pod: why for pod in pods if (why := peers.makes_pods(pod)) is not None}
        served: dict[PodTemplate, dict[Port, None]] = {}
        for service in self._tree.of("", "Service") if peers.has_rights else ():
            for pod in self._pods(service):
                if (registers := peers.registers(pod)) is not None:
                    self._add(pod, self._ports(service, pod), Way.API_SERVER, registers, service)
                if pod in makers:
                    served.setdefault(pod, {}).update(dict.fromkeys(self._ports(service, pod)))
        for pod in self._every_pod:
            if (makes := makers.get(pod)) is not None:
                on = dict.fromkeys([*served.get(pod, ()), *_declared(pod)])
                if on:
                    self._add(pod, tuple(sorted(on, key=lambda port: port.order)), Way.MADE, makes)
            if (fact := gateway_of_all_namespaces(pod)) is not None:
                self._add(pod, _declared(pod), Way.GATEWAY, fact)

    def named_for_a_purpose(self, edges: list[Edge]) -> None:
        """Ports that are called metrics are read from any namespace, unless a Prometheus of the tree does that; those
        that are called webhook are called by the API server, or by way of a route that stands elsewhere."""
        read = {(edge.server, port) for edge in edges if is_prometheus(edge.client) for port in edge.ports}
        for pod in self._every_pod:
            for index_of, item in _declared_at(pod):
                on = _port_of(item) if callers.purpose(item.get("name")) is not None else None
                if on is not None:
                    fact = pod.fact(f"port {on} is called {item.get('name')}", *index_of, "name")
                    self._for_purpose(pod, (on,), item.get("name"), fact, None, read)
        for service in self._tree.of("", "Service"):
            for index, item in _listed(mapping(service.data.get("spec")).get("ports")):
                if callers.purpose(item.get("name")) is None:
                    continue
                for pod in self._pods(service):
                    on_pod = self._ports(service, pod, str(item.get("name")))
                    words = ", ".join(map(str, on_pod))
                    fact = service.fact(f"port {words} is called {item.get('name')}", "spec", "ports", index, "name")
                    self._for_purpose(pod, on_pod, item.get("name"), fact, service, read)

    def _for_purpose(
        self,
        pod: PodTemplate,
        on: tuple[Port, ...],
        name: Any,
        fact: Evidence,
        service: Object | None,
        read: set[tuple[PodTemplate, Port]],
    ) -> None:
        way = {"metrics": Way.MONITORING, "webhook": Way.API_SERVER}.get(callers.purpose(name) or "")
        left = tuple(port for port in on if way is Way.API_SERVER or (pod, port) not in read)
        if way is not None and left:
            self._add(pod, left, way, fact, service)

    def from_nodes(self, edges: list[Edge], *, sure: bool = True) -> None:
        """Clients on the network of their node have its addresses, which no selector of pods means. What is not
        ``sure`` makes no use of a Service known."""
        for edge in edges:
            if edge.client is edge.server:
                continue
            state = next((each for each in states(edge.client) if each.data.get("hostNetwork") is True), None)
            if state is not None:
                fact = state.fact(f"{edge.client.object} is on the network of its node", "hostNetwork")
                for each in (*edge.evidence, fact):
                    self._add(edge.server, edge.ports, Way.OUTSIDE, each, edge.service)
                if edge.service is not None and sure:
                    self._open.add(edge.service)

    def orphans(self, edges: list[Edge]) -> None:
        """Ports of Services that nothing names: what is built into images is not seen, so their namespace may use them.

        A Service that nothing names is open to it whole, also where other Services lead to the same pods. So is a port
        that a container declares and no Service leads to.
        """
        used = self._open | self._sink.named
        known, measured = self._known_ports(edges)
        served: dict[PodTemplate, set[Port]] = {}
        for service in self._tree.of("", "Service"):
            for pod in self._pods(service):
                every = self._ports(service, pod)
                closed = [port for port in every if port not in measured.get(pod, ())]
                # One that gives the members of a StatefulSet their names is not what others connect to.
                if service in used or _governs(service, pod):
                    closed = [port for port in closed if port not in known.get(pod, ())]
                if closed or (not every and service not in used):
                    numbers = "" if service not in used else f"port {', '.join(map(str, closed))} of "
                    fact = service.fact(f"nothing in the tree names {numbers}{service}", "metadata", "name")
                    controls = self._tree.ask(RunTimePeers).controls(pod)
                    if controls is None:
                        self._add(pod, tuple(closed), Way.NAMESPACE, fact, service)
                    else:  # of the whole cluster, and not of an application of its namespace
                        self._add(pod, tuple(closed), Way.CONTROLLER, controls, service)
                served.setdefault(pod, set()).update(every)
        for pod in self._every_pod:
            self._open_declared(pod, served.get(pod, set()) | known.get(pod, set()) | measured.get(pod, set()))

    def _known_ports(self, edges: list[Edge]) -> tuple[_PortsOfPods, _PortsOfPods]:
        """The ports of each pod that somebody is known to connect to, and those that are only measured."""
        known: _PortsOfPods = {}
        measured: _PortsOfPods = {}
        for edge in edges:
            if edge.client is not edge.server:
                known.setdefault(edge.server, set()).update(edge.ports)
        for pod, on, way in self._found:
            (measured if way is Way.MONITORING else known).setdefault(pod, set()).update(on)
        return known, measured

    def _open_declared(self, pod: PodTemplate, taken: set[Port]) -> None:
        """Open the ports that ``pod`` declares, beside those ``taken``, to its namespace."""
        alone = tuple(port for port in _declared(pod) if port not in taken)
        if alone and not pod.partial:
            words = f"port{'s' * (len(alone) > 1)} {', '.join(map(str, alone))}"
            fact = pod.fact(f"{pod.object} declares {words}, and no Service leads to it")
            self._add(pod, alone, Way.NAMESPACE, fact)


_Labelled = TypeVar("_Labelled")


class _ByLabel(Generic[_Labelled]):
    """Things with labels, found by the fewest that have one of those that a selector wants."""

    def __init__(self, things: Iterable[tuple[_Labelled, Mapping[str, str]]]) -> None:
        self._labels = dict(things)
        self._having: dict[tuple[str, str], list[_Labelled]] = {}
        for thing, labels in self._labels.items():
            for label in labels.items():
                self._having.setdefault(label, []).append(thing)

    def selected(self, selector: Selector, wanted: Iterable[tuple[str, str]]) -> Iterator[_Labelled]:
        """Find what ``selector`` selects; ``wanted`` are labels that it asks for."""
        near = min((self._having.get(label, []) for label in wanted), key=len) if wanted else self._labels
        return (thing for thing in near if selector.matches(self._labels[thing]))


def _scraped_ports(pod: PodTemplate, asked: int | None) -> tuple[Port, ...]:
    """The port that an annotation asks for, or those that the containers of ``pod`` declare."""
    if asked:
        return (Port(asked),)
    declared = {number(item.get("containerPort")) for item in declared_ports(pod)}
    known = [Port(value) for value in sorted(value for value in declared if value)]
    return (*known, *(port for port in _declared(pod) if port.is_unknown))


def _listed(value: Any) -> list[tuple[int, dict[str, Any]]]:
    if not isinstance(value, list):
        return []
    return [(index, item) for index, item in enumerate(value) if isinstance(item, dict)]


def _declared_at(pod: PodTemplate) -> Iterator[tuple[Path, dict[str, Any]]]:
    for key in ("initContainers", "containers"):
        for index, container in _listed(pod.data.get(key)):
            for place, item in _listed(container.get("ports")):
                yield (key, index, "ports", place), item


def _port_of(item: dict[str, Any]) -> Port | None:
    own = number(item.get("containerPort"))
    if own is None:
        return next(expressions(item.get("containerPort"), item.get("protocol")), None)
    return Port(own, str(item.get("protocol") or "TCP").upper())


def _declared(pod: PodTemplate) -> tuple[Port, ...]:
    """The ports that the containers of ``pod`` declare, each once."""
    found = dict.fromkeys([port for _, item in _declared_at(pod) if (port := _port_of(item)) is not None])
    return tuple(found if len(found) < 2 else sorted(found, key=lambda port: port.order))


def _labels(item: Object) -> dict[str, str]:
    labels = mapping(mapping(item.data.get("metadata")).get("labels"))
    return {str(key): str(value) for key, value in labels.items()}


def _of_pod(pod: PodTemplate, pair: tuple[int | str | None, int | str | None]) -> Iterable[Port]:
    for value in pair:
        plain = number(value)
        if plain is not None:
            yield Port(plain)
        elif isinstance(value, str):
            yield from named_ports(pod, value)


def _governs(service: Object, pod: PodTemplate) -> bool:
    if pod.kind != "StatefulSet" or not is_headless(service):
        return False
    return mapping(pod.object.data.get("spec")).get("serviceName") == service.name
