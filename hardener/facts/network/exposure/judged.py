"""Whether a Service is for the inside or for the outside, as far as the tree tells: what closes it, and what keeps it
open."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.network.entrances import PUBLIC, Entrances
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.components.component import says_front, says_internal
from hardener.tree.core_views import PodTemplate, Service
from hardener.tree.view import literal

from .components import administration, data_store, monitoring, targets
from .deliberate import deliberate, is_set, uses_node_ports

GATEWAY = "gateway.networking.k8s.io/gateway-name"  # on what the controller of a Gateway makes for it


class Opening(Struct, frozen=True):
    """How a Service is open: its type, or "externalIPs"; ``reasons`` are why it stays open, or, where ``stays`` is
    false, why it can be closed."""

    kind: str
    stays: bool
    reasons: tuple[Evidence, ...]


def sensitive(service: Service, pods: list[PodTemplate]) -> Evidence | None:
    """What shows that ``service`` leads to an administration interface or a data store."""
    component = administration(service, pods)
    return component.evidence if component else data_store(service, pods)


def for_outside(service: Service, pods: list[PodTemplate], sensitive: Evidence | None) -> list[Evidence]:
    """What shows that ``service`` is open on purpose."""
    found = list(deliberate(service, pods))
    name = literal(service.object.name)
    if sensitive is None and not found and says_front(name) and not says_internal(name):
        found.append(service.fact("its name is that of a user interface", "metadata", "name"))
    return found


def for_inside(service: Service, pods: list[PodTemplate], sensitive: Evidence | None) -> list[Evidence]:
    """What shows that ``service`` is meant for the inside, or that another way leads to it. What exposes it on purpose
    is no evidence against that: that the component is one for insiders remains true."""
    return [*([sensitive] if sensitive else _inside(service, pods)), *_other_ways(service, pods)]


def no_sign(service: Service) -> Evidence:
    """That nothing shows ``service`` to be for the inside."""
    return service.fact("nothing shows that only the cluster needs it", "spec", "type")


def opening(service: Service) -> Opening | None:
    """How ``service`` is open as it is now, in itself or by a kustomization, and why; None where it is not.

    Raises OpaqueError and WrongShapeError.
    """
    kind = service.get("spec", "type")
    if kind not in PUBLIC:
        return _opened_elsewhere(service)
    if service.has("metadata", "labels", GATEWAY):
        return Opening(kind, True, (service.fact("a Gateway opens it", "metadata", "labels", GATEWAY),))
    pods = service.tree.ask(Relations).selected_pods(service)
    known = sensitive(service, pods)
    outside = for_outside(service, pods, known)
    if outside:
        return Opening(kind, True, tuple(outside))
    inside = for_inside(service, pods, known)
    return Opening(kind, not inside, tuple(inside) or (no_sign(service),))


def _opened_elsewhere(service: Service) -> Opening | None:
    for state in states(service):
        kind = state.get("spec", "type")
        if kind in PUBLIC and state is not service:
            return Opening(kind, True, (state.fact(f"an overlay gives it the type {kind}", "spec", "type"),))
        if is_set(state, "spec", "externalIPs"):
            fact = state.fact("it names external addresses", "spec", "externalIPs")
            return Opening("externalIPs", True, (fact,))
    return None


def _inside(service: Service, pods: list[PodTemplate]) -> Iterator[Evidence]:
    """A component that serves others, a name that says so, or a Service that its own application calls."""
    if (fact := monitoring(service, pods)) is not None:
        yield fact
    elif says_internal(literal(service.object.name)):
        yield service.fact("its name says that it is internal", "metadata", "name")
    else:
        yield from service.tree.ask(Entrances).called_inside(service)


def _other_ways(service: Service, pods: list[PodTemplate]) -> Iterator[Evidence]:
    """An Ingress or a route that leads to the pods of ``service`` by another way than its address."""
    relations = service.tree.ask(Relations)
    entrances = service.tree.ask(Entrances)
    for item, backend in relations.routes_to(service.object):
        if not uses_node_ports(item, service.object) and entrances.is_of(service, item):
            yield item.fact(f"{item} leads to it, and needs no address of its own", *backend.path)
            return
    for twin in dict.fromkeys(twin for pod in pods for twin in relations.routed_services_of(pod)):
        if twin.text("spec", "type") not in PUBLIC and targets(service, pods) <= targets(twin, pods):
            item, backend = relations.routes_to(twin)[0]
            if entrances.is_of(service, item):
                yield item.fact(f"{item} leads to the same pods through {twin}", *backend.path)
                return
