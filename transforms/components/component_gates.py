from __future__ import annotations

from hardener.carriers import ComponentFile, ControlPlane, by_table
from hardener.declare import Steps, transform
from hardener.edits import Severity


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW)
def component_gates(carrier: ControlPlane | ComponentFile) -> Steps:
    """A component is given its features one by one.

    Why: AllAlpha and AllBeta switch on what nobody promises to be safe, and each upgrade adds to it.

    May break: nothing, since it only reports.
    """
    yield from by_table(carrier, "component-gates")
