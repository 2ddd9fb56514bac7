"""Which NetworkPolicies of the tree select a pod, as read: before the run makes policies of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError, copied
from hardener.facts.cluster.workload_identity import CloudIdentities
from hardener.facts.kustomize.builds import Builds
from hardener.facts.network.connections import Edge, External, Unresolved, Unseen, Way
from hardener.facts.network.connections.model import Connections
from hardener.facts.network.namespace_places import folders_here, folders_there, here, there
from hardener.facts.network.pod_labels import PodSelectors, meaning
from hardener.facts.objects.which_copy import Neighbours
from hardener.kubernetes.network.label_selector import EVERYTHING, Selector
from hardener.kubernetes.network.network_policy import NAMESPACE_LABEL, Direction, Pod, Rule, judge, lets_all, parse
from hardener.sources.open_values import OpenDict
from hardener.tree.core_views import Object, OpaqueError, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")

MANAGED = ("app.kubernetes.io/managed-by", "harden")

# Other policies that isolate pods, whose rules nobody reads here. Their selectors have languages of their own.
_FOREIGN = (
    ("cilium.io", "CiliumNetworkPolicy"), ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"), ("projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"), ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"), ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
)  # fmt: skip


class Policy(Struct, frozen=True, eq=False):
    """A NetworkPolicy: its spec as plain data, which pods it selects, the directions ("ingress", "egress") that it
    closes, whether an API server takes it, the rules by which it lets everything through again (as of ``lets_all``),
    and whether it is one of ours."""

    object: Object
    spec: dict[str, Any]
    selector: Selector
    directions: frozenset[str]
    legal: bool
    open: Mapping[Direction, Rule]
    managed: bool

    @property
    def selects_all(self) -> bool:
        """Whether it selects every pod of its namespace."""
        return self.selector == EVERYTHING

    def rules(self, direction: str) -> Any:
        """A copy of its rules of ``direction`` ("ingress", "egress") as written; None where it has none."""
        return copied(self.spec.get(direction))


class Isolation(AsRead):
    """Which NetworkPolicies select a pod, and what they close. Looked up by label, folder and namespace, so that asking
    costs the same in a large tree."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.selectors = PodSelectors(tree)
        self.identities = CloudIdentities(tree)

    @cached_property
    def policies(self) -> list[Policy]:
        """The NetworkPolicies of the tree."""
        found = []
        for item in self._tree.of("networking.k8s.io", "NetworkPolicy"):
            spec = item.data.get("spec")
            metadata = item.data.get("metadata")
            labels = metadata.get("labels") if isinstance(metadata, dict) else None
            ours = isinstance(labels, dict) and labels.get(MANAGED[0]) == MANAGED[1]
            selector = meaning(spec.get("podSelector")) if isinstance(spec, dict) else None
            if isinstance(spec, dict) and selector is not None and not item.classes:
                found.append(Policy(item, spec, selector, _directions(spec), *_read(spec), ours))
        return found

    @cached_property
    def by_object(self) -> dict[Object, Policy]:
        """The same, by their objects."""
        return {policy.object: policy for policy in self.policies}

    @cached_property
    def _selecting(self) -> dict[tuple[str, str] | None, Neighbours]:
        """The policies by a label that their pods must have; those that ask for none under None."""
        found: dict[tuple[str, str] | None, list[Object]] = {}
        for policy in (policy for policy in self.policies if policy.legal):
            found.setdefault(_needed_label(policy.selector), []).append(policy.object)
        return {label: Neighbours(self._tree.ask(Builds), items) for label, items in found.items()}

    @cached_property
    def _managed(self) -> dict[Selector, Neighbours]:
        found: dict[Selector, list[Object]] = {}
        for policy in self.policies:
            if policy.managed:
                found.setdefault(policy.selector, []).append(policy.object)
        return {key: Neighbours(self._tree.ask(Builds), items) for key, items in found.items()}

    def selecting(self, pod: PodTemplate) -> list[Policy]:
        """The policies that select ``pod`` for sure and are applied with it."""
        found: list[Policy] = []
        if pod.object.piece.source.is_code and _has_other_labels(pod):
            return found
        for label in (*pod.labels.items(), None):
            for item in self._selecting[label].meeting(pod.object) if label in self._selecting else ():
                policy = self.by_object[item]
                if policy.selector.matches(pod.labels) and self.applied(pod.object, item):
                    found.append(policy)
        return found

    @cached_property
    def _selected(self) -> dict[Policy, list[PodTemplate]]:
        found: dict[Policy, list[PodTemplate]] = {}
        for pod in self._tree.pod_templates:
            try:
                policies = self.selecting(pod)
            except (OpaqueError, WrongShapeError):
                continue
            for policy in policies:
                found.setdefault(policy, []).append(pod)
        return found

    def selected(self, policy: Policy) -> list[PodTemplate]:
        """The pods that ``policy`` selects for sure, and that are applied with it."""
        return self._selected.get(policy, [])

    def left_open(self, policies: list[Policy], direction: Direction) -> Policy | None:
        """The one of ``policies`` that lets everything through in ``direction``, so that none beside it closes
        anything: policies add up. What we opened ourselves has a reason in each rule, and does not count."""
        return next((policy for policy in policies if direction in policy.open and not policy.managed), None)

    def undoing(self, pod: PodTemplate, direction: Direction) -> Policy | None:
        """The policy that ``left_open`` finds among those that select ``pod``."""
        try:
            return self.left_open(self.selecting(pod), direction)
        except (OpaqueError, WrongShapeError):
            return None

    def ways(self, item: Object) -> frozenset[tuple[str, str]]:
        """How ``item`` is applied: by each "build" that holds it, else with the "folder" of its file as it stands, and
        where that is."""
        builds = self._tree.ask(Builds)
        if roots := builds.roots(item):
            return frozenset(("build", root) for root in roots)
        if layers := builds.layers(item):  # components that no build uses
            return frozenset(("build", layer.folder) for layer in layers)
        return frozenset([("folder", item.folder)])

    def comes_with(self, item: Object, others: Iterable[Object]) -> bool:
        """Whether each way to apply ``item`` takes in one of ``others``, too."""
        return self.ways(item) <= frozenset().union(*map(self.ways, others))

    def closes(self, pod: PodTemplate, policies: list[Policy], direction: str) -> bool:
        """Whether ``policies``, which select ``pod``, close ``direction`` of it in every build that holds it.

        What selects every pod of a namespace closes none of another: that an unset namespace may be any is no evidence.
        """
        asked = [policy for policy in policies if direction in policy.directions]
        if not asked:
            return False
        builds = self._tree.ask(Builds)
        names = set(builds.namespaces(pod.object))
        closing = [
            policy.object
            for policy in asked
            if not (policy.selects_all and names.isdisjoint(builds.namespaces(policy.object)))
        ]
        held = frozenset().union(*map(builds.roots, closing))
        by_namespace = any(item.namespace is not None and item.namespace == pod.namespace for item in closing)
        return bool(closing) and (by_namespace or builds.roots(pod.object) <= held)

    @cached_property
    def _managed_at(self) -> dict[tuple[str, str | None, Selector], Policy]:
        found: dict[tuple[str, str | None, Selector], Policy] = {}
        for policy in self.policies:
            if policy.managed:
                item = policy.object
                found.setdefault((item.folder, item.namespace, policy.selector), policy)
        return found

    def refuses(self, policies: list[Policy], edge: Edge, direction: Direction) -> bool:
        """Whether ``policies``, which close one end of ``edge`` in ``direction``, refuse one of its ports. The network
        of a node cannot be judged, so nothing there is refused."""
        client, server = self._as_seen(edge.client, edge.server), self._as_seen(edge.server, edge.client)
        own, other = (client, server) if direction == "egress" else (server, client)
        if own.host_network or other.host_network:
            return False
        parsed = [parse({"spec": policy.spec}, own.namespace) for policy in policies]
        known = [policy for policy in parsed if policy is not None]
        for port in edge.ports:
            if port.is_unknown:
                continue
            verdict = judge(known, client, server, port.port, port.protocol)
            if not (verdict.egress if direction == "egress" else verdict.ingress).open:
                return True
        return False

    def _as_seen(self, pod: PodTemplate, other: PodTemplate) -> Pod:
        """``pod`` as the policies of ``other`` see it, and it its own: an unset namespace is that of both."""
        names = self._tree.ask(Builds).namespaces(pod.object)
        theirs = self._tree.ask(Builds).namespaces(other.object)
        both = None in names or None in theirs or set(names) == set(theirs)
        name = next((each for each in (*names, *theirs) if each), "") if both else names[0] or ""
        ports: dict[str, tuple[tuple[int, str], ...]] = {}
        for port in (port for container in pod.containers for port in container.items("ports")):
            number, protocol = port.get("containerPort"), port.get("protocol")
            if port.has("name") and isinstance(number, int):
                ports[str(port.get("name"))] = ((number, str(protocol or "TCP")),)
        return Pod(name, pod.labels, {NAMESPACE_LABEL: name}, ports, pod.get("hostNetwork") is True)

    def own_policy(self, pod: PodTemplate, own: dict[str, Any]) -> Policy | None:
        """The policy of ours with the pod selector ``own`` that stands where one for ``pod`` would be made, else one
        that is applied with it."""
        key = meaning(own) if self._managed_at else None
        if key is None:
            return None
        beside = self._managed_at.get((pod.object.folder, pod.namespace, key))
        near = self._managed.get(key)
        if beside is not None or near is None:
            return beside
        found = (item for item in near.meeting(pod.object) if self.applied(pod.object, item))
        return next((self.by_object[item] for item in found), None)

    def applied(self, item: Object, other: Object) -> bool:
        """Whether two objects come to one cluster for sure: in one build, in the namespace that both name, or in
        folders that `kubectl apply -R -f` takes in at once."""
        builds = self._tree.ask(Builds)
        if builds.is_placed_by_program(item) or builds.is_placed_by_program(other):
            return False
        ours, theirs = builds.roots(item), builds.roots(other)
        if not ours.isdisjoint(theirs) or (item.namespace is not None and item.namespace == other.namespace):
            return True
        if ours or theirs:
            return False
        listed, beside = builds.layers(item), builds.layers(other)  # by components that no build uses
        if listed or beside:
            return not set(listed).isdisjoint(beside)
        return not set(folders_here(item)).isdisjoint(folders_there(other))

    @cached_property
    def _foreign(self) -> Neighbours:
        items = [item for group, kind in _FOREIGN for item in self._tree.of(group, kind) if not item.classes]
        return Neighbours(self._tree.ask(Builds), items)

    @cached_property
    def cilium(self) -> Object | None:
        """A sign that the network plugin is Cilium."""
        items = (item for group, kind in _FOREIGN if group == "cilium.io" for item in self._tree.of(group, kind))
        return next(items, None)

    def foreign(self, pod: PodTemplate) -> list[Object]:
        """The policies of Cilium, Calico and cluster administrators that may select ``pod``."""
        return [
            item
            for item in self._foreign.meeting(pod.object)
            if self.applied(pod.object, item) and _may_select(item, pod.labels)
        ]

    @cached_property
    def _orphans(self) -> dict[tuple[str, str], Evidence]:
        """Where there are Services that nothing names, by places as in ``applied``, each with its evidence."""
        found: dict[tuple[str, str], Evidence] = {}
        for entry in self._tree.ask(Connections).entries:
            if entry.way is Way.NAMESPACE and entry.evidence:
                for place in there(entry.server.object):
                    found.setdefault(place, entry.evidence[0])
        return found

    def orphan_near(self, pod: PodTemplate) -> Evidence | None:
        """Why a Service of the namespace of ``pod`` is used though nothing names it; None where there is none such."""
        if not self._orphans:
            return None
        return next((fact for place in here(pod.object) if (fact := self._orphans.get(place))), None)

    @cached_property
    def _elsewhere(self) -> dict[PodTemplate, list[Unresolved | Unseen | External]]:
        connections = self._tree.ask(Connections)
        every: list[Unresolved | Unseen | External] = [*connections.unresolved, *connections.unseen]
        found: dict[PodTemplate, list[Unresolved | Unseen | External]] = {}
        for item in every + connections.external:
            found.setdefault(item.pod, []).append(item)
        return found

    def elsewhere(self, pod: PodTemplate) -> list[Unresolved | Unseen | External]:
        """What ``pod`` talks to that is no workload of the tree."""
        return self._elsewhere.get(pod, [])

    @cached_property
    def speaks_ipv6(self) -> bool:
        """Whether a Service of the tree has addresses of IPv6."""
        for item in self._tree.of("", "Service"):
            spec = item.data.get("spec")
            spec = spec if isinstance(spec, dict) else {}
            families = spec.get("ipFamilies")
            if isinstance(families, list) and "IPv6" in families:
                return True
            if spec.get("ipFamilyPolicy") in ("PreferDualStack", "RequireDualStack"):
                return True
        return False


def _has_other_labels(pod: PodTemplate) -> bool:
    """Whether a program may give the pods other labels than those that are written."""
    metadata = pod.metadata.data
    found = metadata.get("labels")
    if found is None:
        return isinstance(metadata, OpenDict)
    return type(found) is not dict or any(isinstance(value, str) and "$" in value for value in found.values())


def _read(spec: dict[str, Any]) -> tuple[bool, dict[Direction, Rule]]:
    """Whether an API server takes a policy with ``spec``, and the rules by which it closes nothing, by direction."""
    policy = parse({"spec": spec}, "")
    if policy is None:
        return False, {}
    found = ((direction, lets_all(policy, direction)) for direction in DIRECTIONS)
    return True, {direction: rule for direction, rule in found if rule is not None}


def _directions(spec: dict[str, Any]) -> frozenset[str]:
    """The directions that a policy closes; without policyTypes, Egress only where it has such rules."""
    types = spec.get("policyTypes")
    if isinstance(types, list) and types:
        return frozenset(item.lower() for item in types if isinstance(item, str))
    return frozenset(["ingress", "egress"] if spec.get("egress") else ["ingress"])


def _needed_label(selector: Selector) -> tuple[str, str] | None:
    """A label that every pod has which ``selector`` matches; None where there is none such."""
    for need in selector.requirements:
        if need.operator == "In" and len(need.values) == 1:
            return need.key, next(iter(need.values))
    return None


def _may_select(item: Object, labels: dict[str, str]) -> bool:
    """False only where a CiliumNetworkPolicy asks for labels that the pod does not have."""
    spec = item.data.get("spec")
    written = spec.get("endpointSelector") if isinstance(spec, dict) else None
    wanted = written.get("matchLabels") if isinstance(written, dict) else None
    if not isinstance(wanted, dict):
        return True
    return all(labels.get(str(key).rpartition(":")[2]) == str(value) for key, value in wanted.items())
