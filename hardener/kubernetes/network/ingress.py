"""What leads from outside the cluster to Services: Ingresses, and the routes of the kinds that do their work.

Sources: the APIs networking.k8s.io/v1 (and the versions before it), gateway.networking.k8s.io, route.openshift.io/v1,
networking.istio.io (VirtualService), traefik.io (IngressRoute), projectcontour.io (HTTPProxy).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern

_GATEWAY_API = "gateway.networking.k8s.io"
_TRAEFIK = ("traefik.io", "traefik.containo.us")
INGRESSES = frozenset({("networking.k8s.io", "Ingress"), ("extensions", "Ingress")})
OPENSHIFT_ROUTES = frozenset({("route.openshift.io", "Route"), ("", "Route")})
GATEWAY_ROUTES = frozenset(
    (_GATEWAY_API, kind) for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
)
GATEWAYS = frozenset({(_GATEWAY_API, "Gateway")})
ISTIO_GATEWAYS = frozenset({("networking.istio.io", "Gateway")})
ROUTES = (
    INGRESSES
    | OPENSHIFT_ROUTES
    | GATEWAY_ROUTES
    | {("networking.istio.io", "VirtualService"), ("projectcontour.io", "HTTPProxy")}
    | {(group, kind) for group in _TRAEFIK for kind in ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")}
)
"""(API group, kind) of what names Services as its backends."""
OPENINGS = ROUTES | GATEWAYS | ISTIO_GATEWAYS
"""ROUTES, and what they are bound to."""

_HOST = late_pattern(r"Host(?:SNI)?\(([^()]*+)\)")
_QUOTED = late_pattern(r"[`'\"]([^`'\"]+)[`'\"]")


class Backend(NamedTuple):
    """A Service that an object leads to: its namespace and port where they are named, and where that stands."""

    name: str
    namespace: str | None
    port: int | str | None
    path: Path


def backends(group: str, kind: str, document: dict[str, Any]) -> Iterator[Backend]:
    """The Services that an object of ROUTES opens to the outside, one of them perhaps more than once.

    None for an object of another kind, and for a route that only steers traffic inside the cluster.
    """
    spec = document.get("spec")
    if (group, kind) not in ROUTES or not isinstance(spec, dict):
        return
    if kind == "Ingress":
        yield from _of_ingress(spec)
    elif (group, kind) in GATEWAY_ROUTES:
        for path, rule in () if _is_inside(spec) else _items(spec, ("spec", "rules")):
            yield from _listed(rule, (*path, "backendRefs"))
    elif kind == "Route":
        for path, value in ((("spec", "to"), spec.get("to")), *_items(spec, ("spec", "alternateBackends"))):
            if isinstance(value, dict) and value.get("kind", "Service") == "Service" and _text(value, "name"):
                yield Backend(value["name"], None, None, path)
    elif kind == "VirtualService":
        yield from _of_virtual_service(spec)
    else:
        for path, rule in _items(spec, ("spec", "routes")):
            yield from _listed(rule, (*path, "services"))
        yield from _listed(spec.get("tcpproxy"), ("spec", "tcpproxy", "services"))


class Parent(NamedTuple):
    """What a route is bound to: a Gateway, and where it names one, the section (listener) or the port of it."""

    name: str
    namespace: str | None
    section: str | None
    port: int | str | None


def parents(group: str, kind: str, document: dict[str, Any]) -> Iterator[Parent]:
    """The Gateways that a route of the Gateway API is bound to."""
    if (group, kind) not in GATEWAY_ROUTES:
        return
    for _, parent in _items(document.get("spec"), ("spec", "parentRefs")):
        if parent.get("kind", "Gateway") == "Gateway" and _text(parent, "name"):
            namespace, section = (_text(parent, key) or None for key in ("namespace", "sectionName"))
            yield Parent(parent["name"], namespace, section, _port(parent.get("port")))


def only_redirects(document: dict[str, Any]) -> bool:
    """Whether a route of the Gateway API sends all its callers to HTTPS."""
    rules = list(_items(document.get("spec"), ("spec", "rules")))
    return bool(rules) and all(any(map(_is_redirect, _items(rule, (*path, "filters")))) for path, rule in rules)


def _is_redirect(place: tuple[Path, dict[str, Any]]) -> bool:
    redirect = place[1].get("requestRedirect")
    return isinstance(redirect, dict) and redirect.get("scheme") == "https"


def guards(document: dict[str, Any]) -> Iterator[str]:
    """The names of what a route puts before its backends: middlewares, filters, and keys that ask who is there."""
    waiting = [document.get("spec")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            for key in ("middlewares", "plugins"):
                yield from (_text(item, "name") for _, item in _items(value, (key,)))
            if isinstance(value.get("extensionRef"), dict):
                yield _text(value["extensionRef"], "name")
            yield from (key for key in ("authorization", "jwtProviders") if value.get(key))


def hosts(document: dict[str, Any]) -> list[str]:
    """The host names that an object of ROUTES answers to, in the order in which they stand."""
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return []
    found: list[Any] = [spec.get("host")]
    for key in ("hostnames", "hosts"):
        found += spec[key] if isinstance(spec.get(key), list) else []
    found += (rule.get("host") for _, rule in _items(spec, ("spec", "rules")))
    for _, route in _items(spec, ("spec", "routes")):
        for group in _HOST.findall(_text(route, "match")):
            found += _QUOTED.findall(group)
    virtual = spec.get("virtualhost")
    found.append(virtual.get("fqdn") if isinstance(virtual, dict) else None)
    return list(dict.fromkeys(host for host in found if isinstance(host, str) and host))


def _of_ingress(spec: dict[str, Any]) -> Iterator[Backend]:
    places: list[tuple[Path, Any]] = [(("spec", key), spec.get(key)) for key in ("defaultBackend", "backend")]
    for path, rule in _items(spec, ("spec", "rules")):
        http = rule.get("http")
        places += (((*p, "backend"), v.get("backend")) for p, v in _items(http, (*path, "http", "paths")))
    for path, value in places:
        if not isinstance(value, dict):
            continue
        service = value.get("service")
        if isinstance(service, dict) and _text(service, "name"):
            port = service.get("port")
            named = (port.get("number") or port.get("name")) if isinstance(port, dict) else None
            yield Backend(service["name"], None, _port(named), (*path, "service", "name"))
        elif _text(value, "serviceName"):
            yield Backend(value["serviceName"], None, _port(value.get("servicePort")), (*path, "serviceName"))


def _is_inside(spec: dict[str, Any]) -> bool:
    """Whether all parents of a route are Services: it steers what is in the mesh already."""
    parents = [parent.get("kind", "Gateway") for _, parent in _items(spec, ("spec", "parentRefs"))]
    return bool(parents) and all(kind == "Service" for kind in parents)


def _listed(holder: object, path: Path) -> Iterator[Backend]:
    """The Services that are listed under the last part of ``path``."""
    for place, value in _items(holder, path):
        if value.get("kind", "Service") == "Service" and _text(value, "name"):
            namespace = _text(value, "namespace") or None
            yield Backend(value["name"], namespace, _port(value.get("port")), (*place, "name"))


def _of_virtual_service(spec: dict[str, Any]) -> Iterator[Backend]:
    gateways = spec.get("gateways")
    if not isinstance(gateways, list) or all(name == "mesh" for name in gateways):
        return  # it holds for the sidecars of the mesh only
    for protocol in ("http", "tls", "tcp"):
        for path, rule in _items(spec, ("spec", protocol)):
            for place, route in _items(rule, (*path, "route")):
                target = route.get("destination")
                if isinstance(target, dict) and _text(target, "host"):
                    name, _, rest = target["host"].partition(".")
                    port = target.get("port")
                    number = port.get("number") if isinstance(port, dict) else None
                    where = (*place, "destination", "host")
                    yield Backend(name, rest.partition(".")[0] or None, _port(number), where)


def _items(holder: object, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The mappings of the list that ``holder`` has under the last part of ``path``, each with its own path."""
    found = holder.get(path[-1]) if isinstance(holder, dict) else None
    for index, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield (*path, index), item


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _port(value: object) -> int | str | None:
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None
