from __future__ import annotations

from hardener.carriers import ComponentFile, ControlPlane, by_table
from hardener.declare import Steps, transform
from hardener.edits import Severity


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.13")
def kubelet_pids(carrier: ControlPlane | ComponentFile) -> Steps:
    """A pod starts at most 4096 processes.

    Why: one pod can otherwise use up the node's process table and stop everything on it.

    May break: a pod with more processes and threads than that.
    """
    yield from by_table(carrier, "kubelet-pids")
