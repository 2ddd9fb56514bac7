"""What a service mesh needs of the pods that it adds a proxy to.

Sources: istio.io, "Application Requirements" (ports used by Istio) and "Ambient and Kubernetes NetworkPolicy";
linkerd.io, "Network Policy" (common errors) and the ports of linkerd-destination, -identity and -policy; docs.dapr.io,
"Dapr arguments and annotations" and the charts of dapr/dapr (ports of sentry, operator, placement, scheduler);
developer.hashicorp.com, "Consul on Kubernetes annotations and labels", "Required Ports", and "Vault Agent Injector
annotations".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.recordings import injected
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.injected_sidecars import SIDECARS
from hardener.facts.objects.namespace_contents import Namespaces
from hardener.tree.core_views import Namespace, OpaqueError, PodTemplate, View


class Mesh(Struct, frozen=True):
    """``inbound`` ports of the proxy, which any pod may use since the mesh itself decides who may; ``tunnels`` are
    those of other pods that it connects to instead of their own."""

    name: str
    evidence: tuple[Evidence, ...]
    inbound: tuple[int, ...]
    tunnels: tuple[int, ...]
    control_plane: str | None  # its namespace; None where it may be any
    control_plane_ports: tuple[int, ...]

    @property
    def control_plane_peer(self) -> dict[str, Any]:
        if self.control_plane is None:
            return {"namespaceSelector": {}}
        expression = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [self.control_plane]}
        return {"namespaceSelector": {"matchExpressions": [expression]}}


_INJECT = "sidecar.istio.io/inject"
_ISTIO = "istio-injection"
_ISTIO_REVISION = "istio.io/rev"
_AMBIENT = "istio.io/dataplane-mode"
_LINKERD = "linkerd.io/inject"
_DAPR = "dapr.io/enabled"
_CONSUL = "consul.hashicorp.com/connect-inject"
_VAULT = "vault.hashicorp.com/agent-inject"
_KEYS = frozenset({_INJECT, _ISTIO, _ISTIO_REVISION, _AMBIENT, _LINKERD, _DAPR, _CONSUL, _VAULT})
_DAPR_BETWEEN, _DAPR_MEASURED = 50002, 9090  # the ports where no annotation says others
_YES = frozenset({"true", "1", "t", "yes", "y", "on"})


def mesh_of(pod: PodTemplate) -> Iterator[Mesh]:
    """Yield the meshes that take in ``pod``, as far as the tree shows."""
    try:
        holders = [pod.metadata, *_declarations(pod)]
        if any([_may_ask(holder) for holder in holders]):
            yield from _found(pod, holders)
        for name, fact in injected(pod).items():
            if (mesh := _MESHES.get(SIDECARS.get(name, ""))) is not None:
                yield mesh(fact)
    except (OpaqueError, WrongShapeError):
        return


def _may_ask(holder: View) -> bool:
    """Whether a label or annotation of ``holder`` may be one that asks for a mesh: nearly none does."""
    return holder.may_hold("labels", _KEYS) or holder.may_hold("annotations", _KEYS)


def _found(pod: PodTemplate, holders: list[View]) -> Iterator[Mesh]:
    asked = _first(pod.metadata, _INJECT)
    if asked is not None and asked[0] != "false":
        yield _istio(asked[1])
    elif asked is None:
        for holder in holders:
            for key, wanted in ((_ISTIO, "enabled"), (_ISTIO_REVISION, None)):
                found = _first(holder, key)
                if found is not None and wanted in (None, found[0]):
                    yield _istio(found[1])
    for holder in holders:
        found = _first(holder, _AMBIENT)
        if found is not None:
            if found[0] == "ambient":
                yield Mesh("ambient", (found[1],), (15008,), (15008,), "istio-system", ())
            break
    for holder in holders:
        found = _first(holder, _LINKERD)
        if found is not None:
            if found[0] in ("enabled", "ingress"):
                yield _linkerd(found[1])
            break
    yield from _asked_by_pod(pod)


def _asked_by_pod(pod: PodTemplate) -> Iterator[Mesh]:
    """Sidecars that only the pod itself asks for."""
    found = _first(pod.metadata, _DAPR)
    if found is not None and found[0] in _YES:
        between = _number(pod, "dapr.io/internal-grpc-port", _DAPR_BETWEEN)
        measured = _number(pod, "dapr.io/metrics-port", _DAPR_MEASURED)
        yield _dapr(found[1], between, measured)
    found = _first(pod.metadata, _CONSUL)
    if found is not None and found[0] in _YES:
        yield _consul(found[1])
    found = _first(pod.metadata, _VAULT)
    if found is not None and found[0] in _YES:
        yield _vault(found[1])


def _number(pod: PodTemplate, key: str, default: int) -> int:
    value = str(pod.metadata.get("annotations", key) or "")
    return int(value) if value.isdigit() and 0 < len(value) < 6 and 0 < int(value) < 65536 else default


def _istio(fact: Evidence) -> Mesh:
    # 15008 is the tunnel of ambient pods and newer proxies, 15020 and 15090 are metrics, 15021 is health.
    return Mesh("istio", (fact,), (15008, 15020, 15021, 15090), (15008,), "istio-system", (15012,))


def _linkerd(fact: Evidence) -> Mesh:
    # 4143 takes the place of the port of the application; 4191 are metrics.
    return Mesh("linkerd", (fact,), (4143, 4191), (4143,), "linkerd", (8080, 8086, 8090))


def _dapr(fact: Evidence, between: int = _DAPR_BETWEEN, measured: int = _DAPR_MEASURED) -> Mesh:
    return Mesh("dapr", (fact,), (between, measured), (between,), "dapr-system", (6500, 50001, 50005, 50006))


def _consul(fact: Evidence) -> Mesh:
    # 20000 is the proxy, 20100 and on are those of probes that it takes over, which the kubelet asks.
    return Mesh("consul", (fact,), (20000,), (20000,), None, (8300, 8301, 8500, 8501, 8502, 8503))


def _vault(fact: Evidence) -> Mesh:
    return Mesh("vault", (fact,), (), (), None, (8200,))


_MESHES: dict[str, Callable[[Evidence], Mesh]] = {
    "istio": _istio, "linkerd": _linkerd, "dapr": _dapr, "consul": _consul, "vault": _vault,
}  # fmt: skip


def _first(holder: View, key: str) -> tuple[str, Evidence] | None:
    for kind in ("labels", "annotations"):
        value = holder.get(kind, key)
        if value is not None:
            return str(value).lower(), holder.fact(
                f"{kind.removesuffix('s')} {key}: {value} asks for a mesh", kind, key
            )
    return None


def _declarations(pod: PodTemplate) -> Iterator[View]:
    """The metadata of the Namespace objects of ``pod``."""
    for name in pod.tree.ask(Builds).namespaces(pod.object):
        space: Namespace | None = pod.tree.ask(Namespaces).get(name) if name else None
        if space is not None and space.declared:
            yield space.view("metadata")
