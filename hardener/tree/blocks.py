"""Blocks that describe what is around a cluster, as objects that transforms visit like any other.

A view of blocks names their types: ``class Cluster(Block): TYPES = frozenset({"aws_eks_cluster"})``.
Expressions read as texts like ``${var.a}``, nested blocks as a list under their type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from hardener.authoring.edits import Basis, Edit, Evidence, Grade
from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.manifests import Piece
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

__all__ = ["ENCODED", "Block", "Blocks"]

_REFERENCE = re.compile(r"\b(?:data\.)?[a-z][a-z0-9]*_[a-z0-9_]+\.[A-Za-z_][\w-]*|\bmodule\.[A-Za-z_][\w-]*")


class Block(Object):
    """A block at the top of a file. ``kind`` is the type of a resource, that of anything else with
    what it is before it (``data.aws_iam_role``), else "module" etc."""

    __slots__ = ()
    TYPES: ClassVar[frozenset[str]] = frozenset()
    NEEDS = "block_files"

    def __init__(self, tree: Tree, piece: Piece, data: dict[str, Any]) -> None:
        super().__init__(tree, piece, (0,), data)

    @cached_property
    def _head(self) -> list[str]:
        return [str(part) for part in self.data[HEAD]]

    @cached_property
    def api_version(self) -> str:
        return self.piece.source.name

    @cached_property
    def group(self) -> str:
        return self.piece.source.name

    @cached_property
    def kind(self) -> str:
        what, *labels = self._head
        if len(labels) < 2:
            return what
        return labels[0] if what == "resource" else f"{what}.{labels[0]}"

    @cached_property
    def name(self) -> str:
        return self._head[-1]

    @cached_property
    def namespace(self) -> str | None:
        return None

    @cached_property
    def annotations(self) -> dict[str, str]:
        return {}

    @cached_property
    def classes(self) -> dict[str, str]:
        return {}

    @cached_property
    def address(self) -> str:
        """What expressions call it: ``aws_iam_role.node``, ``data.aws_iam_policy_document.trust``, ``module.eks``."""
        parts = self._head[1:] if self._head[0] == "resource" else self._head
        return ".".join(parts)

    @property
    def is_repeated(self) -> bool:
        """Whether ``count`` or ``for_each`` makes any number of it."""
        return self.has("count") or self.has("for_each")

    def has_dynamic(self, name: str) -> bool:
        """Whether its nested blocks ``name`` are made by a loop."""
        return self.has(f"dynamic {name}")

    def literal(self, *path: str | int) -> str | int | float | bool | None:
        """The value at ``path`` where it is written out; None for an expression, a collection or nothing."""
        value = self._find(path)
        if isinstance(value, dict | list) or (isinstance(value, str) and is_expression(value)):
            return None
        return value  # type: ignore[no-any-return]

    def is_computed(self, *path: str | int) -> bool:
        """Whether the value at ``path`` is, or holds, an expression."""
        return any(is_expression(text) for text in texts(self._find(path)))

    def texts(self, *path: str | int) -> tuple[str, ...]:
        """Every text at or below ``path``, expressions and keys included."""
        return tuple(texts(self._find(path)))

    def mappings(self, *path: str | int) -> tuple[str, ...]:
        """The keys of what stands at ``path`` where that is a mapping."""
        value = self._find(path)
        return tuple(value) if isinstance(value, dict) else ()

    def count(self, *path: str | int) -> int:
        """How many items the list at ``path`` has, or nested blocks there are; 0 for anything else."""
        value = self._find(path)
        return len(value) if isinstance(value, list) else 0

    def references(self, *path: str | int) -> frozenset[str]:
        """The addresses that expressions at or below ``path`` name."""
        return frozenset(
            found for text in texts(self._find(path)) if is_expression(text) for found in _REFERENCE.findall(text)
        )

    def behind(
        self, type: str, name: str, value: dict[str, Any], *, grade: Grade, basis: Basis, evidence: list[Evidence]
    ) -> Edit:
        """An edit that writes the resource ``type`` ``name`` with the attributes ``value`` behind this block."""
        head = ["resource", type, name]
        return self.create(None, {HEAD: head, **value}, grade=grade, basis=basis, evidence=evidence)

    def __str__(self) -> str:
        return self.address


def is_expression(text: str) -> bool:
    """Whether ``text`` is an expression, or a template that holds one."""
    return "${" in text or "%{" in text


def texts(value: Any) -> Iterator[str]:
    """Every text in ``value``, the keys of mappings included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != HEAD:
                yield key
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


class Blocks:
    """All blocks of a tree that stand for no Kubernetes object."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.blocks = [
            Block(tree, piece, piece.data[0])
            for file in tree.block_files
            for piece in file.pieces
            if piece.parsed and not piece.source.holds_objects
        ]

    def targets(self, kind: type[Block]) -> list[Block]:
        """The resources and modules of the types that ``kind`` names, as such views, of files that may be edited."""
        return [
            kind(self._tree, block.piece, block.data)
            for block in self.blocks
            if block.kind in kind.TYPES and block.editable
        ]

    def of(self, *types: str, folder: str | None = None) -> list[Block]:
        """The blocks of ``types``, in ``folder`` alone where one is named."""
        return [block for kind in types for block in self._by_kind.get((kind, folder), ())]

    def at(self, address: str, folder: str) -> Block | None:
        """The block that expressions in ``folder`` call ``address``."""
        return self._by_address.get((folder, address))

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str | None], list[Block]]:
        found: dict[tuple[str, str | None], list[Block]] = {}
        for block in self.blocks:
            for folder in (None, block.folder):
                found.setdefault((block.kind, folder), []).append(block)
        return found

    @cached_property
    def _by_address(self) -> dict[tuple[str, str], Block]:
        return {(block.folder, block.address): block for block in reversed(self.blocks)}

    def _forget(self) -> None:
        for name in ("_by_kind", "_by_address"):
            self.__dict__.pop(name, None)

    def add(self, block: Object) -> None:
        """Take in a block that the run makes; its piece goes behind those that the run put there before."""
        assert isinstance(block, Block)
        by_kind, by_address = self._by_kind, self._by_address  # made before it is among the blocks
        self.blocks.append(block)
        for folder in (None, block.folder):
            by_kind.setdefault((block.kind, folder), []).append(block)
        by_address.setdefault((block.folder, block.address), block)
        block.piece.source.put(block.piece.file, block.piece)

    def remove(self, pieces: set[Piece]) -> None:
        """Take out the blocks that are in ``pieces``."""
        if any(not piece.source.holds_objects for piece in pieces):
            self.blocks[:] = [block for block in self.blocks if block.piece not in pieces]
            self._forget()
