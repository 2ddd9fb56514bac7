from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import AuthenticationFile, ControlPlane, by_table


@transform(each=ControlPlane | AuthenticationFile, stage="authentication", severity=Severity.HIGH, only_reports=True)
def oidc_http(target: ControlPlane | AuthenticationFile) -> Steps:
    """Use HTTPS for the identity provider.

    Problem: the keys of the identity provider are fetched over plain HTTP.

    Result: The keys of the identity provider are fetched over HTTPS.

    Why: whoever can change this traffic can give the API server another key, and sign in as anyone.

    May break: nothing, since it only reports.
    """
    if isinstance(target, ControlPlane):
        yield from by_table(target, "oidc-http")
        return
    for index, jwt in enumerate(target.items("jwt")):
        if (jwt.text("issuer", "url") or "").startswith("http:"):
            text = "the issuer's keys are fetched over HTTP: whoever can change this traffic can sign in as anyone"
            advice = "write https; the API server refuses anything else"
            yield target.finding(text, "jwt", index, "issuer", "url", advice=advice, severity=Severity.HIGH)
