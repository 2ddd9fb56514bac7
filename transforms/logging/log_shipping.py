from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.components.component import is_log_agent
from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE
from hardener.tree.control_plane import ControlPlane, components
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_CHARTS = (("spec", "chart"), ("spec", "chart", "spec", "chart"), ("spec", "source", "chart"))


@transform(each=ControlPlane, stage="logging", severity=Severity.LOW, absence=True, only_reports=True)
def log_shipping(plane: ControlPlane) -> Steps:
    """Send logs off the nodes.

    Problem: no manifest sends logs off the nodes.

    Result: Logs are stored outside the nodes that they are about.

    Why: whoever takes over a node can remove the logs on it, and the logs of a pod are deleted with the pod.

    May break: nothing, since it only reports: manifests do not say where the logs go, or how long they stay.
    """
    if not any(components(plane, "kube-apiserver")):
        return

    if any(map(is_log_agent, _names(plane.tree))):
        return
    text = "the tree configures an API server, and nothing in the tree sends logs away from its nodes"
    advice = (
        "run a log agent on every node (Fluent Bit, Vector, Grafana Alloy, the OpenTelemetry Collector) that"
        " sends the audit log and the logs of containers to a store of their own; perhaps one runs already, outside"
        " of this tree"
    )
    yield plane.finding(text, advice=advice, severity=Severity.LOW, once="log-shipping")


def _names(tree: Tree) -> Iterator[str]:
    """What the workloads and charts of the tree are called."""
    for pod in tree.pod_templates:
        yield pod.object.name
        for item in (*pod.items("initContainers"), *pod.items("containers")):
            yield item.text("image") or ""
    for group, kind in RENDERED_ELSEWHERE:
        for found in tree.of(group, kind):
            yield from _charts(found)


def _charts(item: Object) -> Iterator[str]:
    yield item.name
    for path in _CHARTS:
        if item.has(*path[:-1]):
            yield str(item.view(*path[:-1]).text(path[-1]) or "")
