"""The syntax tree of a program, with the places of its nodes."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from hardener.sources.yaml import TextError

from .nesting import too_deep
from .places import Places, Span

LARGEST = 2**19  # bytes; reading takes a thousand times as much memory
_PIECE = 2**14  # characters that are parsed at once
_NEWLINE = re.compile(r"\r\n|\n|\r")
_BLANK = frozenset(
    {cst.SimpleWhitespace, cst.ParenthesizedWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline}
)
# The parser drops a form feed before a statement, and what stands before it on the line.
_FORM_FEED = re.compile(r"(?m)^[ \t\f]*\f")


def read(text: str, largest: int = LARGEST) -> tuple[cst.Module, Places]:
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
    if too_deep(text):
        raise RecursionError
    if "\f" in text:
        text = _FORM_FEED.sub(lambda found: "\n" * len(found[0]), text)
    try:
        module, found, missing = _parsed(text, _pieces(text))
    except cst.ParserSyntaxError as error:
        line = error.raw_line if error.raw_line > 1 else _line_of_error(text)
        raise TextError("not readable as Python 3", line) from None
    # The parser counts an end of the last line that is not there, and not one that is CR alone.
    if missing not in ((0, 1) if source.endswith(b"\r") else (0,) if source.endswith(b"\n") else (0, -1, -2)):
        raise TextError("its parser does not keep all of it")
    return module, Places(source, found)


def _line_of_error(text: str) -> int:
    """The line that Python names; the parser says 1 where a text does not even fall into words."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 1
    return 1


def _pieces(text: str) -> list[str]:
    """``text`` cut before statements of the module: the parser takes nine times the memory, and twice the time, for a
    large text in one piece. What this Python does not read stays whole."""
    if len(text) < 2 * _PIECE:
        return [text]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [text]
    starts = [0, *(found.end() for found in _NEWLINE.finditer(text))]
    pieces, begin, last = [], 0, 0
    for statement in statements:
        decorators = getattr(statement, "decorator_list", ())
        row = min([statement.lineno, *(each.lineno for each in decorators)])
        start = starts[row - 1]
        first = text[start : start + 1]
        is_first = row > last and (first == "@" if decorators else not first.isspace() and first not in "#\\")
        if start - begin >= _PIECE and is_first and not text[max(0, start - 3) : start].rstrip("\r\n").endswith("\\"):
            pieces.append(text[begin:start])
            begin = start
        last = statement.end_lineno or row
    return [*pieces, text[begin:]]


def _parsed(text: str, pieces: list[str]) -> tuple[cst.Module, dict[cst.CSTNode, Span], int]:
    """The tree of a text from its pieces, where its nodes stand, and how many bytes more the text has than the tree."""
    found: dict[cst.CSTNode, Span] = {}
    body: list[cst.SimpleStatementLine | cst.BaseCompoundStatement] = []
    position = missing = 0
    for piece in pieces:
        try:
            module = cst.parse_module(piece)
        except cst.ParserSyntaxError:
            if len(pieces) == 1:
                raise
            return _parsed(text, [text])  # which names the line
        found |= spans(module, piece.isascii(), position)
        missing = len(piece.encode()) - (found[module][1] - position)
        if missing and piece is not pieces[-1]:
            return _parsed(text, [text])
        position += len(piece.encode())
        body += module.body
    return (module if len(pieces) == 1 else cst.Module(body)), found, missing


def spans(module: cst.Module, is_ascii: bool = False, position: int = 0) -> dict[cst.CSTNode, Span]:
    """Where each node of ``module`` begins and ends in its text as UTF-8, which ``is_ascii`` or not and stands at
    ``position``; nothing of white space. Raises RecursionError.

    As libcst.metadata.ByteSpanPositionProvider finds them, in half of its time and memory.
    """
    state = _Positions(default_indent=module.default_indent, default_newline=module.default_newline)
    state.is_ascii, state.position = is_ascii, position
    try:
        module._codegen(state)
    except (LookupError, AttributeError) as error:  # what its clean-up makes of a RecursionError
        raise RecursionError from error
    return state.found


class _Positions(CodegenState):
    """Notes how far the text has come before and behind each node."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, tokens=[""])  # a text without any gets an end of line
        self.is_ascii = False
        self.position = 0
        self.stack: list[int] = []
        self.found: dict[cst.CSTNode, Span] = {}

    def add_token(self, value: str) -> None:
        self.position += len(value) if self.is_ascii else len(value.encode())

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.stack.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self.stack.pop()
        if type(node) not in _BLANK and node not in self.found:
            self.found[node] = start, self.position

    def record_syntactic_position(  # type: ignore[override]
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Syntactic:
        return _Syntactic(self, node, start_node, end_node)


class _Syntactic:
    """Around the text of a node without the parentheses or the comma that belong to it."""

    __slots__ = ("end_node", "node", "start", "start_node", "state")

    def __init__(
        self, state: _Positions, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.state, self.node, self.start_node, self.end_node = state, node, start_node, end_node
        self.start = state.position

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        state = self.state
        start = state.found[self.start_node][0] if self.start_node is not None else self.start
        end = state.found[self.end_node][1] if self.end_node is not None else state.position
        state.found[self.node] = start, end
