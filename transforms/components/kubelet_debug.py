from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, by_table


@transform(each=ComponentFile, stage="components", severity=Severity.LOW)
def kubelet_debug(carrier: ComponentFile) -> Steps:
    """Disable debug endpoints of the kubelet.

    Problem: the kubelet serves profiles, its flags or logs of the node.

    Result: The kubelet serves neither profiles nor its own flags nor the node's logs.

    Why: these endpoints show internals of the kubelet, let a client change the verbosity, and give access to system
    logs.

    May break: debugging that uses them; kubectl exec and logs still work.
    """
    yield from by_table(carrier, "kubelet-debug")
