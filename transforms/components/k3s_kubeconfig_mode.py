from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.control_plane import ControlPlane

_KEY = "write-kubeconfig-mode"


@transform(each=ControlPlane, stage="components", severity=Severity.HIGH)
def k3s_kubeconfig_mode(carrier: ControlPlane) -> Steps:
    """Restrict the mode of the k3s kubeconfig.

    Problem: the administrator's kubeconfig is readable by more than root.

    Result: Only root can read the administrator's kubeconfig.

    Why: the file holds a key of cluster-admin, and every process of the host could read it.

    May break: people who call kubectl on the server without sudo; give them a kubeconfig of their own.
    """
    if carrier.object.group != "rancher" or not carrier.has(_KEY):
        return
    mode = str(carrier.get(_KEY))
    if mode.lstrip("0o") == "600":
        return
    found = verdict(known=[carrier.fact(f"{_KEY} is {mode}", _KEY)], basis=Basis.PROVED)
    after = ("restart k3s or rke2-server on the server, which writes the file anew",)
    yield carrier.set(_KEY, to="0600", follow_up=after, **found.words)
