"""K07: the authorizers of the API server, where a file names them."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.addon_views import AuthorizationFile

_WEBHOOK = "Webhook"


@transform(each=AuthorizationFile, stage="components", severity=Severity.CRITICAL, cis="1.2.6", only_reports=True)
def authorization_config(config: AuthorizationFile) -> Steps:
    """Remove AlwaysAllow from the authorizers.

    Problem: an authorizer allows every request, or decides in place of RBAC when it fails.

    Result: Only authorizers that check permissions allow a request.

    Why: the API server asks the authorizers in their order, and the first that says yes decides: AlwaysAllow makes
    every caller an administrator, at any place in the list. With `failurePolicy: NoOpinion`, a webhook that cannot be
    reached refuses nothing.

    May break: nothing, since it only reports: callers without a role lose their access.
    """
    for at, entry in enumerate(config.items("authorizers")):
        path = ("authorizers", at)
        if entry.get("type") == "AlwaysAllow":
            yield config.finding(
                "AlwaysAllow makes every caller an administrator",
                *path,
                "type",
                advice="remove it, and keep Node and RBAC; administrators need a role first "
                "(kubectl get clusterrolebindings -o wide)",
                severity=Severity.CRITICAL,
            )
        elif entry.get("type") == _WEBHOOK and entry.get("webhook", "failurePolicy") == "NoOpinion":
            name = entry.text("name") or "a webhook"
            yield config.finding(
                f"while {name} is not reached, the API server goes on without its answer, and with what it refuses",
                *path,
                "webhook",
                "failurePolicy",
                advice="write failurePolicy: Deny where it refuses requests; NoOpinion is for one that only grants",
                severity=Severity.LOW,
            )
