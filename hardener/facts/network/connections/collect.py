"""The connections of a tree, collected: references of pods to Services, and what comes in from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import ip_address

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.observations import observations, seen
from hardener.facts.images.products import runs_data_store
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.network.connections import entries
from hardener.facts.network.connections.endpoints import (
    Endpoints,
    declared_ports,
    is_computed,
    is_headless,
    is_patch,
    number,
    selector,
)
from hardener.facts.network.connections.model import Connections, Edge, External, Port, Unresolved, Unseen
from hardener.facts.network.connections.recorded import put_elsewhere, put_recorded
from hardener.facts.network.connections.sources import Sources, SourceText, bare_words, lines_of
from hardener.facts.network.connections.texts import Text, Texts
from hardener.facts.network.namespace_places import here, there
from hardener.facts.objects.object_links import Relations
from hardener.facts.objects.which_copy import Neighbours
from hardener.kubernetes.network.addresses import Address, Form, find, finds_peers, is_service_key
from hardener.kubernetes.network.service_links import mentions
from hardener.kubernetes.network.service_names import is_outside, meanings
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.support.shapes import mapping, mappings
from hardener.tree.core_views import Object, OpaqueError, PodTemplate
from hardener.tree.tree import Tree

_SERVICE = "Service"


class SeenText(Struct, frozen=True):
    """A connection that was seen, in the form in which connections are made of texts."""

    when: str
    piece: Piece
    path: Path
    key: str = ""
    form: Form = Form.TEXT
    port: int | None = None
    secret: bool = False

    def evidence(self, what: str) -> Evidence:
        return Evidence(f"harden observe saw it connect to {what} ({self.when})", self.piece, self.path)


def connections_seen(pod: PodTemplate, services: Collection[str]) -> Iterator[tuple[SeenText, Address]]:
    """The Services of the tree, by the names ``services``, that ``pod`` was seen to connect to, each once."""
    lock = pod.tree.lock
    if lock is None or not lock.is_observed:
        return
    said: set[str] = set()
    try:
        for state in states(pod):
            for container in state.containers:
                for run in filter(None, observations(container)):
                    for name in run.connects:
                        address = _address(name, services)
                        if address is not None and name not in said:
                            said.add(name)
                            yield SeenText(seen(run), *pod.object.place(pod.path)), address
    except (OpaqueError, WrongShapeError):
        return


def _address(said: str, services: Collection[str]) -> Address | None:
    """The address of "Service/cache:6379", of the namespace of who connects, or "Service/data/cache:6379"."""
    kind, *names = said.split("/")
    if kind != _SERVICE or not 1 <= len(names) <= 2:
        return None
    name, _, port = names[-1].partition(":")
    if name not in services:
        return None
    host = name if len(names) == 1 else f"{name}.{names[0]}"
    return Address(host, int(port) if port.isdecimal() else None, firm=True, known=True)


_MOST_SHARING = 20  # users of one Secret that are looked at one by one
_NAMES = ("app.kubernetes.io/name", "app", "k8s-app", "name")  # labels that say what a workload is called
_HELD_IN = "annotation.py"  # words count as in a program: whole texts and defaults
_SHORT = 200  # characters of a text that is remembered by what it says
_DNS = ("kube-dns.kube-system.", "coredns.kube-system.", "dns-default.openshift-dns.")  # every pod may ask it anyway


def collect(tree: Tree) -> Connections:
    """The connections of the tree."""
    collector = Collector(tree)
    for pod in (*collector.pods, *collector.parts):
        collector.read(pod)
    put_recorded(collector)
    collector.members()
    collector.share_credentials()
    collector.meet_by_name()
    found = entries.collect(tree, collector.pods, collector.endpoints, collector)
    collector.found.entries, collector.found.entrances = found
    put_elsewhere(collector)
    return collector.finished()


class Collector:
    """What is known while the connections are collected."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.endpoints = Endpoints(tree)
        self.services = tree.ask(Relations).services_called
        self.texts = Texts(tree)
        self._names = frozenset(self.services)
        self._bare: dict[tuple[int, Path], list[str]] = {}  # of files of ConfigMaps, the Services that they name
        self.found = Connections()
        self.namespaces = _namespaces(tree)
        self.sources = Sources(tree, self.services, self.namespaces)
        self.pods = [pod for pod in tree.pod_templates if not is_patch(pod)]
        self.parts = [pod for item in tree.fragments for pod in item.pods if not is_patch(pod)]
        self._knative = {item.name for item in tree.of("serving.knative.dev", "Service")}
        self._edges: dict[tuple[PodTemplate, PodTemplate, tuple[Port, ...]], tuple[list[Evidence], Object | None]] = {}
        self._doubts: dict[tuple[PodTemplate, PodTemplate, tuple[Port, ...]], tuple[list[Evidence], Object | None]] = {}
        self._addresses: dict[tuple[str | tuple[int, Path], str, Form, bool], list[Address]] = {}
        self._neighbours: dict[tuple[str, str], Neighbours] = {}
        self._nearest: dict[tuple[str, str, Object], frozenset[Object]] = {}
        self._led: dict[tuple[Object, ...], list[tuple[Object, Object]]] = {}
        self.named: set[Object] = set()  # Services that another workload names, also one beside another of an edge
        self._said: set[tuple[object, ...]] = set()
        self._copies: dict[tuple[str, str], dict[Object, None]] = {}
        for pod in self.pods:
            self._copies.setdefault((pod.kind, pod.object.name), {})[pod.object] = None
        self._addresses_of: dict[str, list[Object]] = {}
        for item in tree.of("", "Endpoints"):
            self._addresses_of.setdefault(item.name, []).append(item)
        for item in tree.of("discovery.k8s.io", "EndpointSlice"):
            labels = mapping(mapping(item.data.get("metadata")).get("labels"))
            self._addresses_of.setdefault(str(labels.get("kubernetes.io/service-name")), []).append(item)

    def read(self, client: PodTemplate) -> None:
        """Take up what the texts of ``client`` say about whom it talks to."""
        texts = self.texts.of(client)
        for text in texts:
            for address in self._in(text):
                self._refer(client, text, address)
            self._read_file(client, text)
        self._say_unread(client, texts)
        for mention in self.sources.of(client):
            self._refer(client, SourceText(mention.where), mention.address)
        for text_seen, address in connections_seen(client, self.services):
            self._refer(client, text_seen, address)
        words = self.sources.words(client)
        if words is not None:
            self.found.told_by_sources.add(client)
            self._may_call(client, words)

    def _say_unread(self, client: PodTemplate, texts: list[Text]) -> None:
        """Take up that the settings of ``client`` may hold addresses which the tree does not show, or that it has
        none."""
        unread = next(self.texts.unread(client), None)
        if unread is None and (lacking := self.sources.lacking(client)) is not None:
            unread = client.fact(f"the tree does not hold {lacking}, which its image is built from")
        if unread is not None:
            self.found.unread[client] = unread
        elif not any(text.form is not Form.TEXT for text in texts):
            self.found.unset.add(client)

    def _may_call(self, client: PodTemplate, words: dict[str, str]) -> None:
        """Take up the Services that the sources of ``client`` name by a bare word, each with where."""
        for name, where in words.items():
            for service, end in self._ends(self.resolve(client.object, name)):
                if client not in self.endpoints.pods(service):
                    self._doubt(client, end, None, SourceText(where).evidence(f"{service} by a bare word"))

    def _read_file(self, client: PodTemplate, text: Text) -> None:
        """Take up the Services that a file of a ConfigMap or an annotation names by a bare word, such as the default in
        `${DB:="mysql"}`."""
        is_file = text.form is Form.VALUE and "\n" in text.value
        if text.secret or not (is_file or text.said.startswith("annotation ")):
            return
        key = id(text.piece), text.path
        if key not in self._bare:
            lines = lines_of(text.value) if is_file else [(1, f'"{text.value}" {text.value}')]
            self._bare[key] = list(bare_words(text.key if is_file else _HELD_IN, lines, self._names))
        for name in self._bare[key]:
            for service, end in self._ends(self.resolve(client.object, name)):
                if client not in self.endpoints.pods(service):
                    self._doubt(client, end, None, text.evidence(f"{service} by a bare word"))

    def _in(self, text: Text) -> list[Address]:
        is_short = len(text.value) < _SHORT
        key = text.value if is_short else (id(text.piece), text.path), text.key, text.form, text.secret
        found = self._addresses.get(key)
        if found is None:
            strangers = not text.secret
            every = find(text.value, self.services, self.namespaces, key=text.key, form=text.form, strangers=strangers)
            found = [*dict.fromkeys(every), *self._linked(text.value)]
            # Short ones stand in a tree many times. Of others, those of ConfigMaps and Secrets are asked for again.
            if is_short or text.said.startswith("key "):
                self._addresses[key] = found
        return found

    def _linked(self, text: str) -> list[Address]:
        """The Services that a text names by the variables that the kubelet makes: REDIS_SERVICE_HOST."""
        found = {}
        for variable in mentions(text):
            name = variable.partition("_SERVICE_")[0] if "_SERVICE_" in variable else variable.partition("_PORT_")[0]
            name = name.lower().replace("_", "-")
            if name in self.services:
                found[name] = Address(name, None, True, True)
        return list(found.values())

    def _refer(self, client: PodTemplate, text: Text | SourceText | SeenText, address: Address) -> None:
        host, port = address.host, address.port or text.port
        if _is_api(host) or (not address.known and host.startswith(_DNS)):
            return
        found = self.resolve(client.object, host) if address.known else []
        for service, end in self._ends(found):
            is_own = client in self.endpoints.pods(service)
            if address.firm or (is_service_key(text.key) and not is_own):
                self.connect(client, end, port, text)
            elif not is_own:
                # A bare word may be anything, `-disable=autoscaler`: no connection, and none that may be cut.
                self._doubt(client, end, port, text.evidence(f"{service} by a bare word"))
            elif is_headless(service) or finds_peers(text.key):
                # Its own name, which need not be an address: it is one where members find each other by it.
                self.add(client, client, (), text.evidence(str(service)), service)
        if not (found or text.secret or host in self._knative):
            self._refer_outside(client, text, address, port)

    def _refer_outside(
        self, client: PodTemplate, text: Text | SourceText | SeenText, address: Address, port: int | None
    ) -> None:
        """Take up an address of no Service of the tree: one outside of the cluster, or one that nothing answers to."""
        host = address.host
        label = f"{host}:{port}" if port else host
        if not address.known and is_outside(host, self.namespaces):
            if self._is_new(client, host, port):
                self.found.external.append(External(client, host, port, _written(host), text.evidence(label)))
        elif address.firm and (text.form is not Form.TEXT or ".svc" in host) and self._is_new(client, host, port):
            self.found.unresolved.append(Unresolved(client, host, port, text.evidence(label)))

    def _is_new(self, *what: object) -> bool:
        """Whether this is said for the first time."""
        known = what in self._said
        self._said.add(what)
        return not known

    def resolve(self, asking: Object, host: str) -> list[Object]:
        """The Services of the tree that ``asking`` means by ``host``."""
        for service, namespace in meanings(host):
            near = self.services.get(service)
            found = near.meeting(asking, namespace) if near is not None else []
            if namespace is None:
                found = [item for item in found if self._is_own(asking, item)]
            if found:
                return found
        return []

    def _is_own(self, asking: Object, service: Object) -> bool:
        """Whether ``service`` belongs to ``asking``, and not to a copy of it: an overlay, a release, an example."""
        copies = self._copies.get((asking.kind, asking.name), {})
        if len(copies) < 2:
            return True
        key = (asking.kind, asking.name, service)
        found = self._nearest.get(key)
        if found is None:
            near = self._neighbours.get(key[:2])
            if near is None:
                near = self._neighbours[key[:2]] = Neighbours(self.tree.ask(Builds), copies)
            found = self._nearest[key] = frozenset(near.of(service))
        return asking in found

    def _ends(self, services: list[Object]) -> list[tuple[Object, Object]]:
        """(one of ``services``, the Service that it leads to): itself, or where an ExternalName names others of the
        tree, those. Each Service is passed once, since names may lead in a circle."""
        known = self._led.get(key := tuple(services))
        if known is None:
            known = self._led[key] = []
            passed: set[Object] = set()
            asked: dict[tuple[str, str | None, str], bool] = {}  # a name from a place; whether the tree has it
            for first in services:
                next_services = [first]
                while next_services:
                    service = next_services.pop()
                    if service in passed:
                        continue
                    passed.add(service)
                    host = (_other_name(service) or "").rstrip(".")
                    place = service.piece.file.path, service.namespace, host
                    if place not in asked:
                        others = self.resolve(service, host) if host else []
                        asked[place] = bool(others)
                        next_services += reversed(others)
                    if not asked[place]:
                        known.append((first, service))
        return known

    def connect(
        self, client: PodTemplate, service: Object, port: int | None, text: Text | SourceText | SeenText
    ) -> None:
        """Take up that ``client`` connects to ``service``, which is no other name of a Service of the tree."""
        label = f"{service.name}:{port}" if port and not text.secret else str(service)
        if (host := _other_name(service)) is not None:
            if host and self._is_new(client, service, port):
                self.found.external.append(External(client, host, port, (), text.evidence(str(service))))
            return
        if not selector(service) and not is_computed(service):
            if self._is_new(client, service, port):
                on, addresses = self._behind(service, port)
                self.found.external.append(External(client, service.name, on, addresses, text.evidence(str(service))))
            return
        pods = self.endpoints.pods(service)
        if not pods and self._is_new(client, service, port):
            self.found.unseen.append(Unseen(client, service, port, text.evidence(label)))
        for server in pods:
            own = client is server and is_headless(service)
            self.add(
                client,
                server,
                () if own else self.endpoints.ports(service, server, port),
                text.evidence(label),
                service,
            )

    def _behind(self, service: Object, port: int | None) -> tuple[int | None, tuple[str, ...]]:
        """Port and addresses of what stands behind a Service without selector; its own port is translated to one of
        theirs."""
        slices = self._slices(service)
        addresses = tuple(dict.fromkeys(address for item in slices for address in _addresses(item)))
        is_theirs = not addresses or any(port in _numbers(item) for item in slices)
        return port if is_theirs else None, addresses

    def _doubt(self, client: PodTemplate, service: Object, port: int | None, fact: Evidence) -> None:
        """Take up that ``client`` may connect to ``service``, which is no other name of a Service of the tree."""
        for server in self.endpoints.pods(service) if _other_name(service) is None else ():
            key = client, server, self.endpoints.ports(service, server, port)
            self._doubts.setdefault(key, ([], service))[0].append(fact)

    def meet_by_name(self) -> None:
        """Who names a host that is no Service of the tree may call the workload of that name: its Service may stand
        elsewhere."""
        called = self._called_like_hosts() if self.found.unresolved else {}
        served = self._served() if called else {}
        for item in self.found.unresolved if called else ():
            for name, namespace in meanings(item.host):
                for server in called.get(name, ()):
                    if server is not item.pod and self._may_mean(item.pod.object, server.object, namespace):
                        text = f"{item.evidence.text}, which {server.object} is called"
                        fact = Evidence(text, *_at(item.evidence))
                        on = _declared(server) or served.get(server, ())
                        self._doubts.setdefault((item.pod, server, on), ([], None))[0].append(fact)

    def _called_like_hosts(self) -> dict[str, list[PodTemplate]]:
        """The workloads by their names and labels of names; a name that many have is none of a host."""
        found: dict[str, list[PodTemplate]] = {}
        for pod in self.pods:
            labels = mapping(pod.metadata.data.get("labels"))
            for name in dict.fromkeys([pod.object.name, *(str(labels[key]) for key in _NAMES if key in labels)]):
                found.setdefault(name, []).append(pod)
        return {name: pods for name, pods in found.items() if len(pods) <= _MOST_SHARING}

    def _served(self) -> dict[PodTemplate, tuple[Port, ...]]:
        """The ports of workloads that Services of other names lead to."""
        found: dict[PodTemplate, dict[Port, None]] = {}
        for service in self.tree.of("", _SERVICE):
            for pod in self.endpoints.pods(service):
                found.setdefault(pod, {}).update(dict.fromkeys(self.endpoints.ports(service, pod)))
        return {pod: tuple(ports) for pod, ports in found.items()}

    def _may_mean(self, asking: Object, server: Object, namespace: str | None) -> bool:
        if namespace is not None:
            return self.tree.ask(Builds).may_be_in(server, namespace)
        return not set(here(asking)).isdisjoint(there(server)) and self._is_own(asking, server)

    @property
    def doubts(self) -> list[Edge]:
        """What may be a connection: a Service is named by a word that need not be an address."""
        return [Edge(*key, tuple(dict.fromkeys(facts)), service) for key, (facts, service) in self._doubts.items()]

    def add(
        self, client: PodTemplate, server: PodTemplate, on: tuple[Port, ...], fact: Evidence, service: Object | None
    ) -> None:
        """Take up an edge; one that is known gets the evidence."""
        facts, _ = self._edges.setdefault((client, server, on), ([], service))
        if fact not in facts:
            facts.append(fact)
        if service is not None and client is not server:
            self.named.add(service)

    def share_credentials(self) -> None:
        """Who has the credentials of a data store may connect to it, wherever it has its address from."""
        users: dict[str, list[tuple[PodTemplate, str | None, Evidence]]] = {}
        for pod in self.pods:
            for (name, key), fact in self.texts.credentials(pod):
                users.setdefault(name, []).append((pod, key, fact))
        for crowd in [name for name, several in users.items() if len(several) > _MOST_SHARING]:
            # Each pair would be an edge. Whoever is partly read may call its namespace anyway.
            for pod, _, fact in users.pop(crowd):
                text = f"{fact.text}, which more than {_MOST_SHARING} others have"
                self.found.unread.setdefault(pod, Evidence(text, *_at(fact)))
        for service in self.tree.of("", _SERVICE) if users else ():
            for store in filter(_runs_data_store, self.endpoints.pods(service)):
                self._share(service, store, users)

    def _share(
        self, service: Object, store: PodTemplate, users: dict[str, list[tuple[PodTemplate, str | None, Evidence]]]
    ) -> None:
        """Take up who has the same keys of Secrets as ``store``, which stands behind ``service``."""
        own = {named for named, _ in self.texts.credentials(store)}
        for name in {name for name, _ in own}:
            for client, key, fact in users.get(name, ()):
                is_same = (name, key) in own or (name, None) in own or key is None
                if not is_same or client is store or _runs_data_store(client):
                    continue
                if service in self.resolve(client.object, service.name):
                    self._doubt(client, service, None, Evidence(f"{fact.text}, as {store.object} does", *_at(fact)))

    def _slices(self, service: Object) -> list[Object]:
        found = self._addresses_of.get(service.name, [])
        return Neighbours(self.tree.ask(Builds), found).of(service)

    def members(self) -> None:
        """The members of a StatefulSet talk to each other, on ports that often nothing declares."""
        for pod in self.pods:
            if pod.kind == "StatefulSet":
                self.add(pod, pod, (), pod.object.fact("members of a StatefulSet talk to each other"), None)

    @property
    def edges(self) -> list[Edge]:
        """The edges that are known so far, those of workloads."""
        parts = set(self.parts)
        return [edge for edge in self._every_edge() if edge.client not in parts]

    @property
    def edges_of_parts(self) -> list[Edge]:
        """Those of the parts of pods that programs make."""
        parts = set(self.parts)
        return [edge for edge in self._every_edge() if edge.client in parts]

    def _every_edge(self) -> Iterator[Edge]:
        return (Edge(*key, tuple(facts), service) for key, (facts, service) in self._edges.items())

    def finished(self) -> Connections:
        order = {pod: position for position, pod in enumerate(self.pods)}
        self.found.doubts = self.doubts
        self.found.edges = sorted(self.edges, key=lambda edge: order[edge.client])
        return self.found


def _runs_data_store(pod: PodTemplate) -> bool:
    try:
        return any(map(runs_data_store, pod.containers))
    except (OpaqueError, WrongShapeError):
        return False


def _declared(pod: PodTemplate) -> tuple[Port, ...]:
    """The ports that ``pod`` declares; none, which means all, where it declares none, or an expression."""
    numbers = [(number(item.get("containerPort")), item.get("protocol")) for item in declared_ports(pod)]
    found = {Port(port, str(protocol or "TCP").upper()) for port, protocol in numbers if port is not None}
    return tuple(sorted(found, key=lambda port: port.order)) if len(found) == len(numbers) else ()


def _at(fact: Evidence) -> tuple[Piece | None, Path]:
    return fact.piece, fact.path


def _is_api(host: str) -> bool:
    """Whether a host is the API of the cluster itself, which is no workload."""
    labels = host.split(".")
    return labels[0] == "kubernetes" and labels[1:2] in ([], ["default"])


def _other_name(service: Object) -> str | None:
    """The name that an ExternalName Service stands for, empty where it is no text; None for any other Service."""
    spec = mapping(service.data.get("spec"))
    if spec.get("type") != "ExternalName":
        return None
    host = spec.get("externalName")
    return host if isinstance(host, str) else ""


def _namespaces(tree: Tree) -> frozenset[str]:
    spaces = {name for item in tree.objects for name in tree.ask(Builds).namespaces(item) if name}
    return frozenset(spaces | {item.name for item in tree.of("", "Namespace")})


def _addresses(item: Object) -> list[str]:
    found = [
        str(address["ip"])
        for subset in mappings(item.data.get("subsets"))
        for address in mappings(subset.get("addresses"))
        if isinstance(address.get("ip"), str)
    ]
    for endpoint in mappings(item.data.get("endpoints")):
        listed = endpoint.get("addresses")
        found += [address for address in (listed if isinstance(listed, list) else ()) if isinstance(address, str)]
    return found


def _numbers(item: Object) -> list[int | None]:
    """The ports of an Endpoints or EndpointSlice object."""
    holders = [item.data, *mappings(item.data.get("subsets"))]
    return [number(port.get("port")) for holder in holders for port in mappings(holder.get("ports"))]


def _written(host: str) -> tuple[str, ...]:
    """``host`` where it is an address that a rule can name; not those of the node itself, where clouds give credentials
    away."""
    if not host[-1:].isdigit():
        return ()

    try:
        address = ip_address(host)
    except ValueError:
        return ()
    return () if address.is_link_local or address.is_loopback or address.is_unspecified else (host,)
