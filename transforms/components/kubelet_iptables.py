from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.6")
def kubelet_iptables(carrier: ControlPlane | ComponentFile) -> Steps:
    """Enable the iptables chains of the kubelet.

    Problem: the kubelet does not manage the iptables chains that kube-proxy needs.

    Result: The kubelet keeps the iptables chains that kube-proxy needs.

    Why: without them rules for packets of Services may be missing after a flush of the tables.

    May break: a node on which another program manages these chains.
    """
    yield from by_table(carrier, "kubelet-iptables")
