"""Pods of which the tree shows a copy, and not the object that makes them: nothing here changes the next one."""

from __future__ import annotations

from hardener.facts.kustomize.builds import Builds
from hardener.support.shapes import mapping, mappings
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

# What makes the owners of pods, under a name that theirs begin with.
_MAKERS = {"ReplicaSet": "Deployment", "Job": "CronJob"}


class OwnedPods(AsRead, dict[str | None, list[PodTemplate]]):
    """The pods that an object outside of the tree owns, by namespace."""

    def __init__(self, tree: Tree) -> None:
        owned = [pod for pod in tree.pod_templates if "owned" in pod.object.classes]
        if not owned:
            return
        builds = tree.ask(Builds)
        shown = {(item.kind, item.name, name) for item in tree.objects for name in builds.namespaces(item)}
        for pod in owned:
            for name in builds.namespaces(pod.object):
                if not any((*owner, name) in shown for owner in _owners(pod.object)):
                    self.setdefault(name, []).append(pod)


def _owners(item: Object) -> list[tuple[str, str]]:
    """Kind and name of what ``item`` says to be owned by, and of what makes that."""
    found = []
    for reference in mappings(mapping(item.data.get("metadata")).get("ownerReferences")):
        kind, name = str(reference.get("kind")), str(reference.get("name"))
        found.append((kind, name))
        if kind in _MAKERS:
            found.append((_MAKERS[kind], name.rpartition("-")[0]))
    return found
