"""The signs that somebody exposed a Service on purpose, or that something would stop working without it."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.components.component import is_ingress_or_gateway, says_external
from hardener.kubernetes.network.ingress_annotations import needs_node_port
from hardener.kubernetes.network.load_balancer import names_way_in
from hardener.tree.core_views import Object, PodTemplate, Service, View
from hardener.tree.view import OpaqueError, literal

from .components import containers_of

EXPOSE = "hardener.dev/expose"


def deliberate(service: Service, pods: list[PodTemplate]) -> Iterator[Evidence]:
    """The signs in the Service, in what overlays make of it, in the pods behind it, in the Ingresses before it."""
    if (read := read_by_program(service)) is not None:
        yield read
    own = list(_ways_in(service))
    yield from own
    seen = {fact.text for fact in own}
    for state in patched(service):
        if state.object.patched((*state.path, "spec", "type")):
            continue  # it has a type of its own, whatever becomes of this one
        try:
            others = [fact for fact in _ways_in(state) if fact.text not in seen]
        except (WrongShapeError, OpaqueError):
            continue
        yield from others
        seen.update(fact.text for fact in others)
    if says_external(literal(service.object.name)):
        yield service.fact("its name says that it is external", "metadata", "name")
    elif is_ingress_or_gateway(literal(service.object.name)):
        yield service.fact("its name is that of an ingress controller or gateway", "metadata", "name")
    for pod in pods:
        yield from _of_pod(pod)
    for ingress in service.tree.ask(Relations).ingresses_of(service.object):
        if uses_node_ports(ingress, service.object):
            yield ingress.fact("its Ingress class sends traffic to node ports", "metadata", "name")


def read_by_program(service: Service) -> Evidence | None:
    """That the program which makes ``service`` reads its address; None where it does not, or no program makes it."""
    program = service.object.piece.source.making(service.object.piece.file)
    line = program.reads_address(int(service.path[0])) if program is not None else None
    return None if line is None else service.fact(f"the program reads its address (line {line})", "spec", "type")


def _ways_in(service: Service) -> Iterator[Evidence]:
    for field in ("loadBalancerClass", "loadBalancerSourceRanges", "loadBalancerIP", "externalIPs"):
        if is_set(service, "spec", field):
            yield service.fact(f"{field} is set", "spec", field)
    for key in service.keys("metadata", "annotations"):
        if key == EXPOSE and service.tree.settings.no_waivers:
            continue
        if key == EXPOSE and (service.text("metadata", "annotations", key) or "").strip():
            yield service.fact(f"annotation {EXPOSE} asks for it", "metadata", "annotations", key)
        elif names_way_in(key):
            yield service.fact(f"annotation {key} configures its access from outside", "metadata", "annotations", key)
    for index, port in enumerate(service.items("spec", "ports")):
        if is_set(port, "nodePort"):
            yield service.fact("a node port is set", "spec", "ports", index, "nodePort")


def uses_node_ports(ingress: Object, service: Object) -> bool:
    """Whether the controller of ``ingress`` reaches ``service`` through node ports."""
    try:
        named = ingress.text("spec", "ingressClassName")
    except WrongShapeError:
        named = None
    return ingress.kind == "Ingress" and needs_node_port(named, ingress.annotations, service.annotations)


def is_set(holder: View, *path: str) -> bool:
    """Whether a field says something: neither null nor empty nor 0, which mean the default."""
    try:
        return bool(holder.get(*path))
    except OpaqueError:
        return True
    except WrongShapeError:
        return holder.has(*path) and bool(holder.strings(*path))


def _of_pod(pod: PodTemplate) -> Iterator[Evidence]:
    item = pod.object
    containers = containers_of(pod)
    known = any(container.row is not None and container.row.class_ == "ingress-controller" for container in containers)
    names = [literal(item.name), *(c.image.repository for c in containers if c.image and c.image.repository)]
    if known or any(map(is_ingress_or_gateway, names)) or _is_injected_gateway(pod):
        yield item.fact("an ingress controller or gateway", "metadata", "name")
    elif says_external(literal(item.name)):
        yield item.fact("the name of its workload says that it is external", "metadata", "name")


def _is_injected_gateway(pod: PodTemplate) -> bool:
    # Istio puts a gateway into such a pod; the name of its image says nothing.
    try:
        return pod.metadata.text("annotations", "inject.istio.io/templates") == "gateway"
    except WrongShapeError:
        return False
