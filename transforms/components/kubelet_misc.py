from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="4.2.7", only_reports=True)
def kubelet_misc(carrier: ControlPlane | ComponentFile) -> Steps:
    """Review kubelet settings.

    Problem: the kubelet has a setting that needs a review.

    Result: Every setting of the kubelet was reviewed by its administrator.

    Why: unsafe sysctls, pods from a URL, another host name and unchecked private images each add a risk that depends on
    the rest of the node.

    May break: nothing, since it only reports.
    """
    yield from by_table(carrier, "kubelet-misc")
