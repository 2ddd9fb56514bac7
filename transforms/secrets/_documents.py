"""The documents of a move: one that becomes another kind in place, one that is made, one that gains entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from hardener.authoring.edits import Drop, Edit, Kept
from hardener.authoring.verdict import Words
from hardener.tree.view import View

from ._target import Target

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MANAGED = {"app.kubernetes.io/managed-by": "harden"}
_HOLDS = ("data", "stringData", "binaryData")
_HOLDING = frozenset((*_HOLDS, "annotations", "value"))


def converted(
    view: View,
    name: str,
    body: dict[str, Any],
    how: Words,
    first: dict[str, Any],
    moved: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Iterator[Edit]:
    """Yield the edits that make ``body`` of an object, in its place, called ``name``; ``first`` for the one that tells.

    ``moved`` are labels and annotations that are in ``body`` now.
    """
    yield view.set("apiVersion", to=body["apiVersion"], impact="secret-moved", **first)
    if view.text("kind") != body["kind"]:
        yield view.set("kind", to=body["kind"], **how)
    if view.text("metadata", "name") != name:
        yield view.set("metadata", "name", to=name, **how)
    for field in ("labels", "annotations"):
        have = view.keys("metadata", field)
        gone = [key for key in have if key in moved.get(field, ()) or key == LAST_APPLIED]  # that holds the values, too
        if gone and len(gone) == len(have):
            yield view.drop("metadata", field, **how)
        else:
            yield from (view.drop("metadata", field, key, **how) for key in gone)
    for key in _HOLDS:
        if view.has(key):
            yield view.drop(key, **how)
    if "spec" in body:
        yield from (view.drop(key, **how) for key in ("type", "immutable") if view.has(key))
        yield view.set("spec", to=body["spec"], **how)


def new_object(view: View, where: Target, body: dict[str, Any], how: Words) -> Edit:
    """Return the edit that adds ``body`` as an object to the file of ``view``."""
    metadata: dict[str, Any] = {"name": where.name}
    if view.object.namespace is not None:
        metadata["namespace"] = view.object.namespace
    metadata["labels"] = dict(_MANAGED)
    value = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": metadata}
    rest = {key: part for key, part in body.items() if key not in value}
    return view.create(None, value | rest, **how)


def added(view: View, where: Target, values: dict[str, bytes], how: Words) -> Iterator[Edit]:
    """Yield the edits that name ``values`` in the ExternalSecret that makes the Secret already, or in a new one.

    Raises SealingError.
    """
    if where.known is None:
        yield new_object(view, where, where.body(values), how)
        return
    for entry in where.entries(values):
        yield where.known.append("spec", "data", value=entry, **how)


def with_kept(edits: Iterable[Edit], kept: tuple[Kept, ...]) -> Iterator[Edit]:
    """Yield ``edits``, those that take values out of the tree with what they are."""
    for edit in edits:
        holds = isinstance(edit, Drop) and any(part in _HOLDING for part in edit.path[-3:])
        yield replace(edit, keeps=kept) if holds else edit
