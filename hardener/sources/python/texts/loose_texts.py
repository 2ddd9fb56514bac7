"""Manifests in texts that are no literal of several lines: JSON, one line with ``\\n`` in it, bytes, texts that are put
together. They are found, and not read."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable

_KEYS = (re.compile(r"\bapiVersion\\?[\"']?[ \t]*:"), re.compile(r"\bkind\\?[\"']?[ \t]*:"))
_OPEN = "x"  # in place of what is not known
_REASON = "it is no literal of several lines"


def is_manifest(text: str) -> bool:
    """Whether ``text`` has the keys that every manifest has."""
    return all(pattern.search(text) for pattern in _KEYS)


def loose(source: bytes, taken: Iterable[tuple[int, int]]) -> list[tuple[int, str]]:
    """The lines of such texts in a program, with why they are not read; but for those in ``taken``, first and last
    lines of what is read. Docstrings are none."""
    if b"apiVersion" not in source or b"kind" not in source:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # of a later Python
        return []
    read = {line for first, last in taken for line in range(first, last + 1)}
    lines = [first for first, last in _places(tree) if read.isdisjoint(range(first, last + 1))]
    return [(line, _REASON) for line in dict.fromkeys(lines)]


def _places(tree: ast.AST) -> list[tuple[int, int]]:
    """The first and last lines of texts with a manifest, each text as a whole."""
    found: list[tuple[int, int]] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.expr):
            is_doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            waiting += [] if is_doc else ast.iter_child_nodes(node)
            continue
        text, others = _text(node)
        if is_manifest(text):
            found.append((node.lineno, node.end_lineno or node.lineno))
        for other in others:
            waiting += ast.iter_child_nodes(other)
    return sorted(found)


def _text(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """What a text comes to as far as it is written, and the expressions in it that are no texts."""
    parts: list[str] = []
    others: list[ast.expr] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        below = _parts(part)
        if below is not None:
            waiting += reversed(below)
        elif isinstance(part, ast.Constant):
            parts.append(_written(part.value))
        else:
            parts.append(_OPEN)
            others.append(part)
    return "".join(parts), others


def _written(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """What a text is put together from, in its order; None of anything else."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        listed = node.args[0] if node.args else None
        items = listed.elts if isinstance(listed, ast.List | ast.Tuple) else []
        return [part for item in items for part in (item, node.func.value)] or None
    return None
