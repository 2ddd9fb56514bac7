"""Under which host names the Gateways answer that a route is bound to.

A route answers under its own names as far as its listeners do, and one without a name under all of theirs (HTTPRoute
`spec.hostnames` of the Gateway API; `hosts` of a VirtualService and of the Gateway of Istio).
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Neighbours
from hardener.kubernetes.network.ingress import GATEWAY_ROUTES, GATEWAYS, ISTIO_GATEWAYS, parents
from hardener.tree.core_views import Object, OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_Named = dict[str, Neighbours]


class Listeners(AsRead):
    """The Gateways of the tree by name, those of the Gateway API and those of Istio."""

    def __init__(self, tree: Tree) -> None:
        self._of_gateway_api = _by_name(tree, GATEWAYS)
        self._of_istio = _by_name(tree, ISTIO_GATEWAYS)

    def hosts(self, route: Object) -> list[str] | None:
        """The host names of the listeners that ``route`` is bound to, "" for one that takes any; None where the tree
        does not show all of its Gateways, or what they say."""
        try:
            found = list(self._hosts(route))
        except (OpaqueError, WrongShapeError):
            return None
        return None if None in found else [host for host in found if host is not None]

    def _hosts(self, route: Object) -> Iterator[str | None]:
        if (route.group, route.kind) in GATEWAY_ROUTES:
            bound = list(parents(route.group, route.kind, route.data))
            if not bound or len(bound) < len(route.items("spec", "parentRefs")):
                yield None
            for parent in bound:
                for gateway in _meeting(self._of_gateway_api, parent.name, parent.namespace, route) or [None]:
                    yield from _listening(gateway, parent.section, parent.port)
            return
        for name in route.strings("spec", "gateways"):
            namespace, _, own = name.rpartition("/")
            for gateway in _meeting(self._of_istio, own, namespace or None, route) or [None]:
                yield from _served(gateway)


def _by_name(tree: Tree, kinds: frozenset[tuple[str, str]]) -> _Named:
    found: dict[str, list[Object]] = {}
    for group, kind in sorted(kinds):
        for item in tree.of(group, kind):
            if "patch" not in item.classes:
                found.setdefault(item.name, []).append(item)
    return {name: Neighbours(tree.ask(Builds), items) for name, items in found.items()}


def _meeting(named: _Named, name: str, namespace: str | None, route: Object) -> list[Object | None]:
    neighbours = named.get(name)
    return [*neighbours.meeting(route, namespace)] if neighbours is not None else []


def _listening(gateway: Object | None, section: str | None, port: object) -> Iterator[str | None]:
    """The names of the listeners of a Gateway of the Gateway API that a route may be bound to."""
    if gateway is None:
        yield None
        return
    for listener in gateway.items("spec", "listeners"):
        if section in (None, listener.text("name")) and port in (None, listener.get("port")):
            yield listener.text("hostname") or ""


def _served(gateway: Object | None) -> Iterator[str | None]:
    """The names that a Gateway of Istio takes; "*", and "shop/*" with a namespace before it, are any."""
    if gateway is None:
        yield None
        return
    for server in gateway.items("spec", "servers"):
        for host in server.strings("hosts"):
            name = host.rpartition("/")[2]
            yield "" if name == "*" else name
