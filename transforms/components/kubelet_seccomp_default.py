from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.14")
def kubelet_seccomp_default(carrier: ControlPlane | ComponentFile) -> Steps:
    """Set seccompDefault on the kubelet.

    Problem: the kubelet starts pods without a seccomp profile unconfined.

    Result: A pod without a seccomp profile gets that of the container runtime.

    Why: most container escapes begin with a system call that an application never makes.

    May break: a program that makes such a call fails; its pod has to set the profile Unconfined.
    """
    yield from by_table(carrier, "kubelet-seccomp-default")
