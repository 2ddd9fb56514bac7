from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Edit, Evidence, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.objects.hardened_by_hand import hardened_beside
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.components.component import is_ingress_or_gateway
from hardener.tree.core_views import Container, Object, OpaqueError, View

from ._need import purpose

# Agents that the applications of a node find at the node's address.
_AT_THE_NODE = ("statsd", "jaeger-agent", "datadog", "telegraf", "fluent", "opentelemetry-collector", "syslog")
_PUBLIC = ("LoadBalancer", "NodePort")
_LOOPBACK = ("127.0.0.1", "::1")


@transform(
    each=Container, stage="host", pss="baseline", cis="5.2.13", classes=("node-agent",), after=("no-host-network",),
    peers=("checkov:CKV_K8S_26", "polaris:hostPortSet", "kubescape:C-0044"),
)  # fmt: skip
def no_host_port(container: Container) -> Steps:
    """Remove host ports.

    Problem: {container} opens a port on its node.

    Result: The port is reachable through a Service, not at the node's address.

    Why: a host port opens the container on every address of its node, past Services, and often past network policies.

    May break: clients that call a node's address and this port no longer find it.
    """
    if container.pod.get("hostNetwork") is True:
        return  # there every port is the node's, whatever is written
    for port in container.items("ports"):
        if not port.get("hostPort"):
            continue
        against = [*_against(container), *hardened_beside(container), *purpose(container.pod)]
        other = _way_in(container, port)
        if isinstance(other, str):
            against.append(Evidence(other))
        if against:
            yield list(_without(port, verdict(against=against)))
        elif isinstance(other, Evidence):
            yield from _without(port, verdict(known=[other], effect=Effect.WATCHED))


def _without(port: View, found: Verdict) -> Iterator[Edit]:
    yield port.drop("hostPort", impact="host-port-closed", **found.words)
    if port.has("hostIP"):
        yield port.drop("hostIP", **found.words)


def _against(container: Container) -> Iterator[Evidence]:
    pod = container.pod
    if sign := pod.classes.get("node-agent"):
        yield Evidence(f"an agent of the node: {sign}")
    elif pod.kind == "DaemonSet":
        yield Evidence("a DaemonSet answers at every node's address")
    repository = (container.image.repository if container.image else None) or ""
    if is_ingress_or_gateway(repository):
        yield container.fact("its image is an ingress controller or gateway", "image")
    elif any(name in repository for name in _AT_THE_NODE):
        yield container.fact("applications find such an agent at the address of their node", "image")


def _way_in(container: Container, port: View) -> Evidence | str:
    """What else leads to ``port`` from outside the cluster; in words why nothing does.

    Services are looked at as they are now: one that ``service-cluster-ip`` closed in this run is no way in any more.
    """
    relations = container.tree.ask(Relations)
    inside = None
    for service in relations.services_of(container.pod):
        ports = list(_leading(service, port))
        if not ports:
            continue
        kind = _opened_by(service)
        if kind is not None:
            return service.fact(f"{service}, {kind}, leads to it from outside", "spec", "ports")
        numbers = {value for item in ports for value in (item.get("port"), item.text("name"))}
        for item, backend in relations.routes_to(service):
            if backend.port is None or backend.port in numbers:
                return item.fact(f"{item} leads to it through {service}", *backend.path)
        inside = inside or service
    if inside is not None and port.text("hostIP") in _LOOPBACK:
        return inside.fact(f"{inside} leads to it, and its host port answers on the node itself only", "spec", "ports")
    if inside is None:
        return "no Service leads to it, so the host port may be the only way in"
    return f"{inside} leads to it inside the cluster only, so the host port may be the only way in from outside"


def _opened_by(service: Object) -> str | None:
    """What opens ``service`` to the outside, in each state that the kustomizations of the tree give it."""
    found = None
    for state in (service, *service.tree.ask(Overlays).objects(service)):
        try:
            kind = state.text("spec", "type")
            addresses = state.strings("spec", "externalIPs")
        except (OpaqueError, WrongShapeError):
            return None
        if kind in _PUBLIC:
            found = found or f"a {kind}"
        elif addresses:
            found = found or "with external addresses"
        else:
            return None
    return found


def _leading(service: Object, port: View) -> Iterator[View]:
    """The ports of ``service`` that lead to ``port`` of a container."""
    meant = {port.get("containerPort"), port.text("name")} - {None}
    for item in service.items("spec", "ports"):
        target = item.get("targetPort")
        if (item.get("port") if target is None else target) in meant and _protocol(item) == _protocol(port):
            yield item


def _protocol(port: View) -> str:
    return port.text("protocol") or "TCP"
