"""What shows that an Ingress, or the Gateway of a route, stands in a private network: callers of the internet do not
reach it.

Sources: the annotations of load balancers (`hardener/kubernetes/network/load_balancer.py`); the classes of GKE
(`gke-l7-rilb`, `gce-internal`) and `alb.ingress.kubernetes.io/scheme`; Gateway API v1 (`spec.infrastructure`,
`spec.addresses`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.network.ingress import GATEWAYS, parents
from hardener.kubernetes.network.ingress_annotations import ingress_class
from hardener.kubernetes.network.load_balancer import is_internal
from hardener.tree.core_views import Object, OpaqueError, View
from hardener.tree.route_views import Ingress

_WORDS = re.compile(r"(?i)(?:^|[-_.])(?:internal|private|intranet|rilb)(?:$|[-_.])")


def private_way(ingress: Ingress) -> str | None:
    """What shows that ``ingress`` is reached from a private network alone, in words; None where nothing does."""
    try:
        return next(_signs(ingress), None)
    except (OpaqueError, WrongShapeError):
        return None


def _signs(ingress: Ingress) -> Iterator[str]:
    annotations = ingress.object.annotations
    yield from _internal(annotations)
    named = ingress_class(ingress.text("spec", "ingressClassName"), annotations)
    if _WORDS.search(named):
        yield f"its class {named}"
    for gateway in _gateways(ingress):
        yield from _of_gateway(gateway)


def _gateways(ingress: Ingress) -> Iterator[Object]:
    """The Gateways of the tree that a route is bound to, or the Gateway itself."""
    if ingress.names in GATEWAYS:
        yield ingress.object
    builds = ingress.tree.ask(Builds)
    wanted = list(parents(*ingress.names, ingress.object.data))
    for group, kind in sorted(GATEWAYS) if wanted else ():
        for item in ingress.tree.of(group, kind):
            for parent in wanted:
                meets = (
                    builds.may_be_in(item, parent.namespace) if parent.namespace else builds.meet(ingress.object, item)
                )
                if item.name == parent.name and meets:
                    yield item


def _of_gateway(gateway: View) -> Iterator[str]:
    name = gateway.text("spec", "gatewayClassName") or ""
    if _WORDS.search(name):
        yield f"class {name} of {gateway.object}"
    infrastructure = gateway.view("spec", "infrastructure", "annotations")
    yield from _internal({key: infrastructure.text(key) or "" for key in infrastructure.keys()})
    addresses = [each.text("value") or "" for each in gateway.items("spec", "addresses")]
    if addresses and all(map(_is_private, addresses)):
        yield f"the address of {gateway.object}"


def _internal(annotations: Mapping[str, str]) -> Iterator[str]:
    return (key for key, value in annotations.items() if is_internal(key, value))


def _is_private(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:
        return False
