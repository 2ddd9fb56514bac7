"""What decides about an image beside the manifest: a kustomization, a build on this machine, a tool that updates it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Any, Self

from hardener.authoring.edits import Evidence
from hardener.kubernetes import kustomization as kustomize
from hardener.kubernetes.image_reference import ImageReference, normalize
from hardener.kubernetes.image_reference import parse as parse_image
from hardener.support.fast_dataclass import dataclass
from hardener.tree.core_views import Container, KustomizedImage, Object
from hardener.tree.fact import AsRead
from hardener.tree.view import View

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

# Registries of the node itself: what they hold is put there by hand (kind load, minikube, ko).
_ON_THE_NODE = frozenset({"localhost", "127.0.0.1", "kind-registry", "kind.local", "ko.local", "dev.local"})
_FLUX_MARKER = '"$imagepolicy"'
_ARGO_IMAGES = "argocd-image-updater.argoproj.io/image-list"


def is_on_the_node(image: ImageReference) -> bool:
    """Whether the registry of ``image`` is one that only the machine that runs the cluster has."""
    return image.registry is not None and image.registry.partition(":")[0] in _ON_THE_NODE


@dataclass(slots=True)
class ImageSources(AsRead):
    """What the tree says of images."""

    entries: list[KustomizedImage] = field(default_factory=list)  # of all kustomizations
    kustomized: dict[str, list[KustomizedImage]] = field(default_factory=dict)  # by file and folder that is built
    # By file: for each way in which a kustomization that no other takes in builds it, the names that are replaced.
    ways: dict[str, list[frozenset[str | None]]] = field(default_factory=dict)
    built: list[tuple[str, str, str]] = field(default_factory=list)  # folder, file, name of the image
    updated: set[str] = field(default_factory=set)  # normalised repositories

    @classmethod
    def collect(cls, tree: Tree) -> Self:
        found = cls()
        for folder, item in tree.kustomizations.items():
            found.entries += _own(item)
            entries = list(_holding(tree, folder, set()))
            if entries:
                for path in _built_from(tree, folder, set()):
                    found.kustomized.setdefault(path, []).extend(entries)
        taken = {
            os.path.realpath(os.path.join(folder, name))
            for folder, item in tree.kustomizations.items()
            for name in (*kustomize.members(item.data), *kustomize.components(item.data))
        }
        for folder in tree.kustomizations.keys() - taken:
            _ways(tree, folder, frozenset(), found.ways, set())
        for item in tree.skaffold:
            folder, said = os.path.split(item.piece.file.path)
            found.built += ((folder, said, name) for name in _artifacts(item.data))
        for item in tree.objects:
            if item.group == "argoproj.io" and item.kind in ("Application", "ApplicationSet"):
                for place in (("metadata",), ("spec", "template", "metadata")):
                    found.updated.update(_followed(_text(item.data, (*place, "annotations", _ARGO_IMAGES))))
        return found

    def entries_for(self, path: str, repository: str | None) -> list[KustomizedImage]:
        """The entries that decide about images of ``repository``, as written, in what is built from ``path``."""
        return [entry for entry in self.kustomized.get(path, []) if entry.name == repository]

    def of(self, container: Container) -> list[KustomizedImage]:
        """The entries that decide about the image of ``container``."""
        repository = container.image.repository if container.image is not None else None
        return self.entries_for(container.object.piece.file.path, repository) if repository else []

    def left_as_it_is(self, container: Container) -> bool:
        """Whether some build of the tree takes ``container`` with the very image that is written there, while others
        replace it, and none would take a digest of it to another registry."""
        image, path = container.image, container.object.piece.file.path
        if image is None or all(image.repository in names for names in self.ways.get(path, [])):
            return False
        return all(entry.pinned or entry.has("newTag") for entry in self.of(container))

    def renamed_above(self, folder: str, names: set[str]) -> str | None:
        """The file of a kustomization above the one in ``folder`` that gives an image of ``names`` another name and no
        tag: a digest from below would be one of a registry that it is not taken from."""
        for entry in self.kustomized.get(folder, []):
            if entry.name in names and not entry.pinned and not entry.has("newTag"):
                return entry.file
        return None

    def why_left(
        self, view: View, image: ImageReference | None, *path: str, policy: str = "imagePullPolicy"
    ) -> Evidence | None:
        """Why ``image``, which stands at ``path`` of ``view``, is no tag of a registry that stays: it is built or put
        on the node. ``policy``: the key that says when it is pulled."""
        if image is None or image.repository is None:
            return None
        if view.text(policy) == "Never":
            return view.fact(f"{policy} is Never, so no registry is asked for it", policy)
        if is_on_the_node(image):
            return view.fact(f"registry {image.registry} is on the machine that runs the cluster", *path)
        file = view.object.piece.file.path
        for folder, said, name in self.built:
            if file.startswith(folder + os.sep) and name in (image.repository, image.normalized):
                return view.fact(f"{said} builds it", *path)
        return None

    def updater(self, view: View, *path: str | int, image: ImageReference | None) -> str | None:
        """The tool that keeps the image at ``path`` of ``view`` up to date: Flux marks its line, Argo CD annotates."""
        if view.comment(*path, holding=_FLUX_MARKER) is not None:
            return "Flux"
        if image is not None and image.normalized in self.updated:
            return "Argo CD Image Updater"
        return None


def _own(item: Object) -> Iterator[KustomizedImage]:
    for index, entry in kustomize.images(item.data):
        yield KustomizedImage(item, (*item.path, "images", index), entry)


def _holding(tree: Tree, folder: str, seen: set[str]) -> Iterator[KustomizedImage]:
    """The entries that hold for what the kustomization in ``folder`` is built from: its own, and of its components."""
    item = tree.kustomizations.get(folder)
    if item is None or folder in seen:
        return
    seen.add(folder)
    yield from _own(item)
    for name in kustomize.components(item.data):
        yield from _holding(tree, os.path.realpath(os.path.join(folder, name)), seen)


def _built_from(tree: Tree, folder: str, seen: set[str]) -> Iterator[str]:
    """Files and folders that the kustomization in ``folder`` is built from, those of its bases too, itself not; of
    patches their files, and the kustomizations that hold them as a text."""
    seen.add(folder)
    item = tree.kustomizations.get(folder)
    if item is None:
        return
    yield item.piece.file.path
    for name in kustomize.patch_names(item.data):
        yield os.path.realpath(os.path.join(folder, name.replace("\0", "")))
    for name in kustomize.members(item.data):
        path = os.path.realpath(os.path.join(folder, name))
        if path not in seen:
            seen.add(path)
            yield path
            yield from _built_from(tree, path, seen)


def _ways(
    tree: Tree, folder: str, above: frozenset[str | None], found: dict[str, list[frozenset[str | None]]],
    seen: set[tuple[str, frozenset[str | None]]],
) -> None:  # fmt: skip
    """Puts to ``found`` the files that the kustomization in ``folder`` is built from, each with the names of images
    that it or one ``above`` replaces."""
    item = tree.kustomizations[folder]
    names = above | {entry.name for entry in _holding(tree, folder, set())}
    if (folder, names) in seen:
        return
    seen.add((folder, names))
    for name in kustomize.members(item.data):
        path = os.path.realpath(os.path.join(folder, name))
        if path in tree.kustomizations:
            _ways(tree, path, names, found, seen)
        else:
            found.setdefault(path, []).append(names)


def _artifacts(document: Any) -> Iterator[str]:
    profiles = document.get("profiles")
    for holder in (document, *(profiles if isinstance(profiles, list) else ())):
        build = holder.get("build") if isinstance(holder, dict) else None
        artifacts = build.get("artifacts") if isinstance(build, dict) else None
        for artifact in artifacts if isinstance(artifacts, list) else ():
            if isinstance(artifact, dict) and isinstance(artifact.get("image"), str):
                yield artifact["image"]


def _text(value: Any, path: tuple[str, ...]) -> str:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _followed(listed: str) -> Iterator[str]:
    # [alias=]repository[:constraint], ...
    for part in listed.split(","):
        name, colon, constraint = part.strip().rpartition("=")[2].rpartition(":")
        if not colon or "/" in constraint:
            name = f"{name}{colon}{constraint}"
        reference = parse_image(name)
        if reference is not None and reference.repository is not None:
            yield normalize(reference.repository)
