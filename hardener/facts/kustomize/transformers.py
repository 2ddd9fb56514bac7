"""What a kustomization does to objects behind all else: its ``replacements``, ``transformers`` and ``vars``.

Of transformers those are known that give labels and annotations, patch, replace, and count replicas
(sigs.k8s.io/kustomize/api/internal/builtins). What is not is ``Unknown``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hardener.facts.kustomize.overlays.patch import Data, Hits, Patch
from hardener.facts.kustomize.overlays.reading import named_documents, patches_of
from hardener.kubernetes.kustomize import replacement, variables
from hardener.kubernetes.kustomize.given_pairs import put
from hardener.kubernetes.kustomize.patch import PatchError
from hardener.kubernetes.kustomize.target import Identity
from hardener.sources.manifests import Piece
from hardener.support import shapes
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

KEYS = ("replacements", "transformers", "vars")
_HEAD = frozenset({"apiVersion", "kind", "metadata"})
_SPEC = frozenset({"path", "create", "kind", "group", "version"})
_METADATA = frozenset({"name", "namespace", "labels"})
_PART = re.compile(r"[\w-]+")
_NOTHING = frozenset({"ReplicaCountTransformer"})  # what changes nothing that is judged
_VARIABLE = frozenset({"name", "objref", "fieldref"})
_FIELDREF = frozenset({"fieldpath"})
_OBJREF = frozenset({"apiVersion", "group", "version", "kind", "name", "namespace"})


class Unknown(Struct, frozen=True):
    """What harden cannot do of a kustomization: where it stands, and why."""

    piece: Piece
    path: Path
    text: str


class Replacement(Struct, frozen=True):
    """An entry of ``replacements``, which stands at ``start`` of ``piece``."""

    kustomization: Object
    piece: Piece
    start: Path
    entry: Data

    def patches(self, value: Any) -> Iterator[Replaced]:
        """What it does with the ``value`` of its source, target by target."""
        for index, target in enumerate(self.entry["targets"]):
            start = (*self.start, "targets", index)
            yield Replaced(
                kustomization=self.kustomization, piece=self.piece, start=start, inline=True, target=target, value=value
            )


class Replaced(Patch, frozen=True, eq=False, kw_only=True):
    """One target of a replacement, with the value that goes there."""

    target: Mapping[str, Any]
    value: Any

    def takes(self, ids: Sequence[Identity]) -> bool:
        """Whether it is for the object that has, or had, ``ids``."""
        return replacement.is_target(self.target, ids)

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        return replacement.replaced(data, self.target, self.value)

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        return replacement.leads_to(self.target, path), self.start


class SetPairs(Patch, frozen=True, eq=False, kw_only=True):
    """Labels or annotations that a transformer gives, and the fields that it gives them to."""

    texts: Mapping[str, str]
    fields: tuple[Mapping[str, Any], ...]

    def selects(self, item: Identity) -> bool:
        return True

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        group, _, version = str(data.get("apiVersion") or "").rpartition("/")
        own = {"group": group, "version": version, "kind": data.get("kind")}
        found: Any = data
        for field in self.fields:
            if all(field.get(key) in (None, "", value) for key, value in own.items()):
                found = put(found, _path_of(field), self.texts, made=field.get("create") is True)
        return dict(found)

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        return (len(path) if path[-1:] and path[-1] in self.texts else 0), self.start


class Expanded(Patch, frozen=True, eq=False, kw_only=True):
    """The variables of a build, which are filled in at its end."""

    values: Mapping[str, Any]

    def selects(self, item: Identity) -> bool:
        return True

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        return variables.expanded(data, self.values)

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        return (len(path) if variables.holds(data, path) else 0), self.start


class Variable(Struct, frozen=True):
    """An entry of ``vars``: where its value comes from is said as a replacement says it."""

    kustomization: Object
    start: Path
    name: str
    source: Data


Step = Patch | Replacement | Unknown


def steps(tree: Tree, kustomization: Object) -> Iterator[Step]:
    """What the replacements and transformers of ``kustomization`` do, in order."""
    for index, entry in _entries(kustomization, "replacements"):
        start = (*kustomization.path, "replacements", index)
        if isinstance(entry, dict) and set(entry) == {"path"} and isinstance(entry["path"], str):
            yield from _of_files(tree, kustomization, start, entry["path"])
        else:
            yield _replacement(kustomization, kustomization.piece, start, entry)
    for index, entry in _entries(kustomization, "transformers"):
        yield from _transformers(tree, kustomization, (*kustomization.path, "transformers", index), entry)


def _entries(kustomization: Object, key: str) -> Iterator[tuple[Any, Any]]:
    found = kustomization.data.get(key)
    yield from enumerate(found) if isinstance(found, list) else ()


def _of_files(tree: Tree, kustomization: Object, start: Path, name: str) -> Iterator[Step]:
    documents = list(named_documents(tree, kustomization, name))
    if not documents:
        yield Unknown(kustomization.piece, start, f"harden does not read the replacement {name}")
    for piece, place, document in documents:
        several = document if isinstance(document, list) else [document]
        for index, entry in enumerate(several):
            at = (*place, index) if isinstance(document, list) else place
            yield _replacement(kustomization, piece, at, entry)


def _replacement(kustomization: Object, piece: Piece, start: Path, entry: Any) -> Step:
    try:
        replacement.check(shapes.mapping(entry))
    except PatchError as error:
        return Unknown(piece, start, str(error))
    return Replacement(kustomization, piece, start, entry)


# Transformers.


def _transformers(tree: Tree, kustomization: Object, start: Path, entry: Any) -> Iterator[Step]:
    """What an entry of ``transformers`` does: a text, or the name of a file."""
    name = entry if isinstance(entry, str) else ""
    found = list(named_documents(tree, kustomization, name))
    if not found:
        yield Unknown(kustomization.piece, start, "harden does not read this transformer")
    for piece, place, document in found:
        where = (piece, place) if piece is not kustomization.piece else (kustomization.piece, start)
        yield from _transformer(tree, kustomization, *where, document)


def _transformer(tree: Tree, kustomization: Object, piece: Piece, start: Path, document: Any) -> Iterator[Step]:
    kind = document.get("kind") if isinstance(document, dict) and _is_built_in(document) else None
    if document is None or kind in _NOTHING:
        return
    make = _MAKERS.get(str(kind))
    settings = {key: value for key, value in document.items() if key not in _HEAD} if make is not None else {}
    found = list(make(tree, kustomization, piece, start, settings)) if make is not None else []
    yield from found or [Unknown(piece, start, "harden does not know what this transformer does")]


def _is_built_in(document: Data) -> bool:
    """Whether a configuration is one of kustomize's own: an annotation may name another program."""
    metadata = shapes.mapping(document.get("metadata"))
    return document.get("apiVersion") == "builtin" and _METADATA.issuperset(metadata)


def _pairs(key: str) -> Callable[[Tree, Object, Piece, Path, Data], Iterator[Step]]:
    """What makes steps of a transformer that gives what stands at ``key`` of it."""

    def make(tree: Tree, kustomization: Object, piece: Piece, start: Path, settings: Data) -> Iterator[Step]:
        if set(settings) != {key, "fieldSpecs"}:
            return
        texts, fields = settings[key], settings["fieldSpecs"]
        if _are_texts(texts) and _are_fields(fields):
            yield SetPairs(
                kustomization=kustomization, piece=piece, start=start, inline=True, texts=texts, fields=tuple(fields)
            )

    return make


def _are_texts(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(each, str) for pair in found.items() for each in pair)


def _are_fields(found: Any) -> bool:
    return isinstance(found, list) and all(map(_is_field, found))


def _is_field(field: Any) -> bool:
    if not isinstance(field, dict) or not _SPEC.issuperset(field) or not isinstance(field.get("path"), str):
        return False
    parts = field["path"].split("/")
    return isinstance(field.get("create", False), bool) and all(map(_PART.fullmatch, parts))


def _path_of(field: Mapping[str, Any]) -> Path:
    return tuple(field["path"].split("/"))


def _patching(tree: Tree, kustomization: Object, piece: Piece, start: Path, settings: Data) -> Iterator[Step]:
    if {"path", "patch", "target", "options"}.issuperset(settings):
        found = patches_of(tree, kustomization, settings, (piece, start))
        yield from found if found is not None else ()


def _replacing(tree: Tree, kustomization: Object, piece: Piece, start: Path, settings: Data) -> Iterator[Step]:
    if set(settings) == {"replacements"}:
        for index, entry in enumerate(shapes.listed(settings["replacements"])):
            yield _replacement(kustomization, piece, (*start, "replacements", index), entry)


_MAKERS: dict[str, Callable[[Tree, Object, Piece, Path, Data], Iterator[Step]]] = {
    "LabelTransformer": _pairs("labels"),
    "AnnotationsTransformer": _pairs("annotations"),
    "PatchTransformer": _patching,
    "ReplacementTransformer": _replacing,
}


# Variables.


def variables_of(kustomization: Object) -> Iterator[Variable | Unknown]:
    """The variables that ``kustomization`` declares."""
    for index, entry in _entries(kustomization, "vars"):
        start = (*kustomization.path, "vars", index)
        source = _source(entry)
        if source is None:
            yield Unknown(kustomization.piece, start, "harden does not know the value of this variable")
        else:
            yield Variable(kustomization, start, entry["name"], source)


def _source(entry: Any) -> Data | None:
    """Where the value of an entry of ``vars`` comes from, as the source of a replacement."""
    found = shapes.mapping(entry)
    reference, field = shapes.mapping(found.get("objref")), shapes.mapping(found.get("fieldref"))
    known = ((_VARIABLE, found), (_OBJREF, reference), (_FIELDREF, field))
    if not isinstance(found.get("name"), str) or not all(_has_only(keys, each) for keys, each in known):
        return None
    group, _, version = str(reference.get("apiVersion") or "").rpartition("/")
    given = {key: value for key, value in reference.items() if key != "apiVersion"}
    named = {key: value for key, value in (("group", group), ("version", version)) if value}
    return {**named, **given, "fieldPath": next(iter(field.values()), None) or "metadata.name"}


def _has_only(keys: frozenset[str], found: Any) -> bool:
    return isinstance(found, dict) and keys.issuperset(found)
