"""Configurations of clusters that say no kind, as objects of a group and kind of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hardener.kubernetes.bare_document import name_of
from hardener.support.data_path import Path
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.sources.manifests import Piece
    from hardener.tree.tree import Tree


def of(tree: Tree, piece: Piece, path: Path, value: Any) -> Iterator[Object]:
    """The object that the document ``value`` at ``path`` is; nothing where it is none of these, or says a kind."""
    if not isinstance(value, dict) or "kind" in value or len(path) != 1:
        return
    name = name_of(value, piece.file.path)
    if name is not None:
        item = Object(tree, piece, path, value)
        item.__dict__["group"], item.__dict__["kind"] = name
        yield item
