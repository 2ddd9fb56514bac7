from __future__ import annotations

from hardener.carriers import ComponentFile, ControlPlane, by_table
from hardener.declare import Steps, transform
from hardener.edits import Severity


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.HIGH, cis="4.2.4")
def kubelet_readonly_port(carrier: ControlPlane | ComponentFile) -> Steps:
    """The kubelet opens no port without a login.

    Why: port 10255 shows the specifications and metrics of all pods of the node to whoever reaches it.

    May break: what reads metrics at port 10255 has to ask port 10250 with a token.
    """
    yield from by_table(carrier, "kubelet-readonly-port")
