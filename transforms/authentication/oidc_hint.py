from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import Component, ControlPlane, components

_SCAFFOLD = (
    "write an AuthenticationConfiguration (apiserver.config.k8s.io/{version}) with jwt: [{{issuer: {{url: "
    "https://ISSUER, audiences: [CLIENT]}}, claimMappings: {{username: {{claim: sub, prefix: 'oidc:'}}, groups: "
    "{{claim: groups, prefix: 'oidc:'}}}}}}] and name it with --authentication-config"
)


@transform(each=ControlPlane, stage="authentication", severity=Severity.LOW, absence=True, only_reports=True)
def oidc_hint(carrier: ControlPlane) -> Steps:
    """Add an identity provider.

    Problem: the API server has no identity provider for people.

    Result: People sign in to the API server through an identity provider.

    Why: client certificates of users cannot be revoked before they expire, and no list shows who holds them.

    May break: nothing, since it only reports.
    """
    for server in components(carrier, "kube-apiserver"):
        if server.installer != "rke2" and not _signs_in(server):
            version = "v1" if server.version >= (1, 34) else "v1beta1"
            text = "no identity provider is named: people sign in with certificates, which cannot be revoked"
            yield server.finding(text, advice=_SCAFFOLD.format(version=version), severity=Severity.LOW)


def _signs_in(server: Component) -> bool:
    flags = ("oidc-issuer-url", "authentication-config", "authentication-token-webhook-config-file")
    files = server.view.tree.of("apiserver.config.k8s.io", "AuthenticationConfiguration")
    return any(server.get(flag) for flag in flags) or any(item.has("jwt") for item in files)
