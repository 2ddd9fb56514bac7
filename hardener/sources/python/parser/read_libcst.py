"""The syntax tree of a program that Python itself does not read, or that is written in a way which is not looked up in
its tree: as LibCST reads it. The syntax may be newer than this Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places, Span
from hardener.sources.yaml import TextError

_BLANK = frozenset(
    {cst.SimpleWhitespace, cst.ParenthesizedWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline}
)
_OPERATORS: dict[Any, str] = {
    cst.Add: "+", cst.BitOr: "|", cst.Modulo: "%", cst.Minus: "-", cst.Not: "not", cst.And: "and", cst.Or: "or",
}  # fmt: skip
_COMPREHENSIONS: dict[Any, Any] = {
    cst.ListComp: syntax.ListComp, cst.SetComp: syntax.SetComp, cst.GeneratorExp: syntax.GeneratorExp,
}  # fmt: skip
# Fields without expressions. Annotations say nothing about values.
_SKIPPED = frozenset(
    "comma lpar rpar lbracket rbracket lbrace rbrace header footer equal operator semicolon dot asynchronous indent "
    "annotation returns type_parameters leading_lines lines_after_decorators".split()
)


def read_libcst(text: str, source: bytes) -> tuple[syntax.Module, Places]:
    """The tree of ``text``, with the places in ``source``, which is as long. Raises cst.ParserSyntaxError for what it
    does not read, TextError for what it does not keep, and RecursionError for what is nested too deeply."""
    module = cst.parse_module(text)
    state = _Positions(default_indent=module.default_indent, default_newline=module.default_newline)
    state.is_ascii = text.isascii()
    try:
        module._codegen(state)
    except (LookupError, AttributeError) as error:  # what its clean-up makes of a RecursionError
        raise RecursionError from error
    # The parser counts an end of the last line that is not there, and not one that is CR alone.
    missing = len(source) - state.position
    if missing not in ((0, 1) if source.endswith(b"\r") else (0,) if source.endswith(b"\n") else (0, -1, -2)):
        raise TextError("its parser does not keep all of it")
    reader = _Reader(source, state.found)
    made = syntax.Module(0, len(source), reader.all(module.body))
    return made, Places(source, state.comments, reader.outer)


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


class _Reader:
    """Makes nodes of those of LibCST, which stand where ``spans`` says by their ids. ``outer`` are the places of
    expressions with the parentheses around them, where there are some."""

    def __init__(self, source: bytes, spans: dict[int, Span]) -> None:
        self.source, self.spans = source, spans
        self.outer: dict[syntax.Node, Span] = {}

    def all(self, nodes: Iterable[cst.CSTNode]) -> list[Any]:
        return [self.read(node) for node in nodes]

    def maybe(self, node: cst.CSTNode | None) -> Any:
        return None if node is None else self.read(node)

    def read(self, node: cst.CSTNode) -> Any:
        made = self._made(node, *self.spans[id(node)])
        opening: Any = getattr(node, "lpar", ())
        if isinstance(opening, Sequence) and opening:
            self.outer[made] = self.spans[id(opening[0])][0], self.spans[id(node.rpar[-1])][1]  # type: ignore
        return made

    def _made(self, node: cst.CSTNode, start: int, end: int) -> Any:
        return _READ.get(type(node), _other)(self, node, start, end)

    def comma(self, node: Any) -> int | None:
        return self.spans[id(node.comma)][1] if isinstance(node.comma, cst.Comma) else None

    def extent(self, node: syntax.Node) -> Span:
        """Where an expression stands with its parentheses."""
        return self.outer.get(node, (node.start, node.end))


def _below(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    for name in node.__dataclass_fields__:
        if name in _SKIPPED or "whitespace" in name:
            continue
        value = getattr(node, name)
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, cst.CSTNode):
                yield each


def _other(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    return syntax.Other(start, end, reader.all(_below(node)))


def _number(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    try:
        return syntax.Number(start, end, node.evaluated_value)
    except (ValueError, SyntaxError):  # of more digits than Python reads
        return syntax.Other(start, end, ())


def _element(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    value = reader.read(node.value)
    first, last = reader.extent(value)
    if isinstance(node, cst.DictElement):
        key = reader.read(node.key)
        return syntax.DictElement(reader.extent(key)[0], last, key, value, reader.comma(node))
    if isinstance(node, cst.Element):
        return syntax.Element(first, last, value, reader.comma(node))
    if isinstance(node, cst.StarredDictElement):
        return syntax.StarredDictElement(reader.source.rindex(b"**", 0, first), last, value, reader.comma(node))
    if node.rpar:
        last = reader.spans[id(node.rpar[-1])][1]
    return syntax.StarredElement(reader.source.rindex(b"*", 0, first), last, value, reader.comma(node))


def _tuple(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    brackets = None
    if node.lpar:
        brackets = reader.spans[id(node.lpar[-1])][0], reader.spans[id(node.rpar[0])][0]
    return syntax.Tuple(start, end, reader.all(node.elements), brackets)


def _arg(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    value = reader.read(node.value)
    return syntax.Arg(start, reader.extent(value)[1], value, reader.maybe(node.keyword), node.star, reader.comma(node))


def _call(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    func = reader.read(node.func)
    bracket = reader.source.index(b"(", reader.extent(func)[1])
    return syntax.Call(start, end, func, reader.all(node.args), bracket)


def _formatted(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    prefix = node.start[: len(node.start) - len(node.end)]
    return syntax.FormattedString(start, end, reader.all(node.parts), prefix, node.end)


def _field(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    expression = reader.read(node.expression)
    spec = None if node.format_spec is None else reader.all(node.format_spec)
    return syntax.FormattedStringExpression(start, end, expression, node.conversion, spec, node.equal is not None)


def _comprehension(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    if isinstance(node, cst.DictComp):
        key, value = reader.read(node.key), reader.read(node.value)
        return syntax.DictComp(start, end, key, value, reader.read(node.for_in))
    made: syntax.Node = _COMPREHENSIONS[type(node)](start, end, reader.read(node.elt), reader.read(node.for_in))
    return made


def _parameters(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    stars = [reader.read(each) if isinstance(each, cst.Param) else None for each in (node.star_arg, node.star_kwarg)]
    return syntax.Parameters(
        start,
        end,
        reader.all(node.params),
        stars[0],
        reader.all(node.kwonly_params),
        stars[1],
        reader.all(node.posonly_params),
    )


def _dotted(node: cst.CSTNode) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    assert isinstance(node, cst.Name)
    return ".".join([node.value, *reversed(parts)])


def _imported(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    names = []
    for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
        own = alias.asname.name.value if alias.asname else None
        last = alias.asname.name if alias.asname else alias.name  # the span of an alias takes its comma along
        place = reader.spans[id(alias)][0], reader.spans[id(last)][1]
        names.append(syntax.ImportAlias(*place, _dotted(alias.name), own, reader.comma(alias)))
    if isinstance(node, cst.Import):
        return syntax.Import(start, end, names)
    module = "." * len(node.relative) + (_dotted(node.module) if node.module else "")
    brackets = None
    if node.lpar is not None and node.rpar is not None:
        brackets = reader.spans[id(node.lpar)][0], reader.spans[id(node.rpar)][0]
    return syntax.ImportFrom(start, end, module, names, brackets)


def _class(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    decorators, bases, keywords = map(reader.all, (node.decorators, node.bases, node.keywords))
    return syntax.ClassDef(start, end, node.name.value, reader.read(node.body), bases, keywords, decorators)


def _function(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    decorators, params = reader.all(node.decorators), reader.read(node.params)
    return syntax.FunctionDef(start, end, node.name.value, params, reader.read(node.body), decorators)


def _caught(reader: _Reader, node: Any, start: int, end: int) -> syntax.Node:
    name = node.name.name.value if node.name is not None else None
    return syntax.ExceptHandler(start, end, reader.read(node.body), reader.maybe(node.type), name)


def _name(node: cst.Name | None) -> str | None:
    return None if node is None else node.value


_READ: dict[Any, Any] = {
    cst.Name: lambda _, node, start, end: syntax.Name(start, end, node.value),
    cst.Integer: _number,
    cst.Float: _number,
    cst.SimpleString: lambda _, node, start, end: syntax.SimpleString(start, end, node.value),
    cst.ConcatenatedString: lambda reader, node, start, end: syntax.ConcatenatedString(
        start, end, reader.read(node.left), reader.read(node.right)
    ),
    cst.FormattedString: _formatted,
    cst.FormattedStringText: lambda _, node, start, end: syntax.FormattedStringText(start, end, node.value),
    cst.FormattedStringExpression: _field,
    cst.Attribute: lambda reader, node, start, end: syntax.Attribute(
        start, end, reader.read(node.value), reader.read(node.attr)
    ),
    cst.Subscript: lambda reader, node, start, end: syntax.Subscript(
        start,
        end,
        reader.read(node.value),
        [reader.read(each.slice.value if isinstance(each.slice, cst.Index) else each.slice) for each in node.slice],
    ),
    cst.Slice: lambda reader, node, start, end: syntax.Slice(
        start, end, [reader.read(each) for each in (node.lower, node.upper, node.step) if each is not None]
    ),
    cst.Arg: _arg,
    cst.Call: _call,
    cst.Element: _element,
    cst.StarredElement: _element,
    cst.DictElement: _element,
    cst.StarredDictElement: _element,
    cst.Dict: lambda reader, node, start, end: syntax.Dict(start, end, reader.all(node.elements)),
    cst.List: lambda reader, node, start, end: syntax.List(start, end, reader.all(node.elements)),
    cst.Set: lambda reader, node, start, end: syntax.Set(start, end, reader.all(node.elements)),
    cst.Tuple: _tuple,
    cst.UnaryOperation: lambda reader, node, start, end: syntax.UnaryOperation(
        start, end, _OPERATORS.get(type(node.operator), ""), reader.read(node.expression)
    ),
    cst.BinaryOperation: lambda reader, node, start, end: syntax.BinaryOperation(
        start, end, reader.read(node.left), _OPERATORS.get(type(node.operator), ""), reader.read(node.right)
    ),
    cst.BooleanOperation: lambda reader, node, start, end: syntax.BooleanOperation(
        start, end, reader.read(node.left), _OPERATORS[type(node.operator)], reader.read(node.right)
    ),
    cst.Comparison: lambda reader, node, start, end: syntax.Comparison(
        start, end, [reader.read(node.left), *(reader.read(each.comparator) for each in node.comparisons)]
    ),
    cst.IfExp: lambda reader, node, start, end: syntax.IfExp(
        start, end, reader.read(node.test), reader.read(node.body), reader.read(node.orelse)
    ),
    cst.NamedExpr: lambda reader, node, start, end: syntax.NamedExpr(
        start, end, reader.read(node.target), reader.read(node.value)
    ),
    cst.Await: lambda reader, node, start, end: syntax.Await(start, end, reader.read(node.expression)),
    cst.From: lambda reader, node, start, end: syntax.From(start, end, reader.read(node.item)),
    cst.Yield: lambda reader, node, start, end: syntax.Yield(start, end, reader.maybe(node.value)),
    cst.CompFor: lambda reader, node, start, end: syntax.CompFor(
        start,
        end,
        reader.read(node.target),
        reader.read(node.iter),
        [reader.read(each.test) for each in node.ifs],
        reader.maybe(node.inner_for_in),
    ),
    **dict.fromkeys((*_COMPREHENSIONS, cst.DictComp), _comprehension),
    cst.Param: lambda reader, node, start, end: syntax.Param(
        start, end, reader.read(node.name), reader.maybe(node.default)
    ),
    cst.Parameters: _parameters,
    cst.Lambda: lambda reader, node, start, end: syntax.Lambda(
        start, end, reader.read(node.params), reader.read(node.body)
    ),
    cst.Expr: lambda reader, node, start, end: syntax.Expr(start, end, reader.read(node.value)),
    cst.Assign: lambda reader, node, start, end: syntax.Assign(
        start, end, [reader.read(each.target) for each in node.targets], reader.read(node.value)
    ),
    cst.AnnAssign: lambda reader, node, start, end: syntax.AnnAssign(
        start, end, reader.read(node.target), reader.maybe(node.value)
    ),
    cst.AugAssign: lambda reader, node, start, end: syntax.AugAssign(
        start, end, reader.read(node.target), reader.read(node.value)
    ),
    cst.Del: lambda reader, node, start, end: syntax.Del(start, end, reader.read(node.target)),
    cst.Return: lambda reader, node, start, end: syntax.Return(start, end, reader.maybe(node.value)),
    cst.Global: lambda _, node, start, end: syntax.Global(start, end, [each.name.value for each in node.names]),
    cst.Nonlocal: lambda _, node, start, end: syntax.Nonlocal(start, end, [each.name.value for each in node.names]),
    cst.Import: _imported,
    cst.ImportFrom: _imported,
    cst.SimpleStatementLine: lambda reader, node, start, end: syntax.SimpleStatementLine(
        start, end, reader.all(node.body)
    ),
    cst.IndentedBlock: lambda reader, node, start, end: syntax.Suite(start, end, reader.all(node.body)),
    cst.SimpleStatementSuite: lambda reader, node, start, end: syntax.Suite(start, end, reader.all(node.body)),
    cst.Else: lambda reader, node, start, end: reader.read(node.body),
    cst.Finally: lambda reader, node, start, end: reader.read(node.body),
    cst.Decorator: lambda reader, node, start, end: syntax.Decorator(start, end, reader.read(node.decorator)),
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
    cst.For: lambda reader, node, start, end: syntax.For(
        start, end, reader.read(node.target), reader.read(node.iter), reader.read(node.body), reader.maybe(node.orelse)
    ),
    cst.WithItem: lambda reader, node, start, end: syntax.WithItem(
        start, end, reader.read(node.item), reader.read(node.asname.name) if node.asname is not None else None
    ),
    cst.With: lambda reader, node, start, end: syntax.With(start, end, reader.all(node.items), reader.read(node.body)),
    cst.ExceptHandler: _caught,
    cst.ExceptStarHandler: _caught,
    cst.MatchAs: lambda reader, node, start, end: syntax.MatchAs(
        start, end, reader.maybe(node.pattern), _name(node.name)
    ),
    cst.MatchKeywordElement: lambda reader, node, start, end: reader.read(node.pattern),
    cst.MatchStar: lambda _, node, start, end: syntax.MatchStar(start, end, _name(node.name)),
    cst.MatchMapping: lambda reader, node, start, end: syntax.MatchMapping(
        start, end, [part for each in node.elements for part in reader.all(_below(each))], _name(node.rest)
    ),
}
if hasattr(cst, "TypeAlias"):
    _READ[cst.TypeAlias] = lambda _, node, start, end: syntax.TypeAlias(start, end, node.name.value)
