from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import HOSTED, Component, ControlPlane, components, how, signs

_FLAG = "anonymous-auth"


@transform(each=ControlPlane, stage="authentication", severity=Severity.HIGH, cis="1.2.1")
def apiserver_anonymous_off(carrier: ControlPlane) -> Steps:
    """Disable anonymous requests.

    Problem: the API server accepts anonymous requests.

    Result: The API server refuses anonymous requests.

    Why: one wrong binding to system:anonymous or system:unauthenticated opens the cluster to the network.

    May break: probes, load balancers and kubeadm join send anonymous requests; a probe that is refused restarts the
    server again and again.
    """
    for server in components(carrier, "kube-apiserver"):
        by_itself = server.installer in ("static-pod", HOSTED)
        if server.value(_FLAG) == "true" and by_itself and not signs.probed_over_http(server):
            yield from _one(server)
        elif server.get(_FLAG) == "true" and server.installer in ("k3s", "rke2", "talos", "kops"):
            yield from _one(server)  # they switch it off themselves, and ask with a name


def _one(server: Component) -> Steps:
    if server.get("authentication-config") is not None:
        return
    asks = Evidence("anonymous health checks are refused")
    basis = Basis.PROVED if server.get(_FLAG) else Basis.INFERRED
    before = "make the load balancer check the servers over TCP, or with a certificate"
    words = how(server, server.state(_FLAG), against=[asks], basis=basis, requires=(before,))
    yield server.set(_FLAG, "false", words)
