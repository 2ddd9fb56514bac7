"""Pods of the namespaces of the system, which its installer made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardener.facts.kustomize.builds import Builds
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.pod_kind import SYSTEM_NAMESPACES

if TYPE_CHECKING:
    from hardener.tree.tree import Tree


class SystemPods(AsRead):
    """Looked up once for an object, since each transform asks."""

    def __init__(self, tree: Tree) -> None:
        self._builds = tree.ask(Builds)
        self._signs: dict[Object, str | None] = {}

    def sign(self, item: Object) -> str | None:
        """What says that ``item`` comes out in a namespace of the system; None where nothing does."""
        if item not in self._signs:
            names = [name for name in self._builds.namespaces(item) if name in SYSTEM_NAMESPACES]
            self._signs[item] = f"namespace {names[-1]}" if names else None
        return self._signs[item]

    def classes_of(self, pod: PodTemplate) -> dict[str, str]:
        """The classes of ``pod``, and "system-namespace" where it comes out in one; each with its sign."""
        sign = self.sign(pod.object)
        return pod.classes if sign is None else {**pod.classes, "system-namespace": sign}


def classes_of(pod: PodTemplate) -> dict[str, str]:
    """What ``SystemPods`` of its tree says of ``pod``."""
    return pod.tree.ask(SystemPods).classes_of(pod)
