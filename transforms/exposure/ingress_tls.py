from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.network.ingress import GATEWAYS, INGRESSES, ISTIO_GATEWAYS, OPENSHIFT_ROUTES
from hardener.kubernetes.network.ingress_annotations import ends_tls
from hardener.tree.route_views import Ingress


@transform(
    each=Ingress, stage="exposure", severity=Severity.MEDIUM, only_reports=True, peers=("polaris:tlsSettingsMissing",),
)  # fmt: skip
def ingress_tls(ingress: Ingress) -> Steps:
    """Add TLS to an Ingress.

    Problem: the Ingress serves plain HTTP.

    Result: Traffic from outside the cluster is encrypted.

    Why: everybody on the network path can read a session or a password that is sent as plain text, and replace what is
    served.

    May break: nothing, since it only reports: create a certificate first.
    """
    if ingress.names in INGRESSES and not ingress.items("spec", "tls"):
        if not ends_tls(ingress.text("spec", "ingressClassName"), ingress.object.annotations):
            to_do = (
                "add tls with a Secret of the type kubernetes.io/tls (cert-manager keeps one up to date), or "
                "the annotation by which its class gets a certificate"
            )
            yield ingress.finding(f"{_served(ingress)} over HTTP: the Ingress has no tls section", "spec", advice=to_do)
    elif ingress.names in OPENSHIFT_ROUTES and not ingress.has("spec", "tls"):
        advice = "add tls with termination: edge and insecureEdgeTerminationPolicy: Redirect"
        yield ingress.finding(f"{_served(ingress)} over HTTP: the Route has no tls section", "spec", advice=advice)
    elif ingress.names in GATEWAYS:
        yield from _listeners(ingress)
    elif ingress.names in ISTIO_GATEWAYS:
        for index, server in enumerate(ingress.items("spec", "servers")):
            redirects = server.view("tls").get("httpsRedirect") is True
            if server.view("port").get("protocol") in ("HTTP", "HTTP2", "GRPC") and not redirects:
                advice = "add tls.httpsRedirect: true to it, and a server with the protocol HTTPS"
                yield ingress.finding("a server of the Gateway takes HTTP", "spec", "servers", index, advice=advice)


def _served(ingress: Ingress) -> str:
    hosts = ingress.hosts
    if not hosts:
        return "every host is served"
    more = f" and {len(hosts) - 1} more are" if len(hosts) > 1 else " is"
    return f"{hosts[0]}{more} served"


def _listeners(gateway: Ingress) -> Iterator[Finding]:
    """A finding for each listener that takes HTTP, unless all that is bound to it sends callers to HTTPS."""
    listeners = gateway.items("spec", "listeners")
    encrypted = any(listener.get("protocol") in ("HTTPS", "TLS") for listener in listeners)
    for index, listener in enumerate(listeners):
        name, port = listener.text("name") or "", listener.get("port")
        redirected = gateway.tree.ask(Relations).redirects_only(gateway.object, name, port)
        if listener.get("protocol") != "HTTP" or redirected:
            continue
        text = f"listener {name} takes HTTP"
        advice = (
            "give it protocol: HTTPS and a certificate, and bind a route with the filter RequestRedirect "
            "(scheme: https) to one that stays HTTP"
        )
        yield gateway.finding(
            text, "spec", "listeners", index, advice=advice, severity=Severity.LOW if encrypted else Severity.MEDIUM
        )
