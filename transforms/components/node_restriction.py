from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, components

from ._plugins import added


@transform(each=ControlPlane, stage="components", severity=Severity.HIGH, cis="1.2.14")
def node_restriction(carrier: ControlPlane) -> Steps:
    """Enable NodeRestriction.

    Problem: a node can change other nodes and their pods.

    Result: A node can change only itself and its pods.

    Why: the credentials of one kubelet could otherwise label nodes, and so move the pods and Secrets of others to its
    own node.

    May break: a node agent that labels nodes with reserved names through the credentials of its kubelet.
    """
    for server in components(carrier, "kube-apiserver"):
        yield from added(server, "NodeRestriction")
