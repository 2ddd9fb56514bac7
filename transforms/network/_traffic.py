"""What a policy of a workload lets through: the connections that the manifests show, and what every pod needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hardener.authoring.edits import Evidence, Finding, Severity, WrongShapeError
from hardener.facts.access.api_use import api_use
from hardener.facts.access.token_readers import tokens_read
from hardener.facts.cluster.cloud_nodes import reads_metadata
from hardener.facts.network.connections import Edge, Entry, External, Port, Unresolved, Unseen, Way
from hardener.facts.network.connections.model import FROM_ANY_POD, Connections
from hardener.facts.network.network_policies import Isolation, Policy
from hardener.facts.network.run_time_peers import RunTimePeers
from hardener.facts.network.silent_workloads import MANY, SilentWorkloads, is_agent
from hardener.kubernetes.network.network_policy import Direction
from hardener.kubernetes.network.service_names import meanings
from hardener.tree.core_views import OpaqueError, PodTemplate

from ._dns import cluster_dns, nameservers, uses_cluster_dns
from ._mesh import mesh_of
from ._peers import EVERY_NAMESPACE, EVERY_POD, behind, elsewhere, in_namespace, named, peer
from ._policies import NetworkPolicies, blocks
from ._rules import Rules

# The address at which clouds give the credentials of the node to whoever asks.
_METADATA = ["169.254.169.254/32"]
_METADATA_V6 = ["fd00:ec2::254/128", "fd20:ce::254/128"]
# Where nothing but what is known may be reached: all of them, those of Azure, Alibaba and Oracle, too.
_LINK_LOCAL = ["169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"]
_API_PORTS = [Port(443), Port(6443)]
_BY_NAME = (Evidence("pods find others by DNS name"),)
_OUTSIDE = (Evidence("it may need an address outside of the cluster"),)
_NAMES_OF_METADATA = frozenset(["metadata.google.internal", "169.254.169.254"])
# Where pods get the credentials of a cloud that are meant for them. Sources: Google Kubernetes Engine, "Network policy
# and Workload Identity Federation" (Dataplane V1 rewrites the address before policies are asked, V2 after); Amazon EKS,
# "Set up the Amazon EKS Pod Identity Agent".
_GKE = (("169.254.169.252/32", (987, 988)), ("169.254.169.254/32", (80, 8080)))
_EKS = "169.254.170.23/32"


class Traffic:
    """What policies of ``pods``, whom one policy is for, have to let through; the first stands for all of them."""

    def __init__(self, pods: list[PodTemplate], options: NetworkPolicies) -> None:
        self.pods = pods
        self.options = options
        self._pod = pods[0]
        self._tree = self._pod.tree
        self._meshes = list({mesh.name: mesh for pod in pods for mesh in mesh_of(pod)}.values())

    # Ingress.

    def ingress(self) -> Rules:
        """Return who connects to the pods."""
        rules = Rules("ingress")
        connections = self._tree.ask(Connections)
        for entry in [entry for pod in self.pods for entry in connections.entries_of(pod)]:
            facts = said("in", _ports(entry.ports), entry.evidence)
            if entry.way is Way.MONITORING:
                rules.allow([EVERY_NAMESPACE], entry.ports, facts)
            elif entry.caller is not None:
                rules.allow([elsewhere(entry.caller)], entry.ports, facts)
            elif entry.way in FROM_ANY_POD:  # as clients that a program places are let in
                rules.allow([{**EVERY_NAMESPACE, **EVERY_POD}], entry.ports, facts)
            elif entry.way not in (Way.NAMESPACE, Way.MADE):
                rules.allow_anybody(entry.ports, facts)
            elif entry.way is Way.MADE or self.options.orphans == "same-namespace":
                rules.allow([EVERY_POD], entry.ports, facts)
        for edge in self._edges(Connections.into):
            if not on_host_network(edge.client):  # no policy names it; there is an entry for it
                facts = said(f"in from {named(edge.client)}", _ports(edge.ports), edge.evidence)
                rules.allow([peer(self._pod, edge.client)], edge.ports, facts)
        if self.options.callers == "silent":
            self._allow_unknown_callers(rules)
        for mesh in self._meshes:
            if mesh.inbound:
                rules.allow([EVERY_NAMESPACE], map(Port, mesh.inbound), mesh.evidence)
        return rules

    def _allow_unknown_callers(self, rules: Rules) -> None:
        """Let in, on the ports of Services, those of the namespace of whom nothing shows whom they call."""
        known = self._tree.ask(SilentWorkloads)
        for pod in self.pods:
            served = known.served(pod)
            if served is None:
                continue
            is_open = self._open_to_all(pod)
            on = [port for port in served if port not in is_open]
            if on or not served:
                self._allow_silent(rules, pod, on)

    def _open_to_all(self, pod: PodTemplate) -> set[Port]:
        """The ports of ``pod`` that its whole namespace reaches anyway."""
        ways = (Way.MADE, Way.NAMESPACE) if self.options.orphans == "same-namespace" else (Way.MADE,)
        entries = self._tree.ask(Connections).entries_of(pod)
        return {port for entry in entries if entry.way in ways for port in entry.ports}

    def _allow_silent(self, rules: Rules, pod: PodTemplate, on: list[Port]) -> None:
        callers = self._tree.ask(SilentWorkloads).near(pod)
        silent = {other: why for other, why in callers.silent.items() if not on_host_network(other)}
        facts = callers.makers[:1]
        if sum(not is_agent(other) for other in silent) > MANY:
            first, why = next(iter(silent.items()))
            text = f"more than {MANY} workloads of the namespace ({first.object} first) do not show their calls"
            facts = [*facts, Evidence(text, *_at(why))]
        if facts:
            rules.allow([EVERY_POD], on, said("in from the namespace", _ports(tuple(on)), facts))
            return
        for other, why in silent.items():
            rules.allow([peer(self._pod, other)], on, said(f"in from {named(other)}", _ports(tuple(on)), [why]))

    def unknown_calls(self) -> Iterator[Finding]:
        """Yield workloads of which nothing shows whom they call, and whose calls are refused."""
        known = self._tree.ask(SilentWorkloads)
        for pod in self.pods:
            why = known.found.get(pod)
            if why is None:
                continue
            on_node = on_host_network(pod)
            if not (on_node or self.options.callers == "shown") or not known.serves_another(pod):
                continue
            reason = ", since no policy can name a pod on the network of its node" if on_node else ""
            advice = "name the Services that it calls in a variable"
            text = f"{why.text}: its calls in its namespace are refused{reason}"
            to_do = advice if on_node else f"{advice}, or set network-policy.callers: silent"
            yield pod.finding(text, advice=to_do, severity=Severity.LOW, topic="workload with calls that nothing shows")

    def _edges(self, of: Callable[[Connections, PodTemplate], list[Edge]]) -> Iterator[Edge]:
        """The connections of the pods, and what may be one: nothing that the tree names is cut."""
        connections = self._tree.ask(Connections)
        inwards = of is Connections.into
        for pod in self.pods:
            yield from of(connections, pod)
            for edge in connections.doubts_of(pod):
                if (edge.server if inwards else edge.client) is pod:
                    yield edge

    def orphans(self) -> Iterator[Entry]:
        """Yield services that nothing in the tree names."""
        connections = self._tree.ask(Connections)
        for pod in self.pods:
            yield from (entry for entry in connections.entries_of(pod) if entry.way is Way.NAMESPACE)

    # Egress.

    def egress(self, *, with_dns: bool = True) -> Rules:
        """Return whom the pods connect to."""
        rules = Rules("egress")
        for edge in self._edges(Connections.out_of):
            facts = said(f"out to {named(edge.server)}", _ports(edge.ports), edge.evidence)
            if not on_host_network(edge.server):
                rules.allow([peer(self._pod, edge.server)], edge.ports, facts)
            elif self.options.internet == "deny":
                rules.allow(self._everywhere(), edge.ports, facts)
        for other in self._elsewhere():
            if isinstance(other, Unseen):
                self._allow_unseen(rules, other)
            elif isinstance(other, Unresolved):
                self._allow_unresolved(rules, other)
        self._allow_at_large(rules)
        if with_dns:
            self.add_dns(rules)
        for mesh in self._meshes:
            if mesh.control_plane_ports:
                rules.allow([mesh.control_plane_peer], map(Port, mesh.control_plane_ports), mesh.evidence)
            if mesh.tunnels:
                rules.allow([EVERY_NAMESPACE], map(Port, mesh.tunnels), mesh.evidence)
        for address, ports, evidence in _credential_rules(self.pods, closed=self.options.internet == "deny"):
            rules.allow([_block(address)], map(Port, ports), [evidence])
        self._outside(rules)
        return rules

    def _allow_at_large(self, rules: Rules) -> None:
        """Let the pods call all those among whom something unknown to the tree may be: by selectors, since with some
        plugins an ipBlock means no pods."""
        peers = self._tree.ask(RunTimePeers)
        learns = [fact for pod in self.pods if (fact := peers.learns(pod)) is not None]
        if learns:
            rules.allow([EVERY_NAMESPACE], (), said("out to every pod", "", learns[:1]))
        elif self.options.internet == "allow" and (far := self._silent_calls(SilentWorkloads.serves_elsewhere)):
            rules.allow([EVERY_NAMESPACE], (), said("out to every pod", "", far))
        elif facts := [*self._orphan_calls(), *self._silent_calls(SilentWorkloads.serves_another)]:
            rules.allow([EVERY_POD], (), said("out to the namespace", "", facts))

    def _orphan_calls(self) -> list[Evidence]:
        """The Service of their namespace that nothing names, and that the pods may call."""
        if self.options.orphans != "same-namespace":
            return []
        orphan = self._tree.ask(Isolation).orphan_near(self._pod)
        return [orphan] if orphan is not None else []

    def _silent_calls(self, serves: Callable[[SilentWorkloads, PodTemplate], bool]) -> list[Evidence]:
        """Why the pods may call others that nothing shows, where there is somebody who ``serves`` them."""
        if self.options.callers != "silent":
            return []
        known = self._tree.ask(SilentWorkloads)
        return [known.found[pod] for pod in self.pods if pod in known.found and serves(known, pod)]

    def _allow_unseen(self, rules: Rules, unseen: Unseen) -> None:
        try:
            found = behind(self._pod, unseen.service)
        except (OpaqueError, WrongShapeError):
            return
        rules.allow([found], (), said(f"out to the pods of {unseen.service}", "", [unseen.evidence]))

    def _allow_unresolved(self, rules: Rules, other: Unresolved) -> None:
        """Let the pods call what they name in a namespace, though the tree shows no Service of that name there."""
        name, facts = next(iter(meanings(other.host)), None), [other.evidence]
        if other.seen is not None:
            on = [Port(other.port)] if other.port else []
            rules.allow([elsewhere(other.seen)], on, said(f"out to {other.host}", "", facts))
        elif name is None:
            return
        elif name.namespace is None:
            rules.allow([EVERY_POD], (), said("out to the namespace", "", facts))
        else:
            rules.allow([in_namespace(name.namespace)], (), said(f"out to namespace {name.namespace}", "", facts))

    def add_dns(self, rules: Rules) -> None:
        """Let the pods ask the name servers that they use."""
        for pod in self.pods:
            if uses_cluster_dns(pod):
                peers, ports = cluster_dns(self._tree)
                rules.allow(peers, ports, _BY_NAME)
            peers, ports = nameservers(pod)
            if peers:
                rules.allow(peers, ports, [pod.fact("it names its name servers", "dnsConfig", "nameservers")])

    def _outside(self, rules: Rules) -> None:
        if self.options.internet == "allow":
            readers = self._metadata_readers()
            rules.allow(self._everywhere(), (), [*_OUTSIDE, *readers], apart=True)
            return
        for other in self._elsewhere():
            if isinstance(other, External) and (addresses := _named_addresses(other)):
                ports = [] if other.port is None else [Port(other.port)]
                rules.allow([_block(a) for a in addresses], ports, said("out", "", [other.evidence]))
        for block in blocks(self.options.allow):
            rules.allow([{"ipBlock": {"cidr": block}}], (), [Evidence("the configuration allows it")])
        facts = [fact for pod in self.pods for fact in _api_use(pod)[:1]]  # the first is the strongest
        if facts:
            known = [{"ipBlock": {"cidr": block}} for block in blocks(self.options.api_server)]
            rules.allow(known or self._everywhere(), _API_PORTS, said("out to the Kubernetes API", "", facts))

    def _elsewhere(self) -> list[Unresolved | Unseen | External]:
        isolation = self._tree.ask(Isolation)
        return [other for pod in self.pods for other in isolation.elsewhere(pod)]

    def _everywhere(self) -> list[dict[str, Any]]:
        closed = self.options.internet == "deny"
        if not closed and self._metadata_readers():
            return self._every_address()
        found = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [*(_LINK_LOCAL if closed else _METADATA)]}}]
        if self._tree.ask(Isolation).speaks_ipv6:
            found.append({"ipBlock": {"cidr": "::/0", "except": [*_METADATA_V6]}})
        return found

    def _every_address(self) -> list[dict[str, Any]]:
        ranges = ["0.0.0.0/0", *(["::/0"] if self._tree.ask(Isolation).speaks_ipv6 else [])]
        return [{"ipBlock": {"cidr": each}} for each in ranges]

    def _metadata_readers(self) -> list[Evidence]:
        """Why the pods need the address where clouds hand out the credentials of the node."""
        gke = self._tree.ask(Isolation).identities.gke
        return [why for pod in self.pods if (why := reads_metadata(pod)) is not None and gke(pod) is None]

    # Findings.

    def unreachable(self) -> Iterator[Finding]:
        """Yield what the pods name and no rule lets them reach, as far as the tree shows."""
        if self.options.internet == "deny":
            yield from self._name_servers_of_nodes()
        else:
            yield from self._keeps_metadata()
        yield from self._scraped()
        yield from self._api_under_cilium()
        for other in self._elsewhere():
            if isinstance(other, Unseen) or self._is_reached_as_seen(other):
                continue
            if (found := self._not_reached(other)) is not None:
                yield found

    def _name_servers_of_nodes(self) -> Iterator[Finding]:
        for pod in self.pods:
            if pod.get("dnsPolicy") == "Default":
                text = "it asks the name servers of its node, and no rule can name their addresses"
                advice = "name them in network-policy.allow, or let it ask the DNS of the cluster"
                yield pod.finding(text, "dnsPolicy", advice=advice)

    def _keeps_metadata(self) -> Iterator[Finding]:
        for why in self._metadata_readers():
            text = f"it keeps the metadata address of the cloud (169.254.169.254): {why.text}"
            advice = "give it an identity of its own (IRSA, Pod Identity, Workload Identity), and run harden again"
            yield self._pod.finding(text, advice=advice, severity=Severity.LOW)

    def _scraped(self) -> Iterator[Finding]:
        for pod in self.pods:
            fact = next((each for each in _api_use(pod) if "kubernetes_sd_configs" in each.text), None)
            if fact is not None:
                text = (
                    f"{pod.object} discovers the pods that it scrapes ({fact.text}), and their policies let it in only "
                    "where they ask to be scraped"
                )
                advice = (
                    "annotate the others with prometheus.io/scrape, name their ports in a ServiceMonitor, or add an "
                    "ingress rule for it"
                )
                yield _about(fact, text, advice)

    def _api_under_cilium(self) -> Iterator[Finding]:
        cilium = self._tree.ask(Isolation).cilium
        for pod in self.pods if cilium is not None else ():
            if facts := _api_use(pod):
                yield pod.finding(
                    f"it uses the Kubernetes API ({facts[0].text}), and {cilium} is a sign of Cilium, where an ipBlock "
                    "does not match the API server",
                    advice="add a CiliumNetworkPolicy for it with egress: [{toEntities: [kube-apiserver]}]",
                )

    def _is_reached_as_seen(self, other: Unresolved | External) -> bool:
        """Whether a rule names what was recorded: a workload, or the Kubernetes API."""
        if isinstance(other, Unresolved):
            return other.seen is not None
        is_api = other.port is not None and Port(other.port) in _API_PORTS
        return other.seen and is_api and any(map(_api_use, self.pods))

    def _not_reached(self, other: Unresolved | External) -> Finding | None:
        """What is said of an address that the pods name and that no rule allows."""
        name = f"{other.host}:{other.port}" if other.port else other.host
        if isinstance(other, Unresolved):
            text = f"{other.pod.object} names {name}, and the tree shows no Service of that name"
            advice = "check the name; its pods may call every pod of that namespace, so narrow the rule by hand"
            return _about(other.evidence, text, advice)
        if other.host in _NAMES_OF_METADATA:
            if self.options.internet != "deny" and self._metadata_readers():
                return None
            if any(address in _METADATA for address, _, _ in _credential_rules(self.pods, closed=True)):
                return None
            text = (
                f"{other.pod.object} asks {name}, where clouds hand out the credentials of the node, and no rule "
                "allows it"
            )
            advice = (
                "give it an identity of its own (IRSA, Pod Identity, Workload Identity), or write an egress rule for it"
            )
            return _about(other.evidence, text, advice, Severity.MEDIUM)
        if self.options.internet != "deny" or _named_addresses(other):
            return None
        text = f"{other.pod.object} talks to {name}, and no rule allows it: policies know only addresses"
        advice = "name its addresses in network-policy.allow, or set network-policy.internet: allow"
        return _about(other.evidence, text, advice, Severity.MEDIUM)

    def refused(self, policies: list[Policy], direction: Direction) -> Iterator[Finding]:
        """Yield connections that the manifests show and that ``policies``, which somebody wrote, refuse."""
        tree = self._tree
        connections, names = tree.ask(Connections), ", ".join(str(policy.object) for policy in policies)
        for pod in self.pods:
            for edge in connections.into(pod) if direction == "ingress" else connections.out_of(pod):
                try:
                    refused = tree.ask(Isolation).refuses(policies, edge, direction)
                except (OpaqueError, WrongShapeError):
                    continue
                if refused and edge.evidence:
                    fact = edge.evidence[0]
                    text = (
                        f"{names} refuse{'s' * (len(policies) == 1)} that {edge.client.object} connects to "
                        f"{edge.server.object} on {_ports(edge.ports)}, though {fact.text}"
                    )
                    yield _about(fact, text, "add a rule for it, or remove the reference")


def _about(fact: Evidence, message: str, advice: str, severity: Severity = Severity.LOW) -> Finding:
    return Finding(message=message, advice=advice, severity=severity, piece=fact.piece, path=fact.path)


def _credential_rules(pods: list[PodTemplate], *, closed: bool) -> Iterator[tuple[str, tuple[int, ...], Evidence]]:
    """Addresses, ports and why; ``closed`` tells that no other rule opens link-local addresses."""
    for pod in pods:
        identities = pod.tree.ask(Isolation).identities
        if not identities.are_there:
            return
        try:
            gke, eks = identities.gke(pod), identities.eks(pod)
        except (OpaqueError, WrongShapeError):
            continue
        if gke is not None:
            for address, ports in _GKE:
                yield address, ports, gke
        if eks is not None and closed:
            yield _EKS, (80,), eks


def _named_addresses(external: External) -> list[str]:
    """The addresses that a rule may name: none at which clouds give away credentials."""
    return [address for address in external.addresses if f"{address}/32" not in _LINK_LOCAL]


def on_host_network(pod: PodTemplate) -> bool:
    """Return whether it is on the network of its node, where policies do not reach."""
    try:
        return pod.get("hostNetwork") is True
    except (OpaqueError, WrongShapeError):
        return False


def said(what: str, ports: str, evidence: Any) -> list[Evidence]:
    """Return ``evidence`` with the connection that it speaks of before it."""
    head = f"{what} on {ports}" if ports else what
    return [Evidence(f"{head}: {fact.text}", *_at(fact)) for fact in evidence]


def _at(fact: Evidence) -> tuple[Any, Any]:
    return fact.piece, fact.path


def _ports(ports: tuple[Port, ...]) -> str:
    return ", ".join(map(str, ports)) or "all ports"


def _block(address: str) -> dict[str, Any]:
    """The peer that is one address, or a range of them."""
    return {"ipBlock": {"cidr": address if "/" in address else f"{address}/{128 if ':' in address else 32}"}}


def _api_use(pod: PodTemplate) -> list[Evidence]:
    try:
        found = api_use(pod)
        if pod.tree.of("", "Secret"):
            found = [*found, *tokens_read(pod)]
        return found
    except (OpaqueError, WrongShapeError):
        return []
