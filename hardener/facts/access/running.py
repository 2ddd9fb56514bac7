"""Which pods of the tree run as accounts of one name, by the namespaces that they come out in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Neighbours
from hardener.kubernetes.rbac.subjects import DEFAULT
from hardener.tree.core_views import Object, PodTemplate


class Pods(tuple[PodTemplate, ...]):
    """The pod templates that run as an account; one value for all who ask for those of the same account."""

    @cached_property
    def objects(self) -> tuple[str, ...]:
        """What they belong to, once each."""
        return tuple(dict.fromkeys(str(pod.object) for pod in self))


class Runs:
    """The objects whose pods run as accounts of one name: ``pods`` by object, and objects by the namespaces that they
    come out in or name; ``unset`` are those that may come out in any."""

    def __init__(self, builds: Builds, pods: dict[Object, list[PodTemplate]]) -> None:
        self.pods = pods
        self.by_namespace: dict[str, list[Object]] = {}
        self.unset: list[Object] = []
        for item in pods:
            spaces = dict.fromkeys((*builds.known_namespaces(item), item.namespace))
            for space in filter(None, spaces):
                self.by_namespace.setdefault(space, []).append(item)
            if None in builds.known_namespaces(item):
                self.unset.append(item)
        self.near = Neighbours(builds, pods)
        self.near_unset = Neighbours(builds, self.unset)

    def of(self, items: Iterable[Object]) -> Pods:
        """The pods of ``items``."""
        return Pods(pod for item in dict.fromkeys(items) for pod in self.pods[item])

    @cached_property
    def of_default(self) -> Pods:
        """Those that may come out in the namespace "default"."""
        return self.of((*self.by_namespace.get(DEFAULT, ()), *self.unset))
