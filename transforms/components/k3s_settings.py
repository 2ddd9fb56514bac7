from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, signs


@transform(each=ControlPlane, stage="components", severity=Severity.CRITICAL, only_reports=True)
def k3s_settings(carrier: ControlPlane) -> Steps:
    """Remove the token and use the CIS profile (k3s, RKE2).

    Problem: the configuration holds a token or asks for no CIS profile.

    Result: The configuration holds no token and asks for the CIS profile.

    Why: whoever reads the token can add a server to the cluster and read its Secrets; the CIS profile of RKE2 checks
    the host at each start.

    May break: nothing, since it only reports.
    """
    which = signs.rancher(carrier)
    if which is None:
        return
    for key in ("token", "agent-token"):
        if carrier.text(key):
            joins = "server" if key == "token" and which.endswith("server") else "node"
            text = f"the file holds {key}: whoever reads it can join the cluster as a {joins}"
            advice = f"treat it as leaked: rotate it (k3s token rotate), and name a file with {key}-file"
            yield carrier.finding(text, key, severity=Severity.CRITICAL, advice=advice)
    if which == "rke2 server" and not carrier.has("profile"):
        advice = "make the user etcd and copy rke2-cis-sysctl.conf to /etc/sysctl.d, then set profile: cis"
        yield carrier.finding("no CIS profile: RKE2 does not check its hosts", severity=Severity.LOW, advice=advice)
