from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="4.2.5")
def kubelet_stream_timeout(carrier: ControlPlane | ComponentFile) -> Steps:
    """Set an idle timeout for kubelet streams.

    Problem: idle connections of exec or logs never end.

    Result: Idle connections of exec or logs end.

    Why: with the flag at 0, forgotten shells stay open forever and use up the ports of the node. In a
    KubeletConfiguration, 0 means the default of four hours, so harden leaves the file as it is.

    May break: nothing but a session that is idle for four hours.
    """
    yield from by_table(carrier, "kubelet-stream-timeout")
