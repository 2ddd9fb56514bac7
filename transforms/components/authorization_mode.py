from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import Component, ControlPlane, components, how

_FLAG = "authorization-mode"


@transform(each=ControlPlane, stage="components", severity=Severity.CRITICAL, cis="1.2.6")
def authorization_mode(carrier: ControlPlane) -> Steps:
    """Set authorization modes Node and RBAC.

    Problem: the API server does not check the rights of its callers properly.

    Result: The API server checks a caller's rights before it does what the caller asks.

    Why: AlwaysAllow makes every caller with a name an administrator; Node and RBAC limit kubelets to their own objects
    and everyone else to their roles.

    May break: callers without a role lose their access.
    """
    if carrier.object.group == "kops.k8s.io" and carrier.has("spec", "authorization", "alwaysAllow"):
        text = "every authenticated caller is an administrator"
        advice = "write authorization: {rbac: {}}, once every user has a role"
        yield carrier.finding(text, "spec", "authorization", "alwaysAllow", advice=advice, severity=Severity.CRITICAL)
    for server in components(carrier, "kube-apiserver"):
        if server.get("authorization-config") is None and server.can(_FLAG):
            yield from _one(server)


def _one(server: Component) -> Steps:
    modes = server.entries(_FLAG)
    if "ABAC" in modes:
        text = "ABAC rules are in a file, and a change needs a restart"
        advice = "write them as roles, then remove ABAC from --authorization-mode"
        yield server.finding(text, _FLAG, severity=Severity.MEDIUM, advice=advice)
        return
    if not modes or ("AlwaysAllow" not in modes and "Node" in modes and "RBAC" in modes):
        return
    # The order of the others stays: the first that says yes or no decides.
    new = [mode for mode in modes if mode != "AlwaysAllow"]
    if "RBAC" not in new:
        new.insert(new.index("Node") + 1 if "Node" in new else 0, "RBAC")
    if "Node" not in new:
        new.insert(0, "Node")
    # Node and RBAC beside others only add; without AlwaysAllow rights go, those of whoever would revert among them.
    lost = Evidence("pods and people whose roles the tree does not show lose their rights")
    against = [lost] if "AlwaysAllow" in modes else []
    see = "check that administrators have a role first: kubectl get clusterrolebindings -o wide"
    basis = Basis.PROVED if server.get(_FLAG) is not None else Basis.INFERRED
    words = how(server, server.state(_FLAG), against=against, basis=basis, requires=(see,))
    yield server.set(_FLAG, ",".join(new), words)
