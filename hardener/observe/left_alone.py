"""Which pods are not run at all, whatever an engine can do, and where what is said of a pod is written."""

from __future__ import annotations

from hardener.observe.pod_steps import DecidedPod
from hardener.observe.supported_fields import unsupported
from hardener.support.data_path import Path, value_at
from hardener.support.shapes import mapping
from hardener.tree.core_views import PodTemplate

# Containers that are left alone whole: a copy, a patch, a part of the control plane.
_NOT_RUN = {
    "patch": "it is a patch of another object", "owned": "its owner makes it", "static-pod": "it needs the node",
    "control-plane": "it needs the node", "windows": "it is a pod for Windows", "node-agent": "it needs the node",
    "partial": "its operator makes the pod",
}  # fmt: skip


def cannot_run(pod: PodTemplate) -> str | None:
    """Why ``pod`` is none that an engine runs, by what is written there; None where it can be."""
    return left_alone(pod) or unsupported(DecidedPod(pod, []).spec(), pod.metadata.data)


def place_of(pod: PodTemplate, path: Path) -> str:
    """Where what stands at ``path`` of a pod is written: "k8s/web.yaml:14, container main"."""
    piece = pod.object.piece
    start = pod.path[:-1] if path[:1] == ("metadata",) else pod.path
    found = f"{piece.file.name}:{piece.source.line_of(piece.read(), (*start, *path))}"
    container = mapping(value_at(pod.data, path[:2])) if path[:1] in (("containers",), ("initContainers",)) else {}
    return f"{found}, container {container['name']}" if container.get("name") else found


def left_alone(pod: PodTemplate) -> str | None:
    """Why nobody runs ``pod``, whatever its spec says; None where somebody may."""
    return next((text for kind, text in _NOT_RUN.items() if kind in pod.classes), None)
