from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hardener.authoring.edits import Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.network.exposure.components import administration
from hardener.facts.network.exposure.deliberate import EXPOSE, is_set
from hardener.facts.network.exposure.private_ways import private_way
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.components.component import OWN_SIGN_IN, PROXIES, sensitive_component, switched_off
from hardener.kubernetes.network.ingress import Backend
from hardener.kubernetes.network.ingress_annotations import is_sign_in, narrows, signs_in
from hardener.kubernetes.network.load_balancer import is_internal
from hardener.tree.core_views import Container, Service
from hardener.tree.route_views import Ingress
from hardener.tree.view import OpaqueError, literal


class _Door(Struct, frozen=True):
    """What stands before the program itself: a sign-in, a bound on who comes near; and whether somebody gave a reason
    why it is open."""

    sign_in: str | None
    narrowed: str | None
    asked: bool = False


@transform(
    each=Service | Ingress, stage="exposure", severity=Severity.CRITICAL, after=("service-cluster-ip",),
    only_reports=True, peers=("kubescape:C-0021",),
)  # fmt: skip
def exposed_admin_ui(opening: Service | Ingress) -> Steps:
    """Close the administration interface to the outside.

    Problem: an administration interface is reachable from outside the cluster.

    Result: The administration interface is reachable only inside the cluster.

    Why: whoever reaches it administers the systems behind it, and most of these programs are made for internal use:
    they ask for no password, or have a known default password.

    May break: nothing, since it only reports: whoever works with it needs another way in first, such as
    `kubectl port-forward`, a VPN, or a proxy with a sign-in.
    """
    if isinstance(opening, Service):
        yield from _of_service(opening)
        return
    seen: set[str] = set()
    for backend in opening.backends:
        for name, containers in _behind(opening, backend):
            if name not in seen:
                seen.add(name)
                annotations = opening.object.annotations
                sign_in = signs_in(annotations) or next(filter(is_sign_in, opening.guards), None)
                host = f" ({', '.join(opening.hosts[:3])})" if opening.hosts else ""
                way = f"through {opening.object}{host}"
                door = _Door(sign_in, narrows(annotations) or private_way(opening))
                severity, message, advice = _judged(name, containers, way, door)
                yield opening.finding(message, *backend.path, advice=advice, severity=severity)


def _of_service(service: Service) -> Iterator[Finding]:
    """A finding where the Service is open to the outside, as it is written or as an overlay makes it."""
    state, field = next(filter(None, map(_open, states(service))), (None, ""))
    if state is None:
        return
    component = administration(service, service.tree.ask(Relations).selected_pods(service))
    if component is not None:
        kind = state.get("spec", "type")
        way = f"at the address and port of its Service (type {kind})" if field == "type" else "at its externalIPs"
        severity, message, advice = _judged(component.name, component.containers, way, _door(state))
        piece, path = state.object.place((*state.path, "spec", field))
        yield Finding(message=message, advice=advice, severity=severity, piece=piece, path=path)


def _open(service: Service) -> tuple[Service, str] | None:
    """The Service with the field that opens it to the outside; None where none does."""
    try:
        if service.get("spec", "type") in ("LoadBalancer", "NodePort"):
            return service, "type"
        return (service, "externalIPs") if is_set(service, "spec", "externalIPs") else None
    except (OpaqueError, WrongShapeError):
        return None


def _door(service: Service) -> _Door:
    annotations = service.object.annotations
    internal = next((key for key, value in annotations.items() if is_internal(key, value)), None)
    narrowed = "loadBalancerSourceRanges" if is_set(service, "spec", "loadBalancerSourceRanges") else internal
    return _Door(signs_in(annotations), narrowed, bool(annotations.get(EXPOSE, "").strip()))


def _behind(ingress: Ingress, backend: Backend) -> Iterator[tuple[str, list[Container]]]:
    """The administration interfaces that a backend is, with their containers."""
    relations = ingress.tree.ask(Relations)
    called = relations.services_called.get(backend.name)
    services = called.meeting(ingress.object, backend.namespace) if called is not None else []
    for service in services:
        try:
            component = administration(service, relations.selected_pods(service))
        except (OpaqueError, WrongShapeError):
            continue
        if component is not None:
            yield component.name, component.containers
    if not services and (name := sensitive_component([literal(backend.name)])):
        yield name, []


def _judged(name: str, containers: list[Container], way: str, door: _Door) -> tuple[Severity, str, str]:
    """Severity, message and advice of a finding about the component ``name``, which is reachable by ``way``."""
    severity, ending = _weighed(name, containers, door)
    advice = "close this access and use kubectl port-forward, or put a login in front and allow known addresses only"
    if severity is Severity.MEDIUM:
        advice = "check that this is needed; allow known addresses only, and keep the version current"
    return severity, f"{name} is reachable from outside the cluster {way}; {ending}", advice


def _weighed(name: str, containers: list[Container], door: _Door) -> tuple[Severity, str]:
    """Critical where nothing shows that anybody is asked who he is."""
    names = (container.image.name for container in containers if container.image and container.image.name)
    proxy = next((name for name in names if any(part in name for part in PROXIES)), None)
    if door.sign_in or proxy:
        return Severity.MEDIUM, f"{door.sign_in or proxy} is in front of it"
    if door.asked:
        return Severity.MEDIUM, f"{EXPOSE} says why"
    for container in containers:
        if off := switched_off(container.words, container.env):
            return Severity.CRITICAL, f"{off} lets everybody in"
    if door.narrowed:
        return Severity.HIGH, f"{door.narrowed} limits who can reach it, and nothing shows a login in front of it"
    if name in OWN_SIGN_IN:
        return Severity.HIGH, "its own login is the only protection"
    return Severity.CRITICAL, "nothing shows that it asks for a login"
