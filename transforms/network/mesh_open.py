"""K05: what a mesh asks of callers."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.addon_views import MeshAuthorization, PeerAuthentication

_OFF = "DISABLE"


@transform(
    each=PeerAuthentication | MeshAuthorization, stage="network", severity=Severity.MEDIUM, only_reports=True,
)  # fmt: skip
def mesh_open(target: PeerAuthentication | MeshAuthorization) -> Steps:
    """Require mutual TLS and named callers in the mesh.

    Problem: the mesh accepts plain text or any caller.

    Result: The mesh encrypts traffic and accepts only named callers.

    Why: with `mtls.mode: DISABLE` callers do not prove who they are, and traffic can be read on the network path; a
    rule without conditions allows everybody, whatever the other policies of the mesh say.

    May break: nothing, since it only reports: callers without a sidecar cannot use the TLS of the mesh, and only the
    owner knows who has to call.
    """
    if isinstance(target, PeerAuthentication):
        yield from _of_authentication(target)
    else:
        yield from _of_authorization(target)


def _of_authentication(target: PeerAuthentication) -> Iterator[Finding]:
    advice = "set STRICT, or PERMISSIVE while callers without a sidecar remain"
    if target.text("spec", "mtls", "mode") == _OFF:
        whose = "its workloads" if target.has("spec", "selector") else "its namespace, or the whole mesh in its root,"
        message = f"mtls.mode is DISABLE: {whose} takes and sends clear text"
        if target.has("spec", "selector"):
            message = "mtls.mode is DISABLE: its workloads take clear text from everybody"
        yield target.finding(message, "spec", "mtls", "mode", advice=advice)
    for port in target.keys("spec", "portLevelMtls"):
        if target.text("spec", "portLevelMtls", port, "mode") == _OFF:
            message = f"mtls is DISABLE at port {port}: it takes clear text from everybody"
            path = ("spec", "portLevelMtls", port, "mode")
            yield target.finding(message, *path, advice=advice, severity=Severity.LOW)


def _of_authorization(target: MeshAuthorization) -> Iterator[Finding]:
    if (target.text("spec", "action") or "ALLOW") != "ALLOW":
        return
    for at, rule in enumerate(target.items("spec", "rules")):
        if not any(rule.has(key) for key in rule.keys()):
            yield target.finding(
                f"{target.object} lets everybody through: its rule names no caller, path or condition",
                "spec",
                "rules",
                at,
                advice="name the callers in from.source.principals, and the paths or ports in to.operation",
            )
