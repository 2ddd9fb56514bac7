"""Control planes that run as workloads of another cluster: what containers run of one, and where its API server is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardener.authoring.edits import WrongShapeError
from hardener.kubernetes.components.flag_values import CONTROL_PLANE, called, started
from hardener.support.shapes import texts
from hardener.tree.fact import AsRead
from hardener.tree.view import OpaqueError

if TYPE_CHECKING:
    from hardener.tree.core_views import Container, Object, PodTemplate
    from hardener.tree.tree import Tree

HOSTING = ("Deployment", "StatefulSet", "ReplicaSet")
"""Kinds of the group apps in which a control plane runs that no kubelet starts from a file."""

_API_SERVER = "kube-apiserver"


class ApiServers(AsRead):
    """The places in which workloads of the tree run API servers: namespaces, or folders where none is written."""

    def __init__(self, tree: Tree) -> None:
        self._places = {
            _place(pod.object)
            for pod in tree.pod_templates
            if pod.kind in HOSTING and any(component_of(each) == _API_SERVER for each in readable(pod))
        }

    def beside(self, item: Object) -> bool:
        """Whether a workload in the same place as ``item`` runs an API server."""
        return _place(item) in self._places


def component_of(container: Container) -> str | None:
    """The part of a control plane that ``container`` runs; None for anything else."""
    command, args = texts(container.data.get("command")), texts(container.data.get("args"))
    image = container.image.name if container.image else None
    name = started(command) or called(command, args) or (None if command else image)
    return name if name in CONTROL_PLANE else None


def readable(pod: PodTemplate) -> tuple[Container, ...]:
    """The containers of ``pod`` that are no init containers; none where they have a shape that no API server takes."""
    try:
        return tuple(container for container in pod.containers if not container.init)
    except (OpaqueError, WrongShapeError):
        return ()


def _place(item: Object) -> str:
    return item.namespace or f"/{item.piece.file.path.rpartition('/')[0]}"
