"""What the tree shows of each namespace, and what in it points at pods that the tree does not show."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hardener.edits import Evidence, WrongShapeError
from hardener.kubernetes.rendered import RENDERED_ELSEWHERE
from hardener.pod_class import SYSTEM_NAMESPACES
from hardener.views import Namespace, Object, PodTemplate

if TYPE_CHECKING:
    from hardener.workspace import Workspace

# Objects without a namespace, so that naming none says nothing.
_CLUSTER_SCOPED = frozenset({"Namespace", "ClusterRole", "ClusterRoleBinding", "SecurityContextConstraints"})


def collect(workspace: Workspace) -> dict[str | None, Namespace]:
    """The namespaces that the tree declares or names, by name; None holds the objects that name none.

    An object that names no namespace belongs to the one that the kustomization beside it sets.
    """
    declared = {item.name: item for item in workspace.objects if (item.group, item.kind) == ("", "Namespace")}
    objects: dict[str | None, list[Object]] = {name: [] for name in declared}
    pods: dict[str | None, list[PodTemplate]] = {}
    for item in workspace.objects:
        if item.kind not in _CLUSTER_SCOPED and not item.classes:
            objects.setdefault(namespace_of(workspace, item), []).append(item)
    for pod in workspace.pod_templates:
        if not pod.object.classes:
            pods.setdefault(namespace_of(workspace, pod.object), []).append(pod)
    return {
        name: Namespace(name, declared.get(name or ""), members, pods.get(name, []))
        for name, members in objects.items()
    }


def namespace_of(workspace: Workspace, item: Object) -> str | None:
    """The namespace of an object: its own, else that of the kustomization in its folder, else None."""
    if item.namespace is not None:
        return item.namespace
    kustomization = workspace.kustomizations.get(os.path.dirname(item.piece.file.path))
    named = kustomization.text("namespace") if kustomization is not None else None
    return named or None


def is_shared(name: str | None) -> bool:
    """Whether others than this tree live in the namespace: no name, ``default``, those of the system."""
    return name is None or name == "default" or name.startswith(("kube-", "openshift-")) or name in SYSTEM_NAMESPACES


def unseen_sources(namespace: Namespace) -> list[Evidence]:
    """What points at pods of ``namespace`` that the tree does not show (DECISIONS 2.6): objects that a controller
    renders into workloads, and Services without a workload."""
    found = []
    workspace = namespace.tree
    for item in workspace.objects:
        if (item.group, item.kind) in RENDERED_ELSEWHERE and namespace.name in _targets(item):
            found.append(item.fact(f"{item} renders workloads that the tree does not show"))
        elif item.kind == "Service" and namespace_of(workspace, item) == namespace.name:
            try:
                lonely = bool(item.keys("spec", "selector")) and not workspace.relations.selected_pods(item)
            except WrongShapeError:
                lonely = True
            if lonely:
                found.append(item.fact(f"{item} selects no workload of the tree"))
    return found


def _targets(item: Object) -> set[str | None]:
    return {
        item.namespace,
        item.text("spec", "targetNamespace"),
        item.text("spec", "destination", "namespace"),
        item.text("spec", "template", "spec", "destination", "namespace"),
    }


def is_alone(namespace: Namespace) -> bool:
    """Whether the tree holds its Namespace object and nothing else that names it, and no other such one (k05)."""
    workspace = namespace.tree
    alone = [
        space for space in workspace.namespaces.values()
        if space.declared and not space.objects and not workspace.named_namespaces[space.name or ""]
    ]  # fmt: skip
    return alone == [namespace] and not unseen_sources(namespace)
