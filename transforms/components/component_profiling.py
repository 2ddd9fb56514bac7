from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="1.2.15")
def component_profiling(carrier: ControlPlane | ComponentFile) -> Steps:
    """Disable profiling.

    Problem: the component serves profiles of itself.

    Result: The component serves no profiles of itself.

    Why: the profiling endpoints show internals of the component and use CPU time; normal operation does not need them.

    May break: to take profiles while you debug, enable them for that time.
    """
    yield from by_table(carrier, "component-profiling")
