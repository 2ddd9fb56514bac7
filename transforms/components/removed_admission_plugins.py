from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM, cis="1.2.10")
def removed_admission_plugins(carrier: ControlPlane) -> Steps:
    """Remove obsolete admission plugins.

    Problem: the API server names an admission plugin that admits everything or no longer exists.

    Result: Every admission plugin of the API server exists and checks requests.

    Why: AlwaysAdmit checks nothing, and the server does not start with the name of a plugin that was removed.

    May break: nothing: a server of this version ignores these names, or does not start.
    """
    yield from by_table(carrier, "removed-admission-plugins")
