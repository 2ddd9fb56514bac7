from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="authentication", severity=Severity.MEDIUM, only_reports=True)
def webhook_token_cache(carrier: ControlPlane) -> Steps:
    """The API server soon asks again whether a token is still good.

    Why: as long as the answer is kept, a token that was revoked is accepted.

    May break: nothing, since it only reports: a shorter time asks the webhook more often.
    """
    yield from by_table(carrier, "webhook-token-cache")
