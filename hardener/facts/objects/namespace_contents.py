"""What the tree shows of each namespace, and what in it points at pods that the tree does not show."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.hidden_pods import HiddenPods
from hardener.kubernetes.objects.scope import is_cluster_scoped
from hardener.tree.core_views import Namespace, Object, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.pod_kind import SYSTEM_NAMESPACES
from hardener.tree.tree import Tree


class Namespaces(AsRead, dict[str | None, Namespace]):
    """The namespaces that the tree declares or names, by name; None holds the objects that name none.

    What comes out in several namespaces, since several kustomizations take it in, belongs to each of them. Of several
    objects that declare one namespace (copies) the first that may be edited stands for it.
    """

    def __init__(self, tree: Tree) -> None:
        builds = tree.ask(Builds)
        declared: dict[str | None, Object] = {}
        for item in declarations(tree):
            for own in builds.rendered_names(item):
                if own not in declared or (item.editable and not declared[own].editable):
                    declared[own] = item
        objects: dict[str | None, list[Object]] = {name: [] for name in declared}
        pods: dict[str | None, list[PodTemplate]] = {}
        for item in tree.objects:
            if not is_cluster_scoped(item.group, item.kind) and not item.classes:
                for name in builds.namespaces(item):
                    objects.setdefault(name, []).append(item)
        for pod in tree.pod_templates:
            if not pod.object.classes:
                for name in builds.namespaces(pod.object):
                    pods.setdefault(name, []).append(pod)
        for name, members in objects.items():
            self[name] = Namespace(name, declared.get(name), members, pods.get(name, []))


def targets(tree: Tree) -> Iterator[Namespace]:
    """The namespaces as a transform visits them: once for each object that declares one, which may come out under
    several names and then stands for all of them, and once for each that nothing declares."""
    spaces = tree.ask(Namespaces)
    for item in declarations(tree):
        names = tree.ask(Builds).rendered_names(item)
        found = [spaces[name] for name in names]
        if len(found) == 1 and found[0].object is item:
            yield found[0]
            continue
        objects = {each: None for space in found for each in space.objects}
        pods = {pod: None for space in found for pod in space.pods}
        name = names[0] if len(names) == 1 else item.name
        yield Namespace(name, item, list(objects), list(pods), names)
    yield from (space for space in spaces.values() if not space.declared)


def declarations(tree: Tree) -> Iterator[Object]:
    """The Namespace objects of the tree."""
    return (item for item in tree.of("", "Namespace") if "patch" not in item.classes)


class NamespaceFiles(AsRead, dict[str, str]):
    """By folder, the last file that declares a namespace, of those that no kustomization lists."""

    def __init__(self, tree: Tree) -> None:
        for item in declarations(tree):
            folder, name = os.path.split(item.piece.file.path)
            if name > self.get(folder, "") and not tree.ask(Builds).listing(item.piece.file.path):
                self[folder] = name


def is_shared(name: str | None) -> bool:
    """Whether others than this tree live in the namespace: no name, ``default``, those of the system."""
    return name is None or name == "default" or name.startswith(("kube-", "openshift-")) or name in SYSTEM_NAMESPACES


def unseen_sources(namespace: Namespace) -> list[Evidence]:
    """What points at pods of ``namespace`` that the tree does not show; see ``HiddenPods``."""
    found = namespace.tree.ask(HiddenPods)
    return list(dict.fromkeys(fact for name in namespace.names for fact in found.of(name)))


def is_alone(namespace: Namespace) -> bool:
    """Whether the tree holds its Namespace object and nothing else that names it, and no other such one."""
    spaces = namespace.tree.ask(Namespaces).values()
    if not _is_bare(namespace) or any(_is_bare(space) for space in spaces if space.name not in namespace.names):
        return False
    return not unseen_sources(namespace)


def _is_bare(space: Namespace) -> bool:
    named = space.tree.named_namespaces
    return space.declared and not space.objects and not any(named[name or ""] for name in space.names)
