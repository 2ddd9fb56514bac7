from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Basis, Evidence, Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.errors import InputError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.network.entrances import PUBLIC as _PUBLIC
from hardener.facts.network.exposure.deliberate import is_set, read_by_program
from hardener.facts.network.exposure.judged import GATEWAY, for_inside, for_outside, no_sign, sensitive
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.network.load_balancer import FIELDS, REJECTED, is_internal, shapes_load_balancer
from hardener.support.data_path import Path
from hardener.tree.core_views import Service
from hardener.tree.view import OpaqueError

_NO_LOAD_BALANCER = "a ClusterIP Service has no load balancer to shape"


@dataclass(frozen=True)
class Exposure:
    """``convert``: "sensitive": administration and data only; "shown": all Services that something shows to be for the
    inside; "all": those of which nothing shows that they are for the outside, too."""

    GROUP: ClassVar[str] = "exposure"
    convert: str = "shown"

    def __post_init__(self) -> None:
        if self.convert not in ("sensitive", "shown", "all"):
            raise InputError(f"exposure.convert: {self.convert} is none of sensitive, shown and all")


@transform(
    each=Service, stage="exposure", severity=Severity.HIGH, absence=True, options=Exposure,
    peers=("kube-linter:exposed-services", "kubescape:C-0021"),
)  # fmt: skip
def service_cluster_ip(service: Service, options: Exposure) -> Steps:
    """Set type: ClusterIP on internal Services.

    Problem: the Service is reachable from outside the cluster and looks internal.

    Result: The Service is reachable only inside the cluster.

    Why: scanners find a public address within hours, and then only the login of the service protects it. An Ingress
    serves what is meant for everybody; `kubectl port-forward` reaches the rest.

    May break: clients of the load balancer or the NodePort can no longer connect; the address is released, and
    reverting assigns another.
    """
    kind = service.get("spec", "type")
    yield from _opened_again(service)
    if kind not in _PUBLIC:
        return
    if service.has("metadata", "labels", GATEWAY):
        text = f"type {kind} opens the Service to the outside for a Gateway"
        advice = "the listeners and routes of the Gateway decide what is open"
        yield service.finding(text, "spec", "type", severity=Severity.LOW, advice=advice)
        return
    pods = service.tree.ask(Relations).selected_pods(service)
    known = sensitive(service, pods)
    against = for_outside(service, pods, known)
    if known is None and options.convert == "sensitive":
        yield _left_open(service, kind, against)
        return
    reasons = for_inside(service, pods, known)
    basis = Basis.INFERRED if reasons or against else Basis.ASSUMED
    if not reasons and not against:
        service.get("metadata", "name")  # stops at an expression, which may become a name that says something
    if not reasons and options.convert == "shown":
        against = against if read_by_program(service) is not None else [no_sign(service), *against]
    elif basis is Basis.ASSUMED:
        reasons = [service.fact("nothing in the tree shows that it is meant for the outside", "spec", "type")]
    found = verdict(why=reasons, against=against, effect=Effect.WATCHED, basis=basis)
    yield service.set("spec", "type", to="ClusterIP", impact=_impact(service, kind), **found.words)
    for path, reason in _drops(service):
        yield service.drop(*path, **found.along(service.fact(reason, "spec", "type")).words)


def _impact(service: Service, kind: str) -> str | None:
    """What is lost; nothing where every build of the tree gives the Service a public type of its own."""
    builds = service.tree.ask(Builds).of(service.object)
    if builds and len(list(_opened_again(service))) >= len(builds):
        return None
    if kind == "NodePort":
        return "node-port-closed"
    values = service.object.annotations.items()
    return "internal-address-released" if any(is_internal(*each) for each in values) else "address-released"


def _drops(service: Service) -> Iterator[tuple[Path, str]]:
    """What goes with the type, by place, and why (ValidateService in k8s.io/kubernetes pkg/apis/core/validation)."""
    for field, fate in FIELDS.items():
        # Of these two false and "" are rejected as well.
        anything = field in ("allocateLoadBalancerNodePorts", "loadBalancerClass")
        if service.has("spec", field) if anything else is_set(service, "spec", field):
            yield ("spec", field), fate
    # The policy may stay, and means something, only while there are external addresses.
    if is_set(service, "spec", "externalTrafficPolicy") and not is_set(service, "spec", "externalIPs"):
        yield ("spec", "externalTrafficPolicy"), REJECTED
    for index, port in enumerate(service.items("spec", "ports")):
        if is_set(port, "nodePort"):
            yield ("spec", "ports", index, "nodePort"), REJECTED
    keys = service.keys("metadata", "annotations")
    gone = [key for key in keys if shapes_load_balancer(key)]
    if gone and len(gone) == len(keys):
        yield ("metadata", "annotations"), _NO_LOAD_BALANCER
        return
    for key in gone:
        yield ("metadata", "annotations", key), _NO_LOAD_BALANCER


def _opened_again(service: Service) -> Iterator[Finding]:
    """A finding where a patch of a kustomization makes the Service public, whatever it is here."""
    for state in patched(service):
        try:
            kind = state.get("spec", "type")
        except (OpaqueError, WrongShapeError):
            continue
        place = state.object.patched((*state.path, "spec", "type"))
        if kind in _PUBLIC and place is not None:
            piece, path = place
            yield Finding(
                message=f"an overlay gives {service.object} the type {kind}, which opens it to the outside",
                advice="remove the type from the patch, or check that everybody who can reach the Service may use it",
                severity=Severity.MEDIUM,
                piece=piece,
                path=path,
                once=f"{id(piece)} {path}",
            )


def _left_open(service: Service, kind: str, against: list[Evidence]) -> Finding:
    if against:
        message = f"type {kind} opens the Service to the outside, probably on purpose: {against[0].text}"
        advice = "check that everybody who can reach it may use it, and that it serves TLS"
        return service.finding(message, "spec", "type", severity=Severity.LOW, advice=advice)
    text = f"type {kind} opens the Service to the outside of the cluster"
    advice = (
        "set type: ClusterIP if only the cluster needs it; else put an Ingress with TLS in front of it, or"
        " narrow it with loadBalancerSourceRanges or an internal load balancer"
    )
    return service.finding(text, "spec", "type", advice=advice)
