"""A Terraform file that was read: its blocks as documents, and the lines of everything in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hardener.sources.block_names import HEAD
from hardener.sources.yaml import Comment, TextError
from hardener.support.data_path import Path

from .nodes import Node, block_of

if TYPE_CHECKING:
    import tree_sitter

_ONLY_CLOSING = re.compile(rb"\s*\}")


class Parsed(Struct):
    """``blocks`` are the nodes of ``documents``; lines count from 1. ``source`` is the text as bytes."""

    source: bytes
    documents: list[Any]
    blocks: list[Node]
    _comments: list[tuple[int, int, Comment]]  # with where each begins and ends

    def find(self, number: int, path: Path) -> tuple[Node, int]:
        """The deepest node on the way to ``path`` of the document ``number``, and how many parts led to it."""
        node = self.blocks[min(number, len(self.blocks) - 1)]
        for depth, part in enumerate(path):
            below = node.children.get(part)
            if below is None:
                return node, depth
            node = below
        return node, len(path)

    def line(self, number: int, path: Path) -> int:
        """The line of the block, attribute or item at ``path``; of what is not there, that of what would hold it."""
        return self.find(number, path)[0].row + 1 if self.blocks else 1

    def depth(self, number: int, path: Path) -> int:
        """How many parts of ``path`` lead to something that stands in the text."""
        return self.find(number, path)[1] if self.blocks else 0

    def lines(self, number: int, path: Path) -> set[int]:
        """The lines of the entry at ``path``, with those of its list where it is an item; of what is not there, the
        last ones of what would hold it, behind which it comes."""
        if not self.blocks:
            return set()
        node, depth = self.find(number, path)
        rows = self._rows(node)
        if depth < len(path) and node.form != "list" and len(rows) > 1:
            last = max(node.children.values(), key=lambda child: child.end, default=node)
            return {rows[-1], self._rows(last)[-1]}
        holder, _ = self.find(number, path[:-1])
        return {*rows, *(self._rows(holder) if holder.form == "list" else ())}

    def _rows(self, node: Node) -> range:
        return range(node.row + 1, node.row + self.source.count(b"\n", node.start, node.end) + 2)

    def comment(self, number: int, path: Path) -> str | None:
        """The comment at the end of the line of ``path``; or the one alone below it, with which its block ends."""
        node, depth = self.find(number, path)
        return None if depth < len(path) or not path else self.comment_behind(node)

    def comment_behind(self, node: Node) -> str | None:
        """The comment at the end of the line with which ``node`` ends, or below it, as ``comment`` has it."""
        for start, end, comment in self._comments:
            between = self.source[node.end : start]
            if start >= node.end and b"\n" not in between and not comment.alone:
                return comment.text
            below = comment.alone and between.count(b"\n") == 1 and not between.strip()
            if below and _ONLY_CLOSING.match(self.source, end):
                return comment.text
        return None

    def comments(self) -> list[Comment]:
        """Every comment, written as one with ``#``."""
        return [comment for _, _, comment in self._comments]

    def extents(self) -> Iterator[tuple[int, int, int]]:
        """Of each block with the lines before it: where it begins and ends, in characters, and its first line, from 0.
        A block ends with its last line."""
        start = line = 0
        position = 0  # of ``start``, in bytes
        for number, node in enumerate(self.blocks):
            end = self.source.find(b"\n", node.end) + 1 or len(self.source)
            if number + 1 < len(self.blocks):
                end = min(end, self.blocks[number + 1].start)
            part = self.source[position:end]
            length = len(part.decode())
            yield start, start + length, line
            start, position, line = start + length, end, line + part.count(b"\n")

    @property
    def newline(self) -> str:
        """How lines end: as the first one does."""
        first = self.source.find(b"\n")
        return "\r\n" if first > 0 and self.source[first - 1 : first] == b"\r" else "\n"


@cache
def _parser() -> tree_sitter.Parser:
    import tree_sitter  # late: most trees hold no Terraform
    import tree_sitter_hcl

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def parse(text: str) -> Parsed:
    """Read ``text``. Raises TextError, with the line, where it is no HCL."""
    source = text.encode()
    root = _parser().parse(source).root_node
    if root.has_error:
        raise TextError("not readable as Terraform", _first_error(root) + 1)
    documents, blocks = [], []
    for body in root.children:
        for child in body.children if body.type == "body" else ():
            if child.type == "block":
                head, node = block_of(child)
                node.data = {HEAD: head, **node.data}
                documents.append(node.data)
                blocks.append(node)
    return Parsed(source, documents, blocks, list(_comments(root, source)))


def _first_error(root: tree_sitter.Node) -> int:
    node = root
    while not (node.is_error or node.is_missing):
        below = next((child for child in node.children if child.has_error or child.is_missing), None)
        if below is None:
            break
        node = below
    return node.start_point[0]


def _comments(root: tree_sitter.Node, source: bytes) -> Iterator[tuple[int, int, Comment]]:
    waiting = [root] if b"#" in source or b"/*" in source or b"//" in source else []
    while waiting:
        node = waiting.pop()
        if node.type == "comment":
            before = source[source.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
            text = source[node.start_byte : node.end_byte].decode().rstrip("\r\n")
            shown = "#" + text[2:] if text.startswith("//") else "#" + text[2:-2] if text.startswith("/*") else text
            yield node.start_byte, node.end_byte, Comment(node.start_point[0] + 1, shown, not before.strip())
        waiting.extend(reversed(node.children))
