from __future__ import annotations

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Grade, Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.components.kernel_settings import DROP_IN, INSTALL, NAME
from hardener.tree.control_plane import ControlPlane, signs

_KEY = "protect-kernel-defaults"


@transform(each=ControlPlane, stage="components", severity=Severity.LOW)
def k3s_protect_kernel(carrier: ControlPlane) -> Steps:
    """A k3s or RKE2 node does not start with kernel settings that differ from what it needs.

    Why: a drift from the settings of the hardened node image becomes visible.

    May break: the node does not start without the settings in the drop-in for sysctl that is written beside the
    change.
    """
    if signs.rancher(carrier) is None or carrier.get(_KEY) is True or carrier.has("profile"):
        return
    why = Evidence("without the drop-in the node does not start")
    edits: list[Edit] = []
    for item in carrier.host_file(NAME, DROP_IN, grade=Grade.BREAKING, evidence=[why], requires=(INSTALL,)):
        if isinstance(item, Finding):
            yield item
            return
        edits.append(item)
    change = carrier.set(
        _KEY, to=True, grade=Grade.BREAKING, basis=Basis.PROVED,
        evidence=[carrier.fact(f"{_KEY} is not on"), why], requires=(INSTALL,),
        follow_up=("restart k3s or RKE2, one node after the other",), impact="kernel-settings",
    )  # fmt: skip
    yield [change, *edits]
