from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.6")
def kubelet_iptables(carrier: ControlPlane | ComponentFile) -> Steps:
    """The kubelet keeps the packet-filter chains that kube-proxy relies on.

    Why: without them rules for packets of Services may be missing after a flush of the tables.

    May break: a node whose tables are kept by something else.
    """
    yield from by_table(carrier, "kubelet-iptables")
