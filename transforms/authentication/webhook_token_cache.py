from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="authentication", severity=Severity.MEDIUM, only_reports=True)
def webhook_token_cache(carrier: ControlPlane) -> Steps:
    """Shorten the token cache of the API server.

    Problem: the API server accepts revoked tokens for too long.

    Result: The API server soon checks again whether a token is valid.

    Why: the API server accepts a revoked token as long as it keeps the answer of the webhook.

    May break: nothing, since it only reports: a shorter time asks the webhook more often.
    """
    yield from by_table(carrier, "webhook-token-cache")
