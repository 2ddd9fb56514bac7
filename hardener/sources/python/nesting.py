"""How deeply a program is nested. The parser ends the whole process where it runs out of stack, at a nesting that no
person writes: such a text must not reach it.
"""

from __future__ import annotations

import ast
import re
import warnings
from itertools import islice

DEEPEST = 400  # the parser fails from some 1,500 brackets or 4,000 operators on, in a stack of 8 MiB
_NESTING = re.compile(r"[-+*/%@&|^~<>=.,:(\[{]|\b(?:elif|if|for|not|lambda|await|and|or)\b")
# Text literals, comments, brackets, ends of lines, and what else may nest.
_TOKEN = re.compile(
    r"""(?s)'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\#[^\n\r]*|[(\[{]|[)\]}]|\r\n|\n|\r|"""
    + _NESTING.pattern
)


def too_deep(text: str) -> bool:
    """Whether ``text`` is nested so deeply that it is not to be parsed."""
    if next(islice(_NESTING.finditer(text), DEEPEST - 1, None), None) is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (RecursionError, MemoryError):
        return True
    except (SyntaxError, ValueError):
        return _looks_deep(text)
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


def _looks_deep(text: str) -> bool:
    """As ``too_deep``, of a text that this Python does not read: the syntax may be newer. A statement with very many
    operators counts as deep."""
    depth = count = branches = 0
    for found in _TOKEN.finditer(text):
        token = found.group()
        if token in ("(", "[", "{"):
            depth += 1
            count += 1
        elif token in (")", "]", "}"):
            depth = max(0, depth - 1)
        elif token in ("\n", "\r", "\r\n"):
            if not depth:
                count = 0
        elif token not in (",", ":", "="):
            count += 1
        if depth > DEEPEST or count > 4 * DEEPEST:
            return True
        branches += token == "elif"
    return branches > DEEPEST
