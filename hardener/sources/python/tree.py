"""The syntax tree of a program, with the places of its nodes."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from hardener.sources.yaml import TextError

from .nesting import checked
from .pieces import PIECE, TextPiece, pieces
from .places import Places, Span
from .scan import children

LARGEST = 2**19  # bytes; reading takes hundreds of times as much memory
_BLANK = frozenset(
    {cst.SimpleWhitespace, cst.ParenthesizedWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline}
)
_DISPLAYS = (cst.List, cst.Tuple, cst.Set, cst.Dict)
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
    if "\f" in text:
        text = _FORM_FEED.sub(lambda found: "\n" * len(found[0]), text)
    syntax = checked(text, len(source) >= 2 * PIECE)
    try:
        found = _read(text.encode(), syntax)
    except cst.ParserSyntaxError as error:
        line = error.raw_line if error.raw_line > 1 else _line_of_error(text)
        raise TextError("not readable as Python 3", line) from None
    # The parser counts an end of the last line that is not there, and not one that is CR alone.
    if found.missing not in ((0, 1) if source.endswith(b"\r") else (0,) if source.endswith(b"\n") else (0, -1, -2)):
        raise TextError("its parser does not keep all of it")
    return found.module, Places(source, found.spans, found.comments, found.modules)


def _line_of_error(text: str) -> int:
    """The line that Python names; the parser says 1 where a text does not even fall into words."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 1
    return 1


class _UncutError(Exception):
    """The pieces of a text do not fit together."""


def _read(source: bytes, syntax: ast.Module | None) -> _Read:
    """``source`` in pieces; in one where Python itself does not read it (``syntax`` is None), or they do not fit."""
    if syntax is not None:
        try:
            return _Read(source, pieces(source, syntax))
        except (_UncutError, cst.ParserSyntaxError):
            pass
    return _Read(source, [TextPiece("module", 0, len(source))])


class _Read:
    """The tree of ``source``, read piece by piece. ``spans`` has the places of nodes by their ids, so ``modules`` keeps
    all nodes that there are; at each of ``comments`` one begins. The text has ``missing`` bytes more than the tree."""

    def __init__(self, source: bytes, cut: list[TextPiece]) -> None:
        self.source = source
        self.spans: dict[int, Span] = {}
        self.comments: list[int] = []
        self.modules: list[cst.CSTNode] = []
        found = [self._piece(piece, is_last=piece is cut[-1]) for piece in cut]
        self.missing = found[-1][1]
        self.module = found[0][0] if len(cut) == 1 else cst.Module([line for each, _ in found for line in each.body])

    def _piece(self, piece: TextPiece, is_last: bool = False) -> tuple[cst.Module, int]:
        """The tree of a piece, and how many bytes more it has."""
        program = piece.program(self.source)
        module = cst.parse_module(program)
        state = _Positions(default_indent=module.default_indent, default_newline=module.default_newline)
        state.is_ascii, state.position = program.isascii(), piece.offset
        if not piece.holes:  # all stands where it says
            state.found, state.comments = self.spans, self.comments
        try:
            module._codegen(state)
        except (LookupError, AttributeError) as error:  # what its clean-up makes of a RecursionError
            raise RecursionError from error
        missing = piece.offset + len(program.encode()) - state.position
        if missing and not is_last:
            raise _UncutError
        self.modules.append(module)
        if not piece.holes:
            return module, missing
        place = piece.place()
        self.spans.update({key: (place(start), place(end)) for key, (start, end) in state.found.items()})
        self.comments += map(place, state.comments)
        self._fill(module, piece)
        return module, missing

    def _fill(self, module: cst.Module, piece: TextPiece) -> None:
        """Put the nodes of the pieces that were taken out of ``piece`` in their place in its tree."""
        holes = {hole.place: hole for hole in piece.holes}
        waiting: list[cst.CSTNode] = [module]
        while waiting:
            node = waiting.pop()
            name = "elements" if isinstance(node, _DISPLAYS) else "body"
            items = getattr(node, name) if isinstance(node, (*_DISPLAYS, cst.IndentedBlock)) else ()
            waiting += children(node)
            for index, item in enumerate(items):
                if (hole := holes.pop(self.spans[id(item)][0], None)) is not None:
                    self.modules.append(item)
                    inner = [item for each in hole.pieces for item in self._inner(each)]
                    object.__setattr__(node, name, (*items[:index], *inner, *items[index + 1 :]))  # it is frozen
        if holes:
            raise _UncutError

    def _inner(self, piece: TextPiece) -> Sequence[cst.CSTNode]:
        """The nodes of a piece that was taken out."""
        lines = self._piece(piece)[0].body
        if len(lines) == 1 and isinstance(lines[0], cst.If):
            return lines[0].body.body
        if len(lines) == 1 and isinstance(lines[0], cst.SimpleStatementLine):
            alone = lines[0].body[0]
            if isinstance(alone, cst.Expr) and isinstance(alone.value, _DISPLAYS):
                return alone.value.elements
        raise _UncutError


class _Positions(CodegenState):
    """Notes how far the text has come before and behind each node, and where comments begin; nothing of white space.

    As libcst.metadata.ByteSpanPositionProvider finds them, in half of its time and memory.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, tokens=[""])  # a text without any gets an end of line
        self.is_ascii = False
        self.position = 0
        self.stack: list[int] = []
        self.open: list[tuple[cst.CSTNode, int, cst.CSTNode | None, cst.CSTNode | None]] = []
        self.found: dict[int, Span] = {}
        self.comments: list[int] = []

    def add_token(self, value: str) -> None:
        self.position += len(value) if self.is_ascii else len(value.encode())

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.stack.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self.stack.pop()
        kind = type(node)
        if kind not in _BLANK:
            self.found.setdefault(id(node), (start, self.position))
            if kind is cst.Comment:
                self.comments.append(start)

    def record_syntactic_position(  # type: ignore[override]
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Positions:
        self.open.append((node, self.position, start_node, end_node))
        return self

    def __enter__(self) -> None:
        """Around the text of a node without the parentheses or the comma that belong to it."""

    def __exit__(self, *_: object) -> None:
        node, start, start_node, end_node = self.open.pop()
        if start_node is not None:
            start = self.found[id(start_node)][0]
        self.found[id(node)] = start, self.position if end_node is None else self.found[id(end_node)][1]
