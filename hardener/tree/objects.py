"""The Kubernetes objects of a piece: its documents, and the items of Lists one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hardener.kubernetes import kustomization as kustomize
from hardener.support.data_path import Path
from hardener.tree import untyped_configs
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.sources.manifests import Piece
    from hardener.tree.tree import Tree


def of(tree: Tree, piece: Piece) -> Iterator[Object]:
    """The objects of ``piece``, fragments left out."""
    if piece.language == "python":
        from hardener.tree.pod_fragments import is_fragment  # late: few trees hold a program
    for index, document in enumerate(piece.data):
        if piece.language != "python" or not is_fragment(document):
            yield from _unroll(tree, piece, (index,), document)


def _unroll(tree: Tree, piece: Piece, path: Path, value: Any) -> Iterator[Object]:
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or "apiVersion" not in value:
        yield from untyped_configs.of(tree, piece, path, value)
        return
    if kustomize.is_kustomization(value):
        return
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            if isinstance(item, dict) and "kind" not in item and value["kind"] != "List":
                continue  # items of a typed list without their own kind are not what kubectl writes
            yield from _unroll(tree, piece, (*path, "items", index), item)
    else:
        yield Object(tree, piece, path, value)
