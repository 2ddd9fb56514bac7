"""Programs of the tree that may make pods by themselves (runners of builds, operators): in a namespace of theirs the
tree does not show all pods, so that nothing may refuse there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Binding
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.rbac import GROUP
from hardener.tree.core_views import PodTemplate
from hardener.tree.fact import Live
from hardener.tree.view import OpaqueError

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

# What pods come of, by API group.
_RESOURCES = (
    ("", "pods"), ("", "replicationcontrollers"), ("apps", "deployments"), ("apps", "statefulsets"),
    ("apps", "daemonsets"), ("apps", "replicasets"), ("batch", "jobs"), ("batch", "cronjobs"),
)  # fmt: skip
_BUILT_IN = frozenset({"cluster-admin", "admin", "edit"})  # roles that no manifest shows


class PodMakers(Live, dict[str | None, list[Evidence]]):
    """Who may make pods, by namespace; the roles and bindings of the run count.

    Rights in the whole cluster count where their holder runs, and only where they hold for pods: what deployers and
    operators make elsewhere, their own objects there tell. ``by_pod`` says of each that may, why.
    """

    def __init__(self, tree: Tree) -> None:
        self.by_pod: dict[PodTemplate, Evidence] = {}
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for item in tree.of(GROUP, kind):
                if "patch" in item.classes:
                    continue
                for pod, name, fact in _of(tree, Binding(item, item.path, item.data)):
                    self.setdefault(name, []).append(fact)
                    self.by_pod.setdefault(pod, fact)


def _of(tree: Tree, binding: Binding) -> Iterator[tuple[PodTemplate, str | None, Evidence]]:
    try:
        holders = [pod for subject in binding.subjects for pod in tree.ask(Access).pods(binding, subject)]
        if not holders or not _makes_pods(tree, binding):
            return
    except (OpaqueError, WrongShapeError):
        return
    for pod in holders:
        item = binding.object if binding.namespaced else pod.object
        for name in tree.ask(Builds).namespaces(item):
            yield pod, name, binding.fact(f"{binding.object} lets {pod.object} make pods that the tree does not show")


def _makes_pods(tree: Tree, binding: Binding) -> bool:
    roles = tree.ask(Access).roles(binding)
    if not roles:
        return binding.namespaced and binding.role_kind == "ClusterRole" and binding.role_name in _BUILT_IN
    rules = [rule for role in roles for _, rule in role.rules]
    if not binding.namespaced:
        return any(rule.covers("", "pods", "create") for rule in rules)
    return any(rule.covers(group, resource, "create") for rule in rules for group, resource in _RESOURCES)
