"""Programs of the tree that may make pods by themselves (runners of builds, operators): in a namespace of theirs the
tree does not show all pods, so that nothing may refuse there."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Binding
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.rbac.subjects import GROUP
from hardener.tree.core_views import PodTemplate
from hardener.tree.fact import Live
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError

# What pods come of, by API group.
_RESOURCES = (
    ("", "pods"), ("", "replicationcontrollers"), ("apps", "deployments"), ("apps", "statefulsets"),
    ("apps", "daemonsets"), ("apps", "replicasets"), ("batch", "jobs"), ("batch", "cronjobs"),
)  # fmt: skip
_BUILT_IN = frozenset({"cluster-admin", "admin", "edit"})  # roles that no manifest shows


class PodMakers(Live, dict[str | None, list[Evidence]]):
    """Who may make pods, by namespace; the roles and bindings of the run count.

    Rights in the whole cluster count where their holder runs, and only where they name pods: what deployers and
    operators make elsewhere, their own objects there tell. ``possible`` and ``by_pod``, by namespace and by who may,
    hold those with rights to everything as well: a policy may not cut the pods that such a one makes beside itself.
    """

    OF_RIGHTS = True

    def __init__(self, tree: Tree) -> None:
        self.by_pod: dict[PodTemplate, Evidence] = {}
        self.possible: dict[str | None, list[Evidence]] = {}
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for item in tree.of(GROUP, kind):
                if "patch" in item.classes:
                    continue
                for pod, name, fact, named in _of(tree, Binding(item, item.path, item.data)):
                    if named:
                        self.setdefault(name, []).append(fact)
                    self.possible.setdefault(name, []).append(fact)
                    self.by_pod.setdefault(pod, fact)


def _of(tree: Tree, binding: Binding) -> Iterator[tuple[PodTemplate, str | None, Evidence, bool]]:
    """Who may make pods by ``binding``, where, why, and whether its rights name what pods come of."""
    try:
        holders = [pod for subject in binding.subjects for pod in tree.ask(Access).pods(binding, subject)]
        if not holders or not _makes_pods(binding):
            return
        named = binding.namespaced or any("pods" in rule.resources for rule in binding.rules)
    except (OpaqueError, WrongShapeError):
        return
    for pod in holders:
        item = binding.object if binding.namespaced else pod.object
        for name in tree.ask(Builds).namespaces(item):
            text = f"{binding.object} lets {pod.object} make pods that the tree does not show"
            yield pod, name, binding.fact(text), named


def _makes_pods(binding: Binding) -> bool:
    rules = binding.rules
    if _may_take_in_more(binding):
        return True
    if not binding.roles:
        return binding.role_kind == "ClusterRole" and binding.role_name in _BUILT_IN
    if not binding.namespaced:
        return any(rule.covers("", "pods", "create") for rule in rules)
    return any(rule.covers(group, resource, "create") for rule in rules for group, resource in _RESOURCES)


def _may_take_in_more(binding: Binding) -> bool:
    """Whether a controller copies rules into a role of ``binding`` that no role of the tree, or of every cluster, has:
    these may be any."""
    access = binding.tree.ask(Access)
    return any(role.is_aggregated and access.parts(role.object).open for role in binding.roles)
