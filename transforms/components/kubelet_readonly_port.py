from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.HIGH, cis="4.2.4")
def kubelet_readonly_port(carrier: ControlPlane | ComponentFile) -> Steps:
    """Close the read-only port of the kubelet.

    Problem: the kubelet opens a port without a login.

    Result: The kubelet opens no port without a login.

    Why: port 10255 shows the specifications and metrics of all pods of the node to whoever reaches it.

    May break: programs that read metrics at port 10255 have to ask port 10250 with a token.
    """
    yield from by_table(carrier, "kubelet-readonly-port")
