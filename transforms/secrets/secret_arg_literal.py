from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.secrets.secret_values import found_secrets
from hardener.tree.core_views import Container


@transform(
    each=Container, stage="secrets", severity=Severity.CRITICAL, cis="5.4.2",
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"), only_reports=True,
)  # fmt: skip
def secret_arg_literal(container: Container) -> Steps:
    """Move credentials out of command lines.

    Problem: {container} has a credential on its command line.

    Result: The command line holds no credentials.

    Why: the command line is in Git, in the API, and in the process list of the node, where every process of the node
    can read it.

    May break: nothing, since it only reports: a program may take the value from a variable ($(NAME) in the arguments is
    filled in from env), or from a file, and only its documentation says which.
    """
    for key in ("command", "args"):
        words = container.strings(key)
        if not words:
            continue
        places = sorted({int(found.path[-1]) for found in found_secrets({key: list(words)})})
        if places:
            text = f"{key} of container {container.name} hold a credential"
            advice = (
                "keep it in a Secret, take it from there as a variable with valueFrom.secretKeyRef, and write"
                " $(NAME) in its place; rotate it: the Git history keeps it"
            )
            yield container.finding(text, key, places[0], advice=advice, severity=Severity.CRITICAL)
