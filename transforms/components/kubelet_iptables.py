from __future__ import annotations

from hardener.carriers import ComponentFile, ControlPlane, by_table
from hardener.declare import Steps, transform
from hardener.edits import Severity


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.6")
def kubelet_iptables(carrier: ControlPlane | ComponentFile) -> Steps:
    """The kubelet keeps the packet-filter chains that kube-proxy relies on.

    Why: without them rules for packets of Services may be missing after a flush of the tables.

    May break: a node whose tables are kept by something else.
    """
    yield from by_table(carrier, "kubelet-iptables")
