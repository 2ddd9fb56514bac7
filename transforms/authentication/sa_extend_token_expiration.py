from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="authentication", severity=Severity.MEDIUM, cis="1.2.30")
def sa_extend_token_expiration(carrier: ControlPlane) -> Steps:
    """Disable the extension of token expiry.

    Problem: the API server extends tokens of pods to a year.

    Result: A token of a pod lives only as long as it says.

    Why: extended tokens live up to a year, so a leaked one stays useful long after the pod is gone.

    May break: an old client that never reads its token again fails after an hour; the audit annotation
    authentication.k8s.io/stale-token names them.
    """
    yield from by_table(carrier, "sa-extend-token-expiration")
