from __future__ import annotations

from collections.abc import Iterable, Iterator

from hardener.authoring.edits import Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.kustomize.overlays.states import applied_states
from hardener.facts.network.listeners import Listeners
from hardener.kubernetes.network.ingress import GATEWAY_ROUTES, INGRESSES, OPENSHIFT_ROUTES
from hardener.kubernetes.network.ingress_annotations import ingress_class
from hardener.support.data_path import Path
from hardener.tree.route_views import Ingress
from hardener.tree.view import OpaqueError

_WITH_HOSTS = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute"})
_NAME = "name each host in full: requests for other names then end at the controller"
_TAKE_OUT = "remove it, and name each host in full: requests for other names then end at the controller"
_DEFAULT = "its default backend gets all requests that match no rule"
_UNSEEN = "it names no host, and the tree does not show that its Gateway does"
_Open = tuple[str, str, Path]  # the host name, "" for any; why; where that stands


@transform(each=Ingress, stage="exposure", severity=Severity.LOW, only_reports=True)
def ingress_hosts(ingress: Ingress) -> Steps:
    """Name the hosts of an Ingress.

    Problem: the Ingress has a rule for any host name.

    Result: The Ingress serves only the host names that it lists.

    Why: a rule without a host receives requests for every name that no other rule of the controller has: it may receive
    requests for other applications, and an attacker can point a domain at it. A wildcard does so for every name below a
    domain, and keeps old names in use.

    May break: nothing, since it only reports: the manifests do not say under which names an application is used.
    """
    for state in applied_states(ingress):
        try:
            found = list(_open(state))
        except (OpaqueError, WrongShapeError):
            if state is ingress:
                raise
            continue  # what is wrong with a patch is said elsewhere
        if found:
            yield _said(state, found)
            return


def _said(ingress: Ingress, found: list[_Open]) -> Finding:
    """One finding for all that is open; any host first."""
    found.sort(key=lambda each: each[0] != "")
    host, why, path = found[0]
    names = list(dict.fromkeys(name.removeprefix("*.") for name, _, _ in found if name))
    said = []
    if not host:
        said.append(f"every host name {'may lead' if why == _UNSEEN else 'leads'} to it, since {why}")
    if names:
        more = f" (and {len(names) - 2} more)" if len(names) > 2 else ""
        said.append(f"every name below {' and '.join(names[:2])}{more} leads to it")
    advice = _TAKE_OUT if why == _DEFAULT else _NAME
    return ingress.finding(
        "; ".join(said), *path, advice=advice, severity=Severity.LOW, topic="endpoint without a host name of its own"
    )


def _open(ingress: Ingress) -> Iterator[_Open]:
    kind = ingress.names
    if kind in INGRESSES:
        return _of_ingress(ingress)
    if kind in OPENSHIFT_ROUTES:
        return _of_openshift_route(ingress)
    if kind in GATEWAY_ROUTES:
        leads_on = kind[1] in _WITH_HOSTS and ingress.backends and not ingress.only_redirects
        return _bound(ingress, "hostnames") if leads_on else iter(())
    read = _OTHERS.get(kind[1])
    return read(ingress) if read is not None else iter(())


def _of_openshift_route(route: Ingress) -> Iterator[_Open]:
    host = route.text("spec", "host") or ""  # without one, its router makes one
    if route.text("spec", "wildcardPolicy") == "Subdomain":
        yield f"*.{host.partition('.')[2]}", "", ("spec", "wildcardPolicy")


def _of_virtual_service(service: Ingress) -> Iterator[_Open]:
    if service.backends:  # else it is for the sidecars of the mesh
        yield from _bound(service, "hosts")


def _of_http_proxy(proxy: Ingress) -> Iterator[_Open]:
    host = proxy.text("spec", "virtualhost", "fqdn") or ""
    if host.startswith("*"):
        yield host, "", ("spec", "virtualhost", "fqdn")


def _of_ingress_route(ingress: Ingress) -> Iterator[_Open]:
    for index, route in enumerate(ingress.items("spec", "routes")):
        match = route.text("match")
        if match and "Host" not in match:  # Host, HostRegexp, the header
            yield "", f"the match {match} names no host", ("spec", "routes", index, "match")


_OTHERS = {"VirtualService": _of_virtual_service, "HTTPProxy": _of_http_proxy, "IngressRoute": _of_ingress_route}


def _of_ingress(ingress: Ingress) -> Iterator[_Open]:
    if ingress_class(ingress.text("spec", "ingressClassName"), ingress.object.annotations) == "tailscale":
        return  # its operator gives it a name of its own
    for index, rule in enumerate(ingress.items("spec", "rules")):
        host = rule.text("host") or ""
        if host in ("", "*"):
            yield "", "a rule names no host", ("spec", "rules", index, *(["host"] if host else []))
        elif host.startswith("*"):
            yield host, "", ("spec", "rules", index, "host")
    for key in ("defaultBackend", "backend"):  # that of the versions before v1
        if ingress.has("spec", key):
            yield "", _DEFAULT, ("spec", key)


def _bound(ingress: Ingress, key: str) -> Iterator[_Open]:
    """The names of a route that is bound to Gateways, whose names bound its own."""
    own = ingress.strings("spec", key)
    wide = _wide(own)
    if own and not wide:
        return
    around = ingress.tree.ask(Listeners).hosts(ingress.object)
    are_named = bool(around) and "" not in (around or ())
    wide_around = _wide(around or ()) if are_named else []
    if are_named and not wide_around:
        return  # each listener has one name
    where = ("spec", key) if own else ("spec",)
    open_names = wide if own and "*" not in own else wide_around
    for host in open_names:
        yield host, "", where
    if not open_names:
        yield "", _UNSEEN if around is None else "neither it nor its Gateway names a host", where


def _wide(hosts: Iterable[str]) -> list[str]:
    return [host for host in hosts if host.startswith("*")]
