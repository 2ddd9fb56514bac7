"""The syntax tree of a program, with the places of its nodes.

How deeply a program is nested. The parser ends the whole process where it runs out of stack, at a nesting that no
person writes: such a text must not reach it.
"""

from __future__ import annotations

import ast
import re
import warnings

from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.lexemes import UnsureError
from hardener.sources.python.parser.positions import Places
from hardener.sources.python.parser.read_ast import read_ast
from hardener.sources.yaml import TextError

DEEPEST = 400  # the parser fails from some 1,500 brackets or 4,000 operators on, in a stack of 8 MiB
_NESTING = re.compile(r"[-+*/%@&|^~<>=.,:(\[{]|\b(?:elif|if|for|not|lambda|await|and|or)\b")
# Text literals, comments, brackets, ends of lines, and what else may nest.
_TOKEN = re.compile(
    r"""(?s)'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\#[^\n\r]*|[(\[{]|[)\]}]|\r\n|\n|\r|"""
    + _NESTING.pattern
)


def checked(text: str) -> ast.Module | None:
    """The tree of ``text`` as Python itself reads it; None where it does not. Raises RecursionError where it is
    nested too deeply, and is not to be parsed."""
    few = sum(1 for _ in zip(_NESTING.finditer(text), range(DEEPEST), strict=False)) < DEEPEST
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except MemoryError:
        raise RecursionError from None
    except (SyntaxError, ValueError):
        if _looks_deep(text):
            raise RecursionError from None
        return None
    if not few and _is_deep(tree):
        raise RecursionError
    return tree


def _is_deep(tree: ast.Module) -> bool:
    level: list[ast.AST] = [tree]
    for room in range(DEEPEST - 1, -1, -1):
        level = [child for node in level for child in ast.iter_child_nodes(node) if not _fits(child, room)]
        if not level:
            return False
    return True


def _fits(node: ast.AST, room: int) -> bool:
    """Whether it is so short that it nests less than ``room`` levels: with each character, a tree gets at most three
    levels deeper."""
    line = getattr(node, "lineno", 0)
    if not line:
        return not node._fields  # whether to load or to store
    return line == node.end_lineno and 3 * (node.end_col_offset - node.col_offset) < room  # type: ignore


def _looks_deep(text: str) -> bool:
    """Whether a text is nested too deeply that this Python does not read: the syntax may be newer. A statement with
    very many operators counts as deep."""
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


LARGEST = 2**19  # bytes; reading takes hundreds of times as much memory
# LibCST drops a form feed before a statement, and what stands before it on the line.
_FORM_FEED = re.compile(r"(?m)^[ \t\f]*\f")


def read(text: str, largest: int = LARGEST) -> tuple[syntax.Module, Places]:
    """The tree of ``text``. Raises TextError, with the line where it is known, for what is no Python or cannot be read
    safely (``largest`` is in bytes), and RecursionError for what is nested too deeply."""
    if "\0" in text:
        raise TextError("it holds a null character", text.count("\n", 0, text.index("\0")) + 1)
    try:
        source = text.encode()
    except UnicodeEncodeError as error:
        raise TextError("it holds half a character", text.count("\n", 0, error.start) + 1) from None
    if len(source) > largest:
        raise TextError(f"{len(source) >> 10} KiB, more than {largest >> 10} KiB")
    tree = checked(text)
    if tree is not None and text[:1] != "\ufeff":
        try:
            return read_ast(tree, source)
        except UnsureError:
            pass
    # Late: Python itself reads most programs.
    from libcst import ParserSyntaxError

    from hardener.sources.python.parser.read_libcst import read_libcst

    if "\f" in text:
        text = _FORM_FEED.sub(lambda found: "\n" * len(found[0]), text)
    try:
        return read_libcst(text, source)
    except ParserSyntaxError as error:
        line = error.raw_line if error.raw_line > 1 else _line_of_error(text)
        raise TextError("not readable as Python 3", line) from None


def _line_of_error(text: str) -> int:
    """The line that Python names; the parser says 1 where a text does not even fall into words."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 1
    return 1
