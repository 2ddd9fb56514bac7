"""Workloads that are read only in part: they may call somebody whom nothing in the tree shows.

A workload is read where its sources are in the tree and were read, where its image calls nobody (a data store), and
where its settings are all in the tree: each address in them is known. An entrance of the application (by an Ingress, a
route or a public Service) and a workload that nobody calls are expected to call somebody: without an address in their
settings it is built into their images. Whoever has no settings at all may have everything built in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.products import runs_data_store
from hardener.facts.kustomize.builds import Builds
from hardener.facts.network.connections import Connections, Port
from hardener.facts.network.connections.endpoints import Endpoints, is_patch
from hardener.facts.network.namespace_places import Place, here, there
from hardener.facts.network.run_time_peers import RunTimePeers, is_prometheus
from hardener.kubernetes.rbac.subjects import DEFAULT
from hardener.tree.core_views import OpaqueError, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

MANY = 3
"""With more silent workloads than these in a namespace, all of its pods are taken for callers."""


class UnknownCallers(Struct, frozen=True):
    """Who may call the Services of a namespace without anything that shows it: ``silent`` workloads with why, and
    ``makers``, why there may be pods that the tree does not show."""

    silent: dict[PodTemplate, Evidence]
    makers: list[Evidence]


class SilentWorkloads(AsRead):
    """Looked up by pod and by namespace."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._connections = tree.ask(Connections)

    @cached_property
    def found(self) -> dict[PodTemplate, Evidence]:
        """The silent workloads of the tree, each with why it is one."""
        says = {edge.client for edge in self._connections.edges if edge.client is not edge.server}
        says |= {item.pod for item in self._connections.unresolved} | {item.pod for item in self._connections.unseen}
        found = {}
        for pod in self._tree.pod_templates:
            if is_patch(pod) or pod.kind == "PodTemplate":
                continue
            why = self._unread(pod) or (None if pod in says else self._expected(pod)) or self._unset(pod)
            if why is not None and not self._calls_nothing(pod):
                found[pod] = why
        return found

    def _unread(self, pod: PodTemplate) -> Evidence | None:
        """Why ``pod`` may call somebody beside those whom its settings name."""
        unread = self._connections.unread.get(pod)
        if unread is None:
            return None
        return Evidence(f"what {pod.object} calls is known in part: {unread.text}", unread.piece, unread.path)

    def _unset(self, pod: PodTemplate) -> Evidence | None:
        if pod not in self._connections.unset:
            return None
        return pod.fact(f"{pod.object} has no settings, so whom it calls is built into its image")

    def _expected(self, pod: PodTemplate) -> Evidence | None:
        """Why one expects that ``pod`` calls somebody, though it names nobody."""
        entrance = self._connections.entrances.get(pod)
        if entrance is not None:
            return Evidence(
                f"nothing shows what {pod.object} calls, and {entrance.text}", entrance.piece, entrance.path
            )
        # Who is only measured is called by nobody that has work for it.
        if any(edge.client is not pod and not is_prometheus(edge.client) for edge in self._connections.into(pod)):
            return None
        return pod.fact(f"nothing shows what {pod.object} calls, and nothing calls it")

    def _calls_nothing(self, pod: PodTemplate) -> bool:
        if pod in self._connections.told_by_sources:
            return True
        try:
            return all(map(runs_data_store, pod.containers))
        except (OpaqueError, WrongShapeError):
            return False

    @cached_property
    def _by_place(self) -> dict[Place, dict[PodTemplate, Evidence]]:
        found: dict[Place, dict[PodTemplate, Evidence]] = {}
        for pod, why in self.found.items():
            for place in there(pod.object):
                found.setdefault(place, {})[pod] = why
        return found

    def near(self, pod: PodTemplate) -> UnknownCallers:
        """Who may call ``pod`` from its namespace; of silent workloads no more than MANY and one, agents of the node,
        which call the few that they know, not counted."""
        found: dict[PodTemplate, Evidence] = {}
        many = 0
        for other, why in self._near(pod):
            if many > MANY:
                break
            if other is not pod and other not in found:
                many += not is_agent(other)
                found[other] = why
        peers = self._tree.ask(RunTimePeers)
        return UnknownCallers(found, [fact for name in _namespaces(pod) for fact in peers.makers_in(name)])

    def _near(self, pod: PodTemplate) -> Iterator[tuple[PodTemplate, Evidence]]:
        for place in here(pod.object):
            yield from self._by_place.get(place, {}).items()

    @cached_property
    def _served(self) -> dict[PodTemplate, tuple[Port, ...]]:
        endpoints = Endpoints(self._tree)
        found: dict[PodTemplate, dict[Port, None]] = {}
        for service in self._tree.of("", "Service"):
            for pod in endpoints.pods(service):
                found.setdefault(pod, {}).update(dict.fromkeys(endpoints.ports(service, pod)))
        return {pod: tuple(sorted(ports, key=lambda port: port.order)) for pod, ports in found.items()}

    def served(self, pod: PodTemplate) -> tuple[Port, ...] | None:
        """The ports of ``pod`` that Services lead to, () for all of them; None where no Service does."""
        return self._served.get(pod)

    @cached_property
    def _places_served(self) -> dict[Place, set[PodTemplate]]:
        found: dict[Place, set[PodTemplate]] = {}
        for pod in self._served:
            for place in there(pod.object):
                found.setdefault(place, set()).add(pod)
        return found

    def serves_another(self, pod: PodTemplate) -> bool:
        """Whether there is a Service near ``pod`` that leads to another workload."""
        if not self._places_served:  # no Service at all
            return False
        near = [others for place in here(pod.object) if (others := self._places_served.get(place))]
        return any(len(others) > (pod in others) for others in near)

    @cached_property
    def _namespaces_served(self) -> set[str | None]:
        builds = self._tree.ask(Builds)
        return {name for pod in self._served for name in builds.namespaces(pod.object)}

    def serves_elsewhere(self, pod: PodTemplate) -> bool:
        """Whether a Service of another namespace than that of ``pod`` leads to a workload."""
        if not self._served:
            return False
        own = self._namespaces_served.intersection(self._tree.ask(Builds).namespaces(pod.object))
        return len(self._namespaces_served) > len(own)


def is_agent(pod: PodTemplate) -> bool:
    """Whether it is an agent of the node."""
    try:
        return "node-agent" in pod.classes
    except (OpaqueError, WrongShapeError):
        return False


def _namespaces(pod: PodTemplate) -> tuple[str | None, ...]:
    """The namespaces of ``pod``; one that is not named may be ``default``, and that one need not be named."""
    names = pod.tree.ask(Builds).namespaces(pod.object)
    return tuple(dict.fromkeys([*names, *((None, DEFAULT) if {None, DEFAULT} & set(names) else ())]))
