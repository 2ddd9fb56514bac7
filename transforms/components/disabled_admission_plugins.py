from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="components", severity=Severity.HIGH, cis="1.2.12")
def disabled_admission_plugins(carrier: ControlPlane) -> Steps:
    """Enable the required admission plugins.

    Problem: the API server runs without a required admission plugin.

    Result: The API server runs the admission plugins that the cluster relies on.

    Why: without them a pod can use an account that does not exist, a node can change other nodes, and policies are not
    enforced.

    May break: requests that were accepted until now may be refused.
    """
    yield from by_table(carrier, "disabled-admission-plugins")
