from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="4.2.11")
def kubelet_rotate_gate(carrier: ControlPlane | ComponentFile) -> Steps:
    """Enable rotation of kubelet server certificates.

    Problem: the component switches the rotation of kubelet server certificates off.

    Result: Kubelet server certificates can be renewed.

    Why: the gate is on since Kubernetes 1.12; switching it off leaves kubelets with certificates that expire or are
    self-signed.

    May break: nothing where rotation is not used.
    """
    yield from by_table(carrier, "kubelet-rotate-gate")
