"""K09: anonymous requests, where an AuthenticationConfiguration lets them in."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import AuthenticationFile

_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})


@transform(each=AuthenticationFile, stage="authentication", severity=Severity.HIGH, cis="1.2.1", only_reports=True)
def authentication_config(config: AuthenticationFile) -> Steps:
    """Limit anonymous requests to health checks.

    Problem: anonymous requests reach more than health checks.

    Result: Only health checks are answered without authentication.

    Why: one wrong binding to system:anonymous or system:unauthenticated opens what it names to everybody who reaches
    the API server.

    May break: nothing, since it only reports: kubeadm join reads /api/v1/namespaces/kube-public/configmaps/cluster-info
    without a login.
    """
    if config.get("anonymous", "enabled") is not True:
        return
    paths = [entry.text("path") or "" for entry in config.items("anonymous", "conditions")]
    if not paths:
        yield config.finding(
            "anonymous requests reach every path of the API server",
            "anonymous",
            "enabled",
            advice="write conditions: [{path: /livez}, {path: /readyz}, {path: /healthz}], or enabled: false",
            severity=Severity.HIGH,
        )
    elif more := sorted(path for path in paths if path not in _HEALTH and not path.endswith("/cluster-info")):
        yield config.finding(
            f"anonymous requests reach {', '.join(more)}",
            "anonymous",
            "conditions",
            advice="keep /livez, /readyz and /healthz alone",
            severity=Severity.MEDIUM,
        )
