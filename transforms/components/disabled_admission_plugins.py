from __future__ import annotations

from hardener.carriers import ControlPlane, by_table
from hardener.declare import Steps, transform
from hardener.edits import Severity


@transform(each=ControlPlane, stage="components", severity=Severity.HIGH, cis="1.2.12")
def disabled_admission_plugins(carrier: ControlPlane) -> Steps:
    """The API server runs the admission plugins that the cluster relies on.

    Why: without them a pod can use an account that does not exist, a node can change others, and policies bind
    nobody.

    May break: requests that were let through and are refused from now on.
    """
    yield from by_table(carrier, "disabled-admission-plugins")
