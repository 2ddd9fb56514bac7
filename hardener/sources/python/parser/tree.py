"""The syntax tree of a program, with the places of its nodes."""

import ast
import re

from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.lexemes import UnsureError
from hardener.sources.python.parser.nesting import checked
from hardener.sources.python.parser.positions import Places
from hardener.sources.python.parser.read_ast import read_ast
from hardener.sources.yaml import TextError

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
