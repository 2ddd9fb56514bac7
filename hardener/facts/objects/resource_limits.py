"""Objects of the tree that have a say in the requests and limits of others: autoscalers, LimitRanges, quotas."""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Neighbours
from hardener.tree.core_views import Object, OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_TARGET_OF = {
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): "targetRef",
    ("autoscaling", "HorizontalPodAutoscaler"): "scaleTargetRef",
}
_OF_A_NAMESPACE = (("", "LimitRange"), ("", "ResourceQuota"))


class ResourcePolicies(AsRead):
    """What of a tree binds a workload: autoscalers by their target, LimitRanges and quotas by namespace."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._by_target: dict[tuple[str, str, str], list[Object]] = {}
        self._by_place: dict[tuple[str, str, str], list[Object]] = {}
        self._near: dict[tuple[str, str, str], Neighbours] = {}
        for item in tree.objects:
            if (item.group, item.kind) in _TARGET_OF:
                self._file_by_target(item)
            elif (item.group, item.kind) in _OF_A_NAMESPACE:
                self._by_place.setdefault((item.kind, "folder", item.folder), []).append(item)
                for namespace in tree.ask(Builds).namespaces(item):
                    if namespace is not None:
                        self._by_place.setdefault((item.kind, "namespace", namespace), []).append(item)

    def _file_by_target(self, item: Object) -> None:
        reference = _TARGET_OF[item.group, item.kind]
        try:
            kind, name = (item.text("spec", reference, key) for key in ("kind", "name"))
        except WrongShapeError:
            return  # the API server refuses it, so it aims at nothing
        except OpaqueError:
            return  # at what it aims, nobody knows
        if kind and name:
            self._by_target.setdefault((item.kind, kind, name), []).append(item)

    @property
    def are_any(self) -> bool:
        """Whether the tree has any of them."""
        return bool(self._by_target or self._by_place)

    def vertical_autoscalers(self, workload: Object) -> list[Object]:
        """The VerticalPodAutoscalers that aim at ``workload``, whatever they do there."""
        return self._aiming_at(workload, "VerticalPodAutoscaler")

    def horizontal_autoscalers(self, workload: Object) -> list[Object]:
        """The HorizontalPodAutoscalers that aim at ``workload``."""
        return self._aiming_at(workload, "HorizontalPodAutoscaler")

    def limit_ranges(self, item: Object) -> list[Object]:
        """The LimitRanges in the namespace of ``item``; where one of the two names none, those of its folder."""
        return self._beside(item, "LimitRange")

    def quotas(self, item: Object) -> list[Object]:
        """The ResourceQuotas in the namespace of ``item``; where one of the two names none, those of its folder."""
        return self._beside(item, "ResourceQuota")

    def _aiming_at(self, workload: Object, kind: str) -> list[Object]:
        if not self._by_target:
            return []
        key = (kind, workload.kind, workload.name)
        if key not in self._by_target:
            return []
        if key not in self._near:
            self._near[key] = Neighbours(self._tree.ask(Builds), self._by_target[key])
        return self._near[key].meeting(workload)

    def _beside(self, item: Object, kind: str) -> list[Object]:
        if not self._by_place:
            return []
        builds = self._tree.ask(Builds)
        own = builds.namespaces(item)
        found = [each for name in own for each in self._by_place.get((kind, "namespace", name or ""), [])]
        for near in self._by_place.get((kind, "folder", item.folder), []):
            if None in own or None in builds.namespaces(near):
                found.append(near)
        return list(dict.fromkeys(found))
