from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM, cis="1.3.3")
def controller_credentials(carrier: ControlPlane) -> Steps:
    """Set use-service-account-credentials.

    Problem: all controllers share one account.

    Result: Each controller uses its own account.

    Why: with one identity for all, every controller has the rights of the strongest, and the audit log cannot tell
    them apart.

    May break: a controller whose role was removed by hand has no rights until the role is restored.
    """
    yield from by_table(carrier, "controller-credentials")
