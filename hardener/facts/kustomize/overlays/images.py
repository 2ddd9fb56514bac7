"""The images that patches of kustomizations set, where they set them.

A strategic merge patch that is an object of its file has containers as any other; those are not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.kustomize.overlays.patch import Merge, Operations, Patch
from hardener.kubernetes.images.reference import ImageReference, read
from hardener.kubernetes.kustomize.operations import pointer_parts
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree
from hardener.tree.view import View

_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
_LISTS = frozenset({"containers", "initContainers"})
_DEEPEST = 40


class PatchImage(View):
    """An image that a JSON patch sets, or a patch that stands in its kustomization as a text. It has no edits of its
    own: what it names stands in a text, or in a list of operations."""

    __slots__ = ("image", "patch")
    NEEDS = "kustomizations"
    SAID_ELSEWHERE = True

    def __init__(self, patch: Patch, item: Object, path: Path, image: ImageReference) -> None:
        self.patch = patch
        self.image = image
        super().__init__(item, path, {})

    @classmethod
    def of_tree(cls, tree: Tree) -> list[PatchImage]:
        return [found for found in collect(tree) if found.patch.editable]

    @property
    def file(self) -> str:
        """The real path of the file that it stands in."""
        return self.patch.piece.file.path


def collect(tree: Tree) -> Iterator[PatchImage]:
    """The images that patches of the tree set; none where a part of their name is missing."""
    if not any(item.data.get(key) for item in tree.kustomizations.values() for key in _PATCHES):
        return  # most trees: what reads patches is not even loaded
    overlays = tree.ask(Overlays)
    pods = {(pod.object.piece, pod.object.path) for pod in tree.pod_templates}
    for kustomization in tree.kustomizations.values():
        for patch in overlays.layer(kustomization).all_patches():
            if (patch.piece, patch.start) in pods:
                continue
            for path, text in _images(patch):
                image = read(text)
                if image is not None:
                    yield _view(tree, patch, path, image)


def _view(tree: Tree, patch: Patch, path: Path, image: ImageReference) -> PatchImage:
    if patch.inline:
        return PatchImage(patch, patch.kustomization, patch.start, image)
    item = Object(tree, patch.piece, patch.start[:1], {})
    return PatchImage(patch, item, (*patch.start, *path), image)


def _images(patch: Patch) -> Iterator[tuple[Path, str]]:
    if isinstance(patch, Merge):
        yield from _below(patch.document, ())
    elif isinstance(patch, Operations):
        for number, operation in enumerate(patch.operations):
            if operation.get("op") in ("add", "replace"):
                parts = pointer_parts(operation.get("path"))
                yield from _of_operation(parts, operation.get("value"), (number, "value"))


def _of_operation(parts: list[str], value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if parts[-1:] == ["image"] and len(parts) > 2 and parts[-3] in _LISTS:
        if isinstance(value, str):
            yield path, value
    elif len(parts) > 1 and parts[-2] in _LISTS:
        yield from _of_container(value, path)
    elif parts and parts[-1] in _LISTS:
        yield from _of_list(value, path)
    else:
        yield from _below(value, path)


def _below(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict) and len(path) < _DEEPEST:
        for key, child in value.items():
            yield from (_of_list if key in _LISTS else _below)(child, (*path, key))


def _of_list(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from _of_container(item, (*path, index))


def _of_container(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict) and isinstance(value.get("image"), str):
        yield (*path, "image"), value["image"]
