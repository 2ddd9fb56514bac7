from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="1.2.15")
def component_profiling(carrier: ControlPlane | ComponentFile) -> Steps:
    """Disable profiling.

    Problem: the component serves profiles of itself.

    Result: The component serves no profiles of itself.

    Why: the profiling endpoints show what runs inside and cost time of the processor; nothing in normal operation
    asks for them.

    May break: a debugging session that takes profiles has to switch them on for its time.
    """
    yield from by_table(carrier, "component-profiling")
