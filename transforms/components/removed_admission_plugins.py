from __future__ import annotations

from hardener.carriers import ControlPlane, by_table
from hardener.declare import Steps, transform
from hardener.edits import Severity


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM, cis="1.2.10")
def removed_admission_plugins(carrier: ControlPlane) -> Steps:
    """The API server names no admission plugin that admits everything or that is gone.

    Why: AlwaysAdmit checks nothing, and the server does not start with the name of a plugin that was removed.

    May break: nothing: a server of this version does nothing with these names, or does not start.
    """
    yield from by_table(carrier, "removed-admission-plugins")
