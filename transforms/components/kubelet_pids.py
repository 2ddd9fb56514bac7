from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.13")
def kubelet_pids(carrier: ControlPlane | ComponentFile) -> Steps:
    """Set podPidsLimit.

    Problem: the kubelet has no limit for processes of a pod.

    Result: A pod starts at most 4096 processes.

    Why: one pod can otherwise use up the node's process table and stop everything on it.

    May break: a pod with more processes and threads than that.
    """
    yield from by_table(carrier, "kubelet-pids")
