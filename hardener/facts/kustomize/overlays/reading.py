"""The patches that a kustomization lists, read, and found by the names of the objects that they are for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.facts.kustomize.overlays.patch import ImageEntry, Merge, Operations, Patch
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.kustomize.fields import not_built
from hardener.kubernetes.kustomize.operations import is_operations
from hardener.kubernetes.kustomize.target import Identity, plain_name
from hardener.sources import files, manifests, yaml
from hardener.sources.files import UnreadableError
from hardener.sources.manifests import ManifestFile, Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

# In the order in which kustomize applies them (api/internal/target, configureBuiltinTransformers).
_KEYS = ("patchesStrategicMerge", "patches", "patchesJson6902")
_PLACED = (*_KEYS, "images")
BROKEN = object()
"""Stands for a document that cannot be read."""
_Document = tuple[Piece | None, Path, Any]


class Layer(Struct):
    """What one kustomization does to objects: its patches by the one name that they are for, those that may be for
    several, and its entries of ``images`` by name. The numbers are the order in which they are applied. ``unread`` are
    the entries that name no patch which can be read, each with why."""

    by_name: dict[str, list[tuple[int, Patch]]] = field(default_factory=dict)
    loose: list[tuple[int, Patch]] = field(default_factory=list)
    images: dict[str, list[ImageEntry]] = field(default_factory=dict)
    unread: list[tuple[Path, str]] = field(default_factory=list)

    def all_patches(self) -> Iterator[Patch]:
        """Its patches, without entries of ``images``."""
        yield from (patch for several in (*self.by_name.values(), self.loose) for _, patch in several)

    def patches(self, item: Identity, *, late: bool) -> list[Patch]:
        """The patches that are for ``item``, in order; ``late`` are those that come after names, namespace and labels
        are set."""
        found = [entry for name in item.names for entry in self.by_name.get(name, ())]
        in_order = sorted([*found, *self.loose], key=lambda one: one[0])
        return [patch for _, patch in in_order if patch.is_late is late and patch.selects(item)]


def has_patches(kustomization: Object) -> bool:
    """Whether it does anything that ``Layer`` knows of."""
    return any(kustomization.data.get(key) for key in _PLACED)


def read(tree: Tree, kustomization: Object) -> Layer:
    """What ``kustomization`` does."""
    layer = Layer()
    for number, patch in enumerate(_patches(tree, kustomization, layer.unread)):
        name = _name_of(patch)
        if name is None:
            layer.loose.append((number, patch))
        else:
            layer.by_name.setdefault(name, []).append((number, patch))
    for index, entry in kustomize.images(kustomization.data):
        start = (*kustomization.path, "images", index)
        found = ImageEntry(kustomization=kustomization, piece=kustomization.piece, start=start, entry=entry)
        layer.images.setdefault(str(entry.get("name")), []).append(found)
    return layer


def _name_of(patch: Patch) -> str | None:
    if isinstance(patch, Merge) and patch.target is None:
        metadata = patch.document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return name if isinstance(name, str) else ""
    return plain_name(patch.target) if isinstance(patch, Merge | Operations) and patch.target is not None else None


def _patches(tree: Tree, kustomization: Object, unread: list[tuple[Path, str]]) -> Iterator[Patch]:
    for key in _KEYS:
        entries = kustomization.data.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, str):
                entry = {"patch" if "\n" in entry or entry.lstrip().startswith("{") else "path": entry}
                place: Path = (key, index)
            else:
                place = (key, index, "patch")
            entry = entry if isinstance(entry, dict) else {}
            documents = list(_documents(tree, kustomization, entry))
            found = list(_of_entry(kustomization, entry, key, (*kustomization.path, *place), documents))
            yield from found
            is_whole = bool(found) and all(document is not BROKEN for _, _, document in documents)
            if not is_whole and (reason := _unread(tree, kustomization, entry)):
                unread.append(((*kustomization.path, key, index), reason))


def patches_of(
    tree: Tree, kustomization: Object, entry: dict[str, Any], where: tuple[Piece, Path]
) -> list[Patch] | None:
    """The patches of ``entry``, which is that of a transformer at ``where``; None where one of them cannot be read."""
    if next(not_built({"patches": [entry]}), None) is not None:
        return None
    documents = list(_documents(tree, kustomization, entry))
    if not documents or any(document is BROKEN for _, _, document in documents):
        return None
    piece, start = where
    found = list(_of_entry(kustomization, entry, "patches", start, documents))
    return [replace(patch, piece=piece) if patch.inline else patch for patch in found]


def named_documents(tree: Tree, kustomization: Object, name: str) -> list[tuple[Piece, Path, Any]]:
    """The documents of the file ``name`` of ``kustomization``, or of a text in place of one; none where one of them
    cannot be read."""
    if "\n" in name:
        found: list[tuple[Piece, Path, Any]] = [(kustomization.piece, (), each) for _, _, each in _inline(name)]
    else:
        path = _path(kustomization, name)
        found = list(documents_in(tree, path))
        file = tree.file_at(path)
        if file is None or any(piece.problem for piece in file.pieces):
            return []
    return [] if any(document is BROKEN for _, _, document in found) else found


def _documents(tree: Tree, kustomization: Object, entry: dict[str, Any]) -> Iterator[_Document]:
    """What stands in an entry, or in the file that it names."""
    if isinstance(entry.get("path"), str):
        return _in_file(tree, kustomization, entry["path"])
    return _inline(entry.get("patch"))


def _of_entry(
    kustomization: Object, entry: dict[str, Any], key: str, place: Path, documents: list[_Document]
) -> Iterator[Patch]:
    target = entry.get("target")
    target = target if isinstance(target, dict) else None
    options = entry.get("options")
    renames = isinstance(options, dict) and bool(options.get("allowNameChange") or options.get("allowKindChange"))
    inline = not isinstance(entry.get("path"), str)
    for piece, start, document in documents:
        where: dict[str, Any] = {"kustomization": kustomization, "inline": inline}
        where |= {"piece": piece or kustomization.piece, "start": start if piece else place}
        if is_operations(document) and target is not None:
            exact = key == "patchesJson6902"
            yield Operations(operations=document, target=target, exact=exact, **where)
        elif isinstance(document, dict) and key != "patchesJson6902":
            for below, item in items_of(document):
                at = where if inline else where | {"start": start + below}
                yield Merge(document=item, target=target, renames=renames, **at)


def items_of(document: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """``document``, or the objects of a List, with their places in it."""
    items = document.get("items")
    if not str(document.get("kind")).endswith("List") or not isinstance(items, list):
        yield (), document
        return
    yield from ((("items", index), item) for index, item in enumerate(items) if isinstance(item, dict))


def _inline(text: Any) -> Iterator[_Document]:
    if isinstance(text, str):
        for segment in yaml.segments(text):
            yield from ((None, (), document) for document in _parsed(segment.text))


def _parsed(text: str) -> list[Any]:
    try:
        return yaml.parse(text).documents
    except yaml.TextError:
        return [BROKEN]


def _unread(tree: Tree, kustomization: Object, entry: dict[str, Any]) -> str:
    """Why there is no patch in ``entry``; "" where the file is reported anyway."""
    name = entry.get("path")
    if not isinstance(name, str):
        return "this entry is no patch"
    path = _path(kustomization, name)
    file = tree.file_at(path)
    if file is not None and any(piece.problem for piece in file.pieces):
        return ""
    return f"the patch {name} cannot be read" if os.path.exists(path) else f"the patch {name} is not there"


def _path(kustomization: Object, name: str) -> str:
    name = name.replace("\0", "")
    return os.path.realpath(os.path.join(os.path.dirname(kustomization.piece.file.path), name))


def _in_file(tree: Tree, kustomization: Object, name: str) -> Iterator[_Document]:
    yield from documents_in(tree, _path(kustomization, name))


def documents_in(tree: Tree, path: str) -> Iterator[tuple[Piece, Path, Any]]:
    """The documents of the file with the real path ``path``, of objects and of what else it holds, with their places;
    none where it is not read."""
    file = tree.file_at(path) or _load(tree, path)
    for piece in file.pieces if file is not None else ():
        documents = piece.data if piece.parsed else [] if piece.problem else _parsed(piece.text)
        yield from ((piece, (index,), document) for index, document in enumerate(documents))


def _load(tree: Tree, path: str) -> ManifestFile | None:
    """A file that no object of interest stands in; known to the tree from now on, for the lines of evidence."""
    if not files.is_inside(path, tree.root):
        return None  # nothing outside the tree is read
    try:
        content = files.read(path)
    except UnreadableError:
        return None
    file = manifests.load(path, os.path.relpath(path), content, editable=False, wanted=lambda text: False)
    tree.take_in(file)
    return file
