"""K07: settings of Argo CD that let in whom nobody knows."""

from __future__ import annotations

from typing import NamedTuple

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import ConfigMap


class _Setting(NamedTuple):
    """A key of a ConfigMap with the value that is wrong, what that means, and what to do."""

    weak: str
    means: str
    advice: str
    severity: Severity


# Source: the pages argocd-cm, argocd-cmd-params-cm and RBAC of the Argo CD operator manual (argo-cd.readthedocs.io).
_SETTINGS: dict[str, dict[str, _Setting]] = {
    "argocd-cm": {
        "users.anonymous.enabled": _Setting(
            "true", "everybody who reaches Argo CD is let in without a login",
            "remove it, and let people sign in through an identity provider (oidc.config or dex.config)",
            Severity.CRITICAL,
        ),
        "exec.enabled": _Setting(
            "true", "Argo CD opens shells in the pods of its applications",
            "remove it; kubectl exec asks for the rights of the person", Severity.MEDIUM,
        ),
    },
    "argocd-rbac-cm": {
        "policy.default": _Setting(
            "role:admin", "everybody who signs in, and whom no rule names, is an administrator of Argo CD",
            "set policy.default: role:readonly or '', and name the groups of administrators in policy.csv",
            Severity.HIGH,
        ),
    },
    "argocd-cmd-params-cm": {
        "server.disable.auth": _Setting(
            "true", "Argo CD asks nobody for a login", "remove it", Severity.CRITICAL,
        ),
        "server.insecure": _Setting(
            "true", "Argo CD serves HTTP, and passwords cross the network of the cluster in clear text",
            "remove it, and let the Ingress or Gateway speak HTTPS to it", Severity.LOW,
        ),
    },
}  # fmt: skip


@transform(each=ConfigMap, stage="components", severity=Severity.CRITICAL, only_reports=True)
def argocd_settings(config_map: ConfigMap) -> Steps:
    """Require a login and named rights in Argo CD.

    Problem: Argo CD lets callers in without a login, or gives everybody rights.

    Result: Argo CD asks for a login, and gives rights only to named users.

    Why: Argo CD usually has administrator rights, so whoever gets in without a login administers the cluster.

    May break: nothing, since it only reports: people need another way to sign in first.
    """
    settings = _SETTINGS.get(config_map.object.name, {})
    for key, setting in settings.items():
        value = config_map.get("data", key)
        if value is not None and str(value).strip().lower() == setting.weak:
            message = f"{key} is {value}: {setting.means}"
            yield config_map.finding(message, "data", key, advice=setting.advice, severity=setting.severity)
