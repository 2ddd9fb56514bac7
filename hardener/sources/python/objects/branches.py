"""The branches and functions of a program: what is made in one need not be made at all."""

from __future__ import annotations

import ast

from msgspec import Struct

_BRANCHES = ast.If | ast.IfExp | ast.Match
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Block(Struct, frozen=True):
    """The lines of a branch or of a function."""

    first: int
    last: int
    is_function: bool


class Around(Struct, frozen=True):
    """The first lines of the functions around a place, the outermost first, and whether a branch of the innermost one
    is around it, too; of the program where there is none."""

    functions: tuple[int, ...] = ()
    branch: bool = False

    def within(self, block: Block) -> Around:
        """What is around a place in ``block``, which stands in these."""
        return Around((*self.functions, block.first)) if block.is_function else Around(self.functions, True)


def branches(source: bytes) -> list[Block]:
    """The branches and functions of the program ``source``, those around others first. What the Python that runs
    cannot read is one branch."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # of a later Python
        return [Block(1, source.count(b"\n") + source.count(b"\r") + 1, False)]
    found: list[Block] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _BRANCHES | _FUNCTIONS):
            found.append(Block(node.lineno, node.end_lineno or node.lineno, isinstance(node, _FUNCTIONS)))
        waiting += ast.iter_child_nodes(node)
    return sorted(found, key=lambda block: (block.first, -block.last))
