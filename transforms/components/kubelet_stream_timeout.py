from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="4.2.5")
def kubelet_stream_timeout(carrier: ControlPlane | ComponentFile) -> Steps:
    """A connection of exec or logs that stands idle ends.

    Why: without a limit forgotten shells stay open for good and use up the ports of the node.

    May break: nothing: current kubelets read the field no more and end them after four hours.
    """
    yield from by_table(carrier, "kubelet-stream-timeout")
