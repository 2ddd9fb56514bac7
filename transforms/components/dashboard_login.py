from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.tree.core_views import Container

_OPEN = {
    "enable-skip-login": "anybody who opens the dashboard can skip the login",
    "enable-insecure-login": "the login crosses the network in clear text",
    "disable-settings-authorizer": "anybody who opens the dashboard can change its settings",
}


@transform(each=Container, stage="components", severity=Severity.CRITICAL, classes=("system-namespace",))
def dashboard_login(container: Container) -> Steps:
    """Require a login for the dashboard.

    Problem: {container} serves a dashboard without a login.

    Result: The dashboard asks for a login.

    Why: if the login can be skipped, everyone who reaches the dashboard acts as its service account.

    May break: people who skipped the login have to sign in with a token.
    """
    if container.image is None or "dashboard" not in (container.image.repository or ""):
        return
    for key in ("command", "args"):
        for index, word in enumerate(container.strings(key)):
            name, _, value = word.lstrip("-").partition("=")
            if word.startswith("--") and name in _OPEN and value != "false":
                why = [container.fact(f"{word}: {_OPEN[name]}", key, index)]
                found = verdict(why=why, effect=Effect.WATCHED, basis=Basis.PROVED)
                yield container.drop(key, index, **found.words)
