"""Containers that somebody else adds to a pod when it is made, and that keep it from a Pod Security level.

Sources: istio.io, "Installing the Sidecar" and "Install the Istio CNI node agent"; linkerd.io, "Automatic Proxy
Injection" and "CNI Plugin"; kuma.io, "Data plane proxy on Kubernetes"; developer.hashicorp.com/consul, "Annotations and
labels". Their init containers ask for NET_ADMIN, except in CNI mode, in which an agent of the node does their work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Evidence
from hardener.facts.images.recordings import injected
from hardener.kubernetes.pods import operator_pods as rendered
from hardener.support.data_path import value_at
from hardener.tree.core_views import Namespace, Object, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

# Label or annotation of a namespace or a pod that asks for a sidecar, and the mesh.
_ASKS = {
    "istio-injection": "istio", "istio.io/rev": "istio", "sidecar.istio.io/inject": "istio",
    "linkerd.io/inject": "linkerd",
    "kuma.io/sidecar-injection": "kuma",
    "consul.hashicorp.com/connect-inject": "consul",
}  # fmt: skip
SIDECARS = {
    "istio-proxy": "istio", "linkerd-proxy": "linkerd", "kuma-sidecar": "kuma", "consul-dataplane": "consul",
    "daprd": "dapr", "vault-agent": "vault",
}  # fmt: skip
"""The mesh of a container that a cluster had in its pods, by the name that its injector gives it."""
_NO = frozenset({"disabled", "false", "no", "off"})
# The images and the charts of the agents.
_AGENTS = {
    "install-cni": "istio", "istio-cni": "istio", "cni-plugin": "linkerd", "linkerd2-cni": "linkerd",
    "kuma-cni": "kuma", "consul-k8s-cni": "consul",
}  # fmt: skip
_CHARTS = {**_AGENTS, "cni": "istio"}
_ALWAYS = frozenset({("sailoperator.io", "IstioCNI"), ("maistra.io", "ServiceMeshControlPlane")})
_MAY_SAY = (("install.istio.io", "IstioOperator"), ("sailoperator.io", "Istio"))
# Where values of their charts turn CNI mode on.
_SETTINGS = {
    ("cni", "enabled"): "istio", ("istio_cni", "enabled"): "istio", ("pilot", "cni", "enabled"): "istio",
    ("cniEnabled",): "linkerd",
}  # fmt: skip


def added(namespace: Namespace) -> list[Evidence]:
    """What says that pods of ``namespace`` get a container that the tree does not show and that may ask for more than
    the pod does: an injected sidecar without a sign of CNI mode, or an API that adds containers of its own."""
    cni = namespace.tree.ask(CniMeshes)
    found: list[Evidence] = []
    for label in ("labels", "annotations"):
        found += _asked(namespace, ("metadata", label), cni)
    for pod in namespace.pods:
        if pod.partial:
            found.append(pod.fact(f"what runs {pod.object} adds containers of its own"))
            continue
        for label in ("labels", "annotations"):
            found += _asked(pod.metadata, (label,), cni)
        found += [fact for name, fact in injected(pod).items() if SIDECARS.get(name) not in cni]
    return found


def _asked(view: View, path: tuple[str, ...], cni: dict[str, Evidence]) -> Iterator[Evidence]:
    signs = _mapping(value_at(view.data, path))
    for key, value in signs.items():
        mesh = _ASKS.get(key)
        if mesh is not None and mesh not in cni and str(value).lower() not in _NO:
            what = f"{path[-1].removesuffix('s')} {key} of {view.object} asks for a sidecar"
            yield view.fact(f"{what}, which needs NET_ADMIN where {mesh} does not run in CNI mode", *path, key)


class CniMeshes(AsRead, dict[str, Evidence]):
    """The meshes whose sidecars need no privilege, since an agent of the node does the work, with the sign of it."""

    def __init__(self, tree: Tree) -> None:
        for pod in tree.pod_templates:
            mesh = _agent(pod)
            if mesh is not None:
                self.setdefault(mesh, pod.fact(f"{pod.object} is its CNI plugin"))
        for kind in sorted(rendered.RENDERED_ELSEWHERE | _ALWAYS | set(_MAY_SAY)):
            for item in tree.of(*kind):
                mesh = "istio" if kind in _ALWAYS else _of(item)
                if mesh is not None:
                    self.setdefault(mesh, item.fact(f"{item} installs its CNI plugin"))


def _agent(pod: PodTemplate) -> str | None:
    if pod.kind != "DaemonSet":
        return None
    containers = value_at(pod.data, ("containers",))
    for container in containers if isinstance(containers, list) else ():
        image = value_at(container, ("image",))
        if isinstance(image, str):
            name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
            if name in _AGENTS:
                return _AGENTS[name]
    return _AGENTS.get(pod.object.name.removesuffix("-node"))


def _of(item: Object) -> str | None:
    if value_at(item.data, ("spec", "components", "cni", "enabled")) is True:
        return "istio"
    for values in rendered.values(item.data):
        for path, mesh in _SETTINGS.items():
            if value_at(values, path) is True:
                return mesh
    return _CHARTS.get(rendered.chart(item.data) or "")


def _mapping(value: Any) -> dict[str, Any]:
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}
