from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, only_reports=True)
def component_gates(carrier: ControlPlane | ComponentFile) -> Steps:
    """Name feature gates one by one.

    Problem: the component enables all alpha or beta features at once.

    Result: The component enables its feature gates one by one.

    Why: AllAlpha and AllBeta switch on features that are not finished, and each upgrade adds more.

    May break: nothing, since it only reports.
    """
    yield from by_table(carrier, "component-gates")
