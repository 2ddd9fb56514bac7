from __future__ import annotations

from hardener.carriers import ComponentFile, by_table
from hardener.declare import Steps, transform
from hardener.edits import Severity


@transform(each=ComponentFile, stage="components", severity=Severity.LOW)
def kubelet_debug(carrier: ComponentFile) -> Steps:
    """The kubelet serves neither profiles nor its own flags nor the node's logs.

    Why: these endpoints show what runs inside, let a client change the verbosity, and read system logs through the
    API.

    May break: debugging that uses them; kubectl exec and logs are not touched.
    """
    yield from by_table(carrier, "kubelet-debug")
