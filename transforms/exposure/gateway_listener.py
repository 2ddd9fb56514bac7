"""K06: who may use the listeners of a Gateway."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.support.data_path import Path
from hardener.tree.addon_views import Gateway

_FALLBACK = "AllowInsecureFallback"


@transform(each=Gateway, stage="exposure", severity=Severity.MEDIUM, only_reports=True)
def gateway_listener(gateway: Gateway) -> Steps:
    """Restrict which routes a Gateway listener accepts.

    Problem: the listener takes routes of every namespace, or does not check client certificates.

    Result: Only routes of the namespaces that the listener names are served.

    Why: with `from: All` whoever may write a route in any namespace can serve any host of the listener, or take over a
    path from its owner. With `AllowInsecureFallback` a client without a valid certificate is accepted.

    May break: nothing, since it only reports: name the namespaces of the other routes first.
    """
    for at, listener in enumerate(gateway.items("spec", "listeners")):
        if listener.get("allowedRoutes", "namespaces", "from") == "All":
            host = listener.text("hostname")
            what = f"serves {host}" if host else "serves any host, since it names none"
            yield gateway.finding(
                f"a route of any namespace is bound to listener {listener.text('name') or at}, which {what}",
                "spec",
                "listeners",
                at,
                "allowedRoutes",
                "namespaces",
                "from",
                advice="write from: Selector with a label that only you give to namespaces, or from: Same",
                severity=Severity.LOW if host and not host.startswith("*") else Severity.MEDIUM,
                topic="listener for routes of every namespace",
            )
        yield from _fallbacks(gateway, ("spec", "listeners", at, "tls"))
    yield from _fallbacks(gateway, ("spec", "tls", "frontend", "default"))
    for at, _ in enumerate(gateway.items("spec", "tls", "frontend", "perPort")):
        yield from _fallbacks(gateway, ("spec", "tls", "frontend", "perPort", at, "tls"))


def _fallbacks(gateway: Gateway, tls: Path) -> Iterator[Finding]:
    """Where clients are asked for a certificate and let in without. Source: gateway-api.sigs.k8s.io, GEP-91."""
    for place in ("frontendValidation", "validation"):
        if gateway.get(*tls, place, "mode") == _FALLBACK:
            yield gateway.finding(
                f"clients without a valid certificate are let in ({_FALLBACK})",
                *tls,
                place,
                "mode",
                advice="write mode: AllowValidOnly once every client has a certificate",
            )
