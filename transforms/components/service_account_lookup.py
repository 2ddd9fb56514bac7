from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM, cis="1.2.21")
def service_account_lookup(carrier: ControlPlane) -> Steps:
    """Enable service-account-lookup.

    Problem: the API server accepts tokens of deleted accounts.

    Result: The API server checks whether the account of a token still exists.

    Why: without the look-up the token of a deleted account is valid until it expires.

    May break: only clients that use such a token are refused.
    """
    yield from by_table(carrier, "service-account-lookup")
