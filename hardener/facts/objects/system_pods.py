"""Pods of the namespaces of the system, which its installer made."""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.authoring.transform import Transform
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.side_containers import is_known, is_side_container
from hardener.kubernetes.components.component import is_static_control_plane_name
from hardener.kubernetes.pods.platform_pods import is_platform_pod
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.pod_kind import SYSTEM_NAMESPACES
from hardener.tree.tree import Tree

# The risks for which a pod of a system namespace is an application where its images are known: its workload itself, and
# the token that it mounts. Source: design decision 4.
_OF_APPLICATIONS = ("K01", "K09")


class SystemPods(AsRead):
    """Looked up once for an object, since each transform asks."""

    def __init__(self, tree: Tree) -> None:
        self._builds = tree.ask(Builds)
        self._signs: dict[Object, str | None] = {}
        self._applications: dict[PodTemplate, bool] = {}

    def sign(self, item: Object) -> str | None:
        """What says that ``item`` comes out in a namespace of the system; None where nothing does."""
        if item not in self._signs:
            names = [name for name in self._builds.namespaces(item) if name in SYSTEM_NAMESPACES]
            self._signs[item] = f"namespace {names[-1]}" if names else None
        return self._signs[item]

    def classes_of(self, pod: PodTemplate) -> dict[str, str]:
        """The classes of ``pod``, and "system-namespace" where it comes out in one; each with its sign."""
        item = pod.object
        sign = self._signs[item] if item in self._signs else self.sign(item)
        return pod.classes if sign is None else {**pod.classes, "system-namespace": sign}

    def is_of_platform(self, pod: PodTemplate) -> bool:
        """Whether ``pod`` is one that the installer of a cluster makes, by all that it holds."""
        item = pod.object
        try:
            images = [each.image.normalized if each.image else None for each in pod.containers]
        except (OpaqueError, WrongShapeError):
            return False
        return is_platform_pod((item.kind, item.namespace or "", item.name), pod.data, images)

    def barrier(self, transform: Transform, target: View, pod: PodTemplate) -> str | None:
        """The class of ``pod`` for which ``transform`` leaves ``target``, the pod or a container of it, as it is; None
        where it may change it."""
        return next((name for name in self.classes_of(pod) if self._stops(name, transform, target, pod)), None)

    def _stops(self, name: str, transform: Transform, target: View, pod: PodTemplate) -> bool:
        if name in transform.classes:
            return False
        if name == "system-namespace":
            return transform.risk not in _OF_APPLICATIONS or not self._is_application(pod)
        if name == "node-agent" and transform.risk == "K01" and isinstance(target, Container):
            return not is_side_container(target)
        return True

    def _is_application(self, pod: PodTemplate) -> bool:
        """Whether ``pod`` is no part of the control plane, and the images of all its containers are known."""
        if pod not in self._applications:
            try:
                found = bool(pod.containers) and all(map(is_known, pod.containers)) and not _is_control_plane(pod)
            except (OpaqueError, WrongShapeError):
                found = False
            self._applications[pod] = found
        return self._applications[pod]


def _is_control_plane(pod: PodTemplate) -> bool:
    if pod.labels.get("tier") == "control-plane":
        return True
    names = [container.image.name for container in pod.containers if container.image]
    return any(is_static_control_plane_name(name) or name == "cloud-controller-manager" for name in names)


def classes_of(pod: PodTemplate) -> dict[str, str]:
    """What ``SystemPods`` of its tree says of ``pod``."""
    return pod.tree.ask(SystemPods).classes_of(pod)
