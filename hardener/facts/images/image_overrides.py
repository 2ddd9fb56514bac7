"""What decides about an image beside the manifest: a kustomization, a build on this machine, a tool that updates it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from hardener.authoring.edits import Evidence
from hardener.kubernetes.images.reference import ImageReference, normalize
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.tree.core_views import Container, KustomizedImage, Object
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree
from hardener.tree.view import View

# Registries of the node itself: what they hold is put there by hand (kind load, minikube, ko).
_ON_THE_NODE = frozenset({"localhost", "127.0.0.1", "kind-registry", "kind.local", "ko.local", "dev.local"})
_FLUX_MARKER = '"$imagepolicy"'
_ARGO_IMAGES = "argocd-image-updater.argoproj.io/image-list"


def is_on_the_node(image: ImageReference) -> bool:
    """Whether the registry of ``image`` is one that only the machine that runs the cluster has."""
    return image.registry is not None and image.registry.partition(":")[0] in _ON_THE_NODE


class ImageSources(AsRead):
    """What the tree says of images."""

    def __init__(self) -> None:
        self.entries: list[KustomizedImage] = []  # of all kustomizations
        self.kustomized: dict[str, list[KustomizedImage]] = {}  # by file and folder that is built
        # By file: for each way in which a kustomization that no other takes in builds it, the names that are replaced.
        self.ways: dict[str, list[frozenset[str | None]]] = {}
        self.built: list[tuple[str, str, str]] = []  # folder, file, name of the image
        self.updated: set[str] = set()  # normalised repositories

    @classmethod
    def collect(cls, tree: Tree) -> Self:
        found, members = cls(), _Members(tree)
        for folder, item in tree.kustomizations.items():
            found.entries += _own(item)
            entries = list(_holding(members, folder))
            if entries:
                for path in _built_from(members, folder):
                    found.kustomized.setdefault(path, []).extend(entries)
        taken = {path for folder in tree.kustomizations for path in (*members.of(folder), *members.components(folder))}
        for folder in tree.kustomizations.keys() - taken:
            _ways(members, folder, found.ways)
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


class _Members:
    """What kustomizations take in, as real paths; worked out once for each, since many may take it in."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._members: dict[str, list[str]] = {}
        self._components: dict[str, list[str]] = {}

    def of(self, folder: str) -> list[str]:
        """The files and folders that the kustomization in ``folder`` is built from."""
        return self._known(self._members, kustomize.members, folder)

    def components(self, folder: str) -> list[str]:
        """Those of them whose settings hold for all of it."""
        return self._known(self._components, kustomize.components, folder)

    def _known(
        self, known: dict[str, list[str]], names: Callable[[Mapping[str, Any]], Iterator[str]], folder: str
    ) -> list[str]:
        found = known.get(folder)
        if found is None:
            data = self.tree.kustomizations[folder].data
            found = known[folder] = [os.path.realpath(os.path.join(folder, name)) for name in names(data)]
        return found


def _holding(members: _Members, folder: str) -> Iterator[KustomizedImage]:
    """The entries that hold for what the kustomization in ``folder`` is built from: its own, and of its components."""
    waiting, seen = [folder], set[str]()
    while waiting:
        folder = waiting.pop()
        item = members.tree.kustomizations.get(folder)
        if item is None or folder in seen:
            continue
        seen.add(folder)
        yield from _own(item)
        waiting += reversed(members.components(folder))


def _built_from(members: _Members, folder: str) -> Iterator[str]:
    """Files and folders that the kustomization in ``folder`` is built from, those of its bases too, itself not; of
    patches their files, and the kustomizations that hold them as a text."""
    seen = {folder}
    waiting = [(folder, True)]
    while waiting:
        path, is_first = waiting.pop()
        if not is_first:
            if path in seen:
                continue
            seen.add(path)
            yield path
        item = members.tree.kustomizations.get(path)
        if item is None:
            continue
        yield item.piece.file.path
        for name in kustomize.patch_names(item.data):
            yield os.path.realpath(os.path.join(path, name.replace("\0", "")))
        waiting += [(each, False) for each in reversed(members.of(path))]


def _ways(members: _Members, root: str, found: dict[str, list[frozenset[str | None]]]) -> None:
    """Put to ``found`` the files that the kustomization in the folder ``root`` is built from, each with the names of
    images that the kustomizations on a way to it replace."""
    own: dict[str, frozenset[str | None]] = {}
    seen: set[tuple[str, frozenset[str | None]]] = set()
    waiting: list[tuple[str, frozenset[str | None]]] = [(root, frozenset())]
    while waiting:
        path, names = waiting.pop()
        if path not in members.tree.kustomizations:
            found.setdefault(path, []).append(names)
            continue
        if path not in own:
            own[path] = frozenset(entry.name for entry in _holding(members, path))
        names |= own[path]
        if (path, names) in seen:
            continue
        seen.add((path, names))
        waiting += [(each, names) for each in reversed(members.of(path))]


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
