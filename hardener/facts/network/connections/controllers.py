"""The ingress controllers of a tree, and which of them an Ingress or a route is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hardener.facts.network.run_time_peers import images
from hardener.kubernetes.components.component import is_ingress_or_gateway
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import mapping, mappings
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

# Controllers whose own pods carry the traffic, by a word of their image or name. Others (Contour, Envoy Gateway, the
# load balancers of clouds) send it from pods that they make, or from outside the cluster.
_FAMILIES = ("nginx", "traefik", "haproxy", "kong", "caddy", "emissary", "ambassador", "ingressgateway", "voyager")
_ELSEWHERE = late_pattern(r"nginx-gateway|gateway-operator|kong-operator|traefik-hub")
# What a class says in other words: of IngressClass, GatewayClass, annotations.
_ALIASES = {"ambassador": "emissary", "istio": "ingressgateway"}
_CLASS = "kubernetes.io/ingress.class"


class Controllers:
    """Looked up by family, in a tree that holds what they lead in."""

    def __init__(self, tree: Tree, pods: list[PodTemplate]) -> None:
        self._gateways = {item.name: item for item in tree.of("networking.istio.io", "Gateway")}
        self._classes = {item.name: item for item in tree.of("networking.k8s.io", "IngressClass")}
        self._class_of = {item.name: item for item in tree.of("gateway.networking.k8s.io", "Gateway")}
        self._pods = pods
        self._behind: dict[str, list[PodTemplate]] = {}

    @cached_property
    def _by_family(self) -> dict[str, list[PodTemplate]]:
        found: dict[str, list[PodTemplate]] = {}
        for pod in self._pods:
            family = _family(pod)
            if family is not None:
                found.setdefault(family, []).append(pod)
        return found

    def of(self, item: Object) -> list[PodTemplate]:
        """The pods from which traffic of ``item`` comes; none where the tree does not show them for sure."""
        spec = mapping(item.data.get("spec"))
        if item.kind == "VirtualService":
            return self._of_istio(spec)
        if not self._by_family:
            return []
        if item.kind == "Ingress":
            named = spec.get("ingressClassName") or item.annotations.get(_CLASS)
            return self._called(str(named)) if named else self._only()
        if item.kind.startswith("IngressRoute"):
            return self._by_family.get("traefik", [])
        return self._of_route(spec) if item.group == "gateway.networking.k8s.io" else []

    def _of_route(self, spec: Mapping[str, Any]) -> list[PodTemplate]:
        """Those of the classes of the Gateways that a route of the Gateway API is bound to."""
        gateways = [self._class_of.get(str(parent.get("name"))) for parent in mappings(spec.get("parentRefs"))]
        specs = [mapping(gateway.data.get("spec")) for gateway in gateways if gateway is not None]
        if len(specs) < len(gateways):
            return []
        found = [self._called(name) for name in sorted({str(spec.get("gatewayClassName")) for spec in specs})]
        return [pod for pods in found for pod in pods] if all(found) else []

    def _only(self) -> list[PodTemplate]:
        """Those of an Ingress that names no class: of the only family there is."""
        return next(iter(self._by_family.values())) if len(self._by_family) == 1 else []

    def _called(self, name: str) -> list[PodTemplate]:
        """Those of a class; its controller is asked where the tree has the class, as anybody may name it anything."""
        known = self._classes.get(name)
        text = str(mapping(known.data.get("spec")).get("controller")) if known is not None else name
        family = _word(text)
        return self._by_family.get(family, []) if family is not None else []

    def _of_istio(self, spec: dict[str, object]) -> list[PodTemplate]:
        names = spec.get("gateways")
        found: dict[PodTemplate, None] = {}
        for text in names if isinstance(names, list) else ():
            if text == "mesh":
                continue
            name = str(text).rpartition("/")[2].partition(".")[0]
            if name not in self._behind:
                self._behind[name] = self._selected(name)
            if not self._behind[name]:
                return []  # one of them is not in the tree
            found.update(dict.fromkeys(self._behind[name]))
        return list(found)

    def _selected(self, name: str) -> list[PodTemplate]:
        """The pods of the Gateway of Istio called ``name``."""
        gateway = self._gateways.get(name)
        labels = mapping(mapping(gateway.data.get("spec")).get("selector")) if gateway is not None else {}
        wanted = {str(key): str(value) for key, value in labels.items()}
        return [pod for pod in self._pods if wanted and wanted.items() <= pod.labels.items()]


def _family(pod: PodTemplate) -> str | None:
    for text in (*images(pod), pod.object.name):
        if is_ingress_or_gateway(text) and not _ELSEWHERE.search(text):
            family = _word(text)
            if family is not None:
                return family
    return None


def _word(text: str) -> str | None:
    words = re.split(r"[^a-z0-9]+", text[:512].lower())
    for word in words:
        word = _ALIASES.get(word, word)
        if word in _FAMILIES:
            return word
    return None
