from __future__ import annotations

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.kubernetes.components.kernel_settings import DROP_IN, INSTALL, NAME
from hardener.tree.control_plane import ControlPlane, signs

_KEY = "protect-kernel-defaults"


@transform(each=ControlPlane, stage="components", severity=Severity.LOW)
def k3s_protect_kernel(carrier: ControlPlane) -> Steps:
    """Set protect-kernel-defaults (k3s, RKE2).

    Problem: the node starts even with wrong kernel settings.

    Result: The node does not start with kernel settings that differ from what it needs.

    Why: a drift from the settings of the hardened node image becomes visible.

    May break: the node does not start without the sysctl settings of the drop-in file that harden writes with the
    change.
    """
    if signs.rancher(carrier) is None or carrier.get(_KEY) is True or carrier.has("profile"):
        return
    stops = Evidence("without the drop-in the node does not start")
    drop_in = verdict(against=[stops], basis=Basis.ASSUMED)
    edits: list[Edit] = []
    for item in carrier.host_file(NAME, DROP_IN, requires=(INSTALL,), **drop_in.words):
        if isinstance(item, Finding):
            yield item
            return
        edits.append(item)
    found = verdict(why=[carrier.fact(f"{_KEY} is not on")], against=[stops], basis=Basis.PROVED)
    after = ("restart k3s or RKE2, one node after the other",)
    change = carrier.set(_KEY, to=True, requires=(INSTALL,), follow_up=after, impact="kernel-settings", **found.words)
    yield [change, *edits]
