from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="components", severity=Severity.HIGH)
def flag_remove_noop(carrier: ControlPlane) -> Steps:
    """Remove flags that no longer exist.

    Problem: the component has a flag that its version does not know.

    Result: Every flag of the component is known to its version.

    Why: a component does not start with a flag that it does not know, and the flags of the old insecure port ask for an
    API without a login.

    May break: clients of the insecure port, which the server has not opened since Kubernetes 1.20.
    """
    yield from by_table(carrier, "flag-remove-noop")
