from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.components.static_tokens import MASTERS
from hardener.support.shell_words import command
from hardener.tree.credential_views import StaticTokens

_MOST = 5  # users that are named


@transform(each=StaticTokens, stage="authentication", severity=Severity.CRITICAL, cis="1.2.2", only_reports=True)
def token_csv_in_repo(tokens: StaticTokens) -> Steps:
    """Remove static tokens from Git.

    Problem: a static token of the API server is in Git.

    Result: No static token of the API server is in Git.

    Why: such a token never expires, and everybody who ever cloned the repository can log in with it until the API
    servers have been restarted without it.

    May break: nothing, since it only reports: whoever logs in with the token needs another way first.
    """
    users = list(dict.fromkeys(holder.user for holder in tokens.holders))
    masters = list(dict.fromkeys(holder.user for holder in tokens.holders if MASTERS in holder.groups))
    number = len(tokens.holders)
    text = f"{number} static tokens" if number > 1 else "a static token"
    message = f"{text} of the API server for {_listed(users)} {'are' if number > 1 else 'is'} in the file"
    if masters:
        verb = "is" if len(masters) == 1 else "are"
        message += f"; {_listed(masters)} {verb} in {MASTERS}, to which RBAC does not apply"
    name = tokens.object.piece.file.name
    out = command("git rm --cached {file}", file=name) if tokens.table else "remove the line from the file"
    line = tokens.holders[0].line
    place = ("lines", line - 1) if tokens.has("lines") else ()  # of a script or a table; elsewhere it is in no value
    advice = (
        f"treat it as leaked: remove its row from the file of --token-auth-file on every control-plane node,"
        f" restart the API servers, then {out}, and let its users log in with OIDC or a certificate; the Git history"
        " keeps it"
    )
    yield tokens.finding(message, *place, line=line, severity=Severity.CRITICAL, advice=advice)


def _listed(users: list[str]) -> str:
    more = f" and {len(users) - _MOST} more" if len(users) > _MOST else ""
    return ", ".join(users[:_MOST]) + more
