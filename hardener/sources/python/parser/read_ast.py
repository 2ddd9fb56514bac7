"""The syntax tree of a program as Python itself reads it.

Python's own tree says where each expression stands, but nothing of parentheses, commas, comments and the pieces of a
text literal: these are looked up around its nodes.
"""

from __future__ import annotations

import ast
import re
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.lexemes import STRING, UnsureError, tokens, words
from hardener.sources.python.parser.positions import Places, Span

_GAP = rb"(?:[ \t\f\r\n]|\\(?:\r\n|[\r\n])|#[^\r\n]*+)*+"  # what may stand between two words
_GAPS = re.compile(_GAP)
_COMMENTS = re.compile(rb"#[^\r\n]*+")
_OPENING = re.compile(rb"(?:%b\))*+%b\(" % (_GAP, _GAP))  # of a call, behind what is called
_CLOSINGS = re.compile(rb"(?:%b\))*+" % _GAP)
_CLOSING = re.compile(rb"%b\)" % _GAP)
_COMMA = re.compile(rb"%b," % _GAP)
_COLON = re.compile(rb"%b:%b" % (_GAP, _GAP))
_KEYWORD = re.compile(rb"[^ \t\f\r\n\\#=]+%b=%b" % (_GAP, _GAP))  # the name of an argument
_CLASS = re.compile(rb"class%b[^ \t\f\r\n\\#(:]+%b\(" % (_GAP, _GAP))  # to the bracket of what it is made from
_SEMICOLON = re.compile(rb"(?:[ \t\f]|\\(?:\r\n|[\r\n]))*+;(?:[ \t\f]|\\(?:\r\n|[\r\n]))*+")
_NEWLINE = re.compile(rb"\r\n|\n|\r")
# In an f-string: what begins a field, and what only looks like it; then what ends the expression in a field.
_FIELD = re.compile(rb"\{\{|\}\}|\\N\{[^}]*\}|\\(?![{}]).|[{}]", re.S)
_RAW_FIELD = re.compile(rb"\{\{|\}\}|[{}]")
_IN_FORMAT = re.compile(rb"[{}]")
_IN_FIELD = re.compile(rb"[!=<>]=|[()\[\]{}!:=\\#]|" + STRING.pattern, re.S)
_CONVERSION = re.compile(rb"!([rsa])")

_OPERATORS = {
    ast.Add: "+", ast.BitOr: "|", ast.Mod: "%", ast.USub: "-", ast.Not: "not", ast.And: "and", ast.Or: "or",
}  # fmt: skip
_COMPOUND = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.AsyncFor, ast.While, ast.With,
    ast.AsyncWith, ast.Try, ast.TryStar, ast.Match,
)  # fmt: skip

_Elements = list[syntax.Element | syntax.StarredElement]


def _width(name: str) -> int:
    """How many bytes a name takes."""
    return len(name) if name.isascii() else len(name.encode())


def _extent(elements: _Elements) -> Span:
    """Where elements stand, with the commas behind them."""
    return elements[0].start, elements[-1].comma or elements[-1].end


def read_ast(tree: ast.Module, source: bytes) -> tuple[syntax.Module, Places]:
    """The tree of ``source`` for that of Python. Raises UnsureError."""
    try:
        return _read(tree, source, *words(source))
    except UnsureError:
        if sys.version_info < (3, 12):
            raise
    return _read(tree, source, *tokens(source))  # an f-string may hold the quotes that it stands in


def _read(
    tree: ast.Module, source: bytes, comments: list[int], literals: dict[int, int]
) -> tuple[syntax.Module, Places]:
    reader = _Reader(source, comments, literals)
    module = syntax.Module(0, len(source), reader.statements(tree.body))
    if reader.literals:  # a text or comment that is none
        raise UnsureError
    return module, Places(source, comments, reader.outer)


class _Reader:
    """Makes nodes of those of Python's tree. ``outer`` are the places of expressions with the parentheses around them,
    where there are some, ``literals`` the pieces of text literals that were not met yet."""

    def __init__(self, source: bytes, comments: list[int], literals: dict[int, int]) -> None:
        self.source, self.comments, self.literals = source, comments, literals
        self.is_in_field = False  # of an f-string: the literals there are not known
        self.lines = [0, *(found.end() for found in _NEWLINE.finditer(source))]
        self.outer: dict[syntax.Node, Span] = {}

    def span(self, node: Any) -> Span:
        lines = self.lines
        return lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset

    # What stands around expressions.

    def wrapped(self, value: syntax.Node, begin: int) -> int:
        """Where an expression ends with its parentheses, which ``begin`` there unless it has none."""
        end = value.end
        if begin == value.start:
            return end
        for _ in range(self.opened(begin, value.start)):
            end = self.closed(end)
        if end != value.end:
            self.outer[value] = begin, end
        return end

    def opened(self, start: int, end: int) -> int:
        """How many parentheses open between two words."""
        between = self.source[start:end]
        return (_COMMENTS.sub(b"", between) if b"#" in between else between).count(b"(")

    def closed(self, at: int) -> int:
        found = _CLOSING.match(self.source, at)
        if found is None:
            raise UnsureError
        return found.end()

    def comma(self, at: int) -> int | None:
        """Where the comma behind ``at`` ends, if the next thing is one."""
        if self.source[at : at + 1] == b",":
            return at + 1
        found = _COMMA.match(self.source, at)
        return found.end() if found is not None else None

    def behind(self, at: int) -> int:
        """Where the next word begins."""
        found = _GAPS.match(self.source, at)
        assert found is not None
        return found.end()

    # Expressions.

    def read(self, node: ast.AST) -> syntax.Node:
        return _READ[type(node)](self, node)

    def maybe(self, node: ast.AST | None) -> syntax.Node | None:
        return None if node is None else _READ[type(node)](self, node)

    def all(self, *nodes: ast.AST | None) -> list[syntax.Node]:
        return [_READ[type(node)](self, node) for node in nodes if node is not None]

    def other(self, node: ast.AST) -> syntax.Node:
        """What is newer than this."""
        raise UnsureError

    def name(self, node: ast.Name) -> syntax.Node:
        lines = self.lines
        return syntax.Name(
            lines[node.lineno - 1] + node.col_offset,
            lines[node.end_lineno - 1] + node.end_col_offset,  # type: ignore
            node.id,
        )

    def constant(self, node: ast.Constant) -> syntax.Node:
        start, end = self.span(node)
        value = node.value
        if isinstance(value, str | bytes):
            return self.text(start, end)
        if value is None or isinstance(value, bool):
            return syntax.Name(start, end, str(value))
        if isinstance(value, int | float):
            return syntax.Number(start, end, value)
        return syntax.Other(start, end, ())

    def joined(self, node: ast.JoinedStr) -> syntax.Node:
        return self.text(*self.span(node))

    def text(self, start: int, end: int) -> syntax.SimpleString | syntax.FormattedString | syntax.ConcatenatedString:
        """The literals side by side from ``start`` to ``end``."""
        if self.is_in_field:
            found = STRING.match(self.source, start)
            stop = found.end() if found is not None else None
        else:
            stop = self.literals.pop(start, None)
        if stop is None or stop > end:
            raise UnsureError
        literal = self.source[start:stop].decode()
        first: syntax.SimpleString | syntax.FormattedString
        if literal[0] in "\"'" or not {*literal.partition(literal[-1])[0].lower()} & {"f", "t"}:
            first = syntax.SimpleString(start, stop, literal)
        else:
            first = self.formatted(start, stop, literal)
        if stop == end:
            return first
        return syntax.ConcatenatedString(start, end, first, self.text(self.behind(stop), end))

    def formatted(self, start: int, end: int, literal: str) -> syntax.FormattedString:
        prefix = literal.partition(literal[-1])[0]
        if "t" in prefix.lower():
            raise UnsureError
        quote = syntax.quote_of(literal[len(prefix) :])
        pattern = _RAW_FIELD if "r" in prefix.lower() else _FIELD
        outside, self.is_in_field = self.is_in_field, True
        parts, _ = self.parts(start + len(prefix) + len(quote), end - len(quote), pattern)
        self.is_in_field = outside
        return syntax.FormattedString(start, end, parts, prefix, quote)

    def parts(
        self, start: int, end: int, pattern: re.Pattern[bytes]
    ) -> tuple[list[syntax.FormattedStringText | syntax.FormattedStringExpression], int]:
        """The parts of an f-string; of a format to the brace that ends its field. And where they end."""
        found: list[syntax.FormattedStringText | syntax.FormattedStringExpression] = []
        begin = at = start
        while (sign := pattern.search(self.source, at, end)) is not None:
            at = sign.end()
            if sign[0] == b"{":
                if begin < sign.start():
                    found.append(self.written(begin, sign.start()))
                found.append(self.field(sign.start(), end))
                begin = at = found[-1].end
            elif sign[0] == b"}":
                end = sign.start()
                break
        if (sign is None) is (pattern is _IN_FORMAT):  # a format ends with a brace, and a literal does not
            raise UnsureError
        if begin < end:
            found.append(self.written(begin, end))
        return found, end

    def written(self, start: int, end: int) -> syntax.FormattedStringText:
        return syntax.FormattedStringText(start, end, self.source[start:end].decode())

    def field(self, start: int, limit: int) -> syntax.FormattedStringExpression:
        """The field of an f-string whose brace opens at ``start``."""
        source = self.source
        at, equal, conversion, format_spec = self.expression_end(start + 1, limit), False, None, None
        expression = self.inner(start + 1, at)
        if source[at : at + 1] == b"=":
            at, equal = self.behind(at + 1), True
        if (found := _CONVERSION.match(source, at)) is not None:
            at, conversion = found.end(), found[1].decode()
        if source[at : at + 1] == b":":
            format_spec, at = self.parts(at + 1, limit, _IN_FORMAT)
        if source[at : at + 1] != b"}" or at >= limit:
            raise UnsureError
        return syntax.FormattedStringExpression(start, at + 1, expression, conversion, format_spec, equal)

    def expression_end(self, at: int, limit: int) -> int:
        """Where the expression ends that begins a field at ``at``."""
        depth = 0
        for sign in _IN_FIELD.finditer(self.source, at, limit):
            token = sign[0]
            if token in (b"\\", b"#"):
                break
            if token in (b"(", b"[", b"{"):
                depth += 1
            elif depth and token in (b")", b"]", b"}"):
                depth -= 1
            elif not depth and token in (b"}", b"!", b":", b"="):
                return sign.start()
        raise UnsureError

    def inner(self, start: int, end: int) -> syntax.Node:
        """The expression in a field."""
        text = self.source[start:end]
        try:
            tree = ast.parse(b"(" + text + b")", mode="eval").body
        except SyntaxError:
            raise UnsureError from None
        outside, self.lines = self.lines, [start - 1, *(start + found.end() for found in _NEWLINE.finditer(text))]
        if isinstance(tree, ast.Tuple) and self.span(tree)[0] < start:  # the parentheses are not its own
            elements = self.elements(tree.elts, start)
            made: syntax.Node = syntax.Tuple(*_extent(elements), elements, None)
        else:
            made = self.read(tree)
        self.lines = outside
        return made

    def attribute(self, node: ast.Attribute) -> syntax.Node:
        start, end = self.span(node)
        value = _READ[type(node.value)](self, node.value)
        return syntax.Attribute(start, end, value, syntax.Name(end - _width(node.attr), end, node.attr))

    def subscript(self, node: ast.Subscript) -> syntax.Node:
        value = self.read(node.value)
        index = self.read(node.slice)
        if isinstance(index, syntax.Tuple) and index.brackets is None:
            return syntax.Subscript(*self.span(node), value, [each.value for each in index.elements])
        return syntax.Subscript(*self.span(node), value, [index])

    def slice_(self, node: ast.Slice) -> syntax.Node:
        return syntax.Slice(*self.span(node), self.all(node.lower, node.upper, node.step))

    def call(self, node: ast.Call) -> syntax.Node:
        start, end = self.span(node)
        func = _READ[type(node.func)](self, node.func)
        bracket = func.end
        if self.source[bracket : bracket + 1] != b"(":
            found = _OPENING.match(self.source, bracket)
            if found is None:
                raise UnsureError
            bracket = found.end() - 1
        return syntax.Call(start, end, func, self.arguments(node.args, node.keywords, bracket + 1), bracket)

    def arguments(self, values: list[ast.expr], keywords: list[ast.keyword], at: int) -> list[syntax.Arg]:
        """The arguments of a call, of which the first one stands behind ``at``."""
        given: Iterable[ast.expr | ast.keyword] = (*values, *keywords)
        if keywords and values and isinstance(values[-1], ast.Starred):
            given = sorted(given, key=lambda each: (each.lineno, each.col_offset))  # *b may stand behind a=1
        found = []
        for each in given:
            begin = first = self.behind(at)
            keyword, star = None, ""
            inner: ast.expr = each  # type: ignore[assignment]
            if isinstance(each, ast.keyword):
                inner = each.value
                if each.arg is None:
                    star, first = "**", self.behind(begin + 2)
                else:
                    equal = _KEYWORD.match(self.source, begin)
                    if equal is None:
                        raise UnsureError
                    keyword, first = syntax.Name(begin, begin + _width(each.arg), each.arg), equal.end()
            elif isinstance(each, ast.Starred):
                inner, star, first = each.value, "*", self.behind(begin + 1)
            value = _READ[type(inner)](self, inner)
            end = value.end if first == value.start else self.wrapped(value, first)
            comma = self.comma(end)
            found.append(syntax.Arg(begin, end, value, keyword, star, comma))
            at = end if comma is None else comma
        return found

    def dict_(self, node: ast.Dict) -> syntax.Node:
        start, stop = self.span(node)
        found: list[syntax.DictElement | syntax.StarredDictElement] = []
        at = start + 1
        for left, right in zip(node.keys, node.values, strict=True):
            begin = self.behind(at)
            key = None
            if left is None:
                first = self.behind(begin + 2)
            else:
                key = _READ[type(left)](self, left)
                colon = _COLON.match(self.source, self.wrapped(key, begin))
                if colon is None:
                    raise UnsureError
                first = colon.end()
            value = _READ[type(right)](self, right)
            end = self.wrapped(value, first)
            comma = self.comma(end)
            if key is None:
                found.append(syntax.StarredDictElement(begin, end, value, comma))
            else:
                found.append(syntax.DictElement(begin, end, key, value, comma))
            at = end if comma is None else comma
        return syntax.Dict(start, stop, found)

    def list_(self, node: ast.List) -> syntax.Node:
        start, end = self.span(node)
        return syntax.List(start, end, self.elements(node.elts, start + 1))

    def set_(self, node: ast.Set) -> syntax.Node:
        start, end = self.span(node)
        return syntax.Set(start, end, self.elements(node.elts, start + 1))

    def tuple_(self, node: ast.Tuple) -> syntax.Node:
        start, end = self.span(node)
        if not node.elts:
            return syntax.Tuple(end - 1, end - 1, [], (start, end - 1))
        first = node.elts[0]
        value = self.read(first.value if isinstance(first, ast.Starred) else first)
        # Its first parenthesis may be that of the first element, which then ends before the comma.
        closings = _CLOSINGS.match(self.source, value.end)
        assert closings is not None
        has_brackets = self.opened(start, value.start) > _COMMENTS.sub(b"", closings[0]).count(b")")
        begin = self.behind(start + 1) if has_brackets else start
        elements = self.elements(node.elts, begin, value)
        begin, stop = _extent(elements)
        return syntax.Tuple(begin, stop, elements, (start, stop) if has_brackets else None)

    def elements(self, nodes: list[ast.expr], at: int, first: syntax.Node | None = None) -> _Elements:
        """The elements of a display, of which the first one stands behind ``at``, and may have been read."""
        found: _Elements = []
        for node in nodes:
            begin = inside = self.behind(at)
            is_starred = isinstance(node, ast.Starred)
            if isinstance(node, ast.Starred):
                node, inside = node.value, self.behind(begin + 1)
            value = _READ[type(node)](self, node) if first is None else first
            first = None
            end = self.wrapped(value, inside)
            comma = self.comma(end)
            found.append((syntax.StarredElement if is_starred else syntax.Element)(begin, end, value, comma))
            at = end if comma is None else comma
        return found

    def starred(self, node: ast.Starred) -> syntax.Node:
        return syntax.StarredElement(*self.span(node), self.read(node.value), None)

    def unary(self, node: ast.UnaryOp) -> syntax.Node:
        inner = _READ[type(node.operand)](self, node.operand)
        return syntax.UnaryOperation(*self.span(node), _OPERATORS.get(type(node.op), ""), inner)

    def binary(self, node: ast.BinOp) -> syntax.Node:
        left = _READ[type(node.left)](self, node.left)
        right = _READ[type(node.right)](self, node.right)
        return syntax.BinaryOperation(*self.span(node), left, _OPERATORS.get(type(node.op), ""), right)

    def boolean(self, node: ast.BoolOp) -> syntax.Node:
        start, _ = self.span(node)
        operator = _OPERATORS[type(node.op)]
        found, end = self.read(node.values[0]), 0
        last = found.end
        for each in node.values[1:]:
            right = self.read(each)
            end = right.end
            for _ in range(self.opened(last, right.start)):
                end = self.closed(end)
            found, last = syntax.BooleanOperation(start, end, found, operator, right), end
        return found

    def compare(self, node: ast.Compare) -> syntax.Node:
        return syntax.Comparison(*self.span(node), self.all(node.left, *node.comparators))

    def conditional(self, node: ast.IfExp) -> syntax.Node:
        test = _READ[type(node.test)](self, node.test)
        body = _READ[type(node.body)](self, node.body)
        orelse = _READ[type(node.orelse)](self, node.orelse)
        return syntax.IfExp(*self.span(node), test, body, orelse)

    def named(self, node: ast.NamedExpr) -> syntax.Node:
        return syntax.NamedExpr(*self.span(node), self.read(node.target), self.read(node.value))

    def lambda_(self, node: ast.Lambda) -> syntax.Node:
        start, end = self.span(node)
        params = self.parameters(node.args, start)
        return syntax.Lambda(start, end, params, _READ[type(node.body)](self, node.body))

    def parameters(self, node: ast.arguments, at: int) -> syntax.Parameters:
        defaults = self.all(*node.defaults)
        positional = [*node.posonlyargs, *node.args]
        without = [None] * (len(positional) - len(defaults))
        made = [self.parameter(each, value) for each, value in zip(positional, [*without, *defaults], strict=True)]
        named = [self.maybe(each) for each in node.kw_defaults]
        return syntax.Parameters(
            at,
            at,
            made[len(node.posonlyargs) :],
            self.parameter(node.vararg) if node.vararg is not None else None,
            [self.parameter(each, value) for each, value in zip(node.kwonlyargs, named, strict=True)],
            self.parameter(node.kwarg) if node.kwarg is not None else None,
            made[: len(node.posonlyargs)],
        )

    def parameter(self, node: ast.arg, default: syntax.Node | None = None) -> syntax.Param:
        self.maybe(node.annotation)  # for the texts in it
        start, end = self.span(node)
        return syntax.Param(start, end, syntax.Name(start, start + _width(node.arg), node.arg), default)

    def awaited(self, node: ast.Await) -> syntax.Node:
        return syntax.Await(*self.span(node), self.read(node.value))

    def yielded(self, node: ast.Yield) -> syntax.Node:
        return syntax.Yield(*self.span(node), self.maybe(node.value))

    def yielded_from(self, node: ast.YieldFrom) -> syntax.Node:
        item = self.read(node.value)
        return syntax.Yield(*self.span(node), syntax.From(item.start, item.end, item))

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> syntax.Node:
        start, end = self.span(node)
        elt = self.read(node.elt)
        clause, last = self.clauses(node.generators)
        if isinstance(node, ast.GeneratorExp):
            return syntax.GeneratorExp(self.behind(start + 1), last, elt, clause)
        return (syntax.ListComp if isinstance(node, ast.ListComp) else syntax.SetComp)(start, end, elt, clause)

    def dict_comprehension(self, node: ast.DictComp) -> syntax.Node:
        key, value = self.read(node.key), self.read(node.value)
        return syntax.DictComp(*self.span(node), key, value, self.clauses(node.generators)[0])

    def clauses(self, nodes: list[ast.comprehension]) -> tuple[syntax.CompFor, int]:
        """The ``for`` of a comprehension with those behind it, and where the last one ends."""
        read = [(self.read(each.target), self.read(each.iter), self.all(*each.ifs)) for each in nodes]
        target, items, conditions = read[-1]
        before, last = [target, items, *conditions][-2:]
        end = last.end
        for _ in range(self.opened(before.end, last.start)):
            end = self.closed(end)
        found: syntax.CompFor | None = None
        for target, items, conditions in reversed(read):
            found = syntax.CompFor(target.start, end, target, items, conditions, found)
        assert found is not None
        return found, end

    # Statements.

    def statements(self, nodes: list[ast.stmt]) -> list[syntax.Node]:
        """Statements that stand below each other, or on one line."""
        found: list[syntax.Node] = []
        line: list[syntax.Node] = []
        for node in nodes:
            made = self.read(node)
            if isinstance(node, _COMPOUND):
                found.append(made)
                continue
            between = _SEMICOLON.match(self.source, line[-1].end) if line else None
            if between is not None and between.end() == made.start:
                line.append(made)
                found[-1].end = made.end
            else:
                line = [made]
                found.append(syntax.SimpleStatementLine(made.start, made.end, line))
        return found

    def suite(self, nodes: list[ast.stmt]) -> syntax.Suite:
        body = self.statements(nodes)
        first = body[0]
        if isinstance(first, syntax.SimpleStatementLine):
            begin = self.lines[nodes[0].lineno - 1]
            if self.source[begin : first.start].strip(b" \t\f") or self.goes_on(nodes[0].lineno - 1):
                body = [*first.body]  # it stands on the line of what is around it
        return syntax.Suite(first.start, body[-1].end, body)

    def goes_on(self, line: int) -> bool:
        """Whether a backslash joins a line, which counts from 1, to the next one."""
        begin, end = self.lines[line - 1], self.lines[line]
        if not self.source[max(0, end - 3) : end].rstrip(b"\r\n").endswith(b"\\"):
            return False
        found = bisect_right(self.comments, end)
        return not found or self.comments[found - 1] < begin

    def suites(self, nodes: list[ast.stmt]) -> list[syntax.Suite]:
        return [self.suite(nodes)] if nodes else []

    def expression(self, node: ast.Expr) -> syntax.Node:
        return syntax.Expr(*self.span(node), self.read(node.value))

    def assign(self, node: ast.Assign) -> syntax.Node:
        start, end = self.span(node)
        targets = self.all(*node.targets)
        return syntax.Assign(start, end, targets, self.last(self.read(node.value), end))

    def annotated(self, node: ast.AnnAssign) -> syntax.Node:
        start, end = self.span(node)
        self.read(node.annotation)  # for the texts in it
        value = self.last(self.read(node.value), end) if node.value is not None else None
        return syntax.AnnAssign(start, end, self.read(node.target), value)

    def last(self, value: syntax.Node, end: int) -> syntax.Node:
        """``value``, behind which nothing but its parentheses stands before ``end``."""
        if value.end != end:
            self.outer[value] = value.start, end
        return value

    def augmented(self, node: ast.AugAssign) -> syntax.Node:
        return syntax.AugAssign(*self.span(node), self.read(node.target), self.read(node.value))

    def delete(self, node: ast.Delete) -> syntax.Node:
        start, end = self.span(node)
        elements = self.elements(node.targets, start + len("del"))
        if len(elements) == 1 and elements[0].comma is None:
            return syntax.Del(start, end, elements[0].value)
        return syntax.Del(start, end, syntax.Tuple(*_extent(elements), elements, None))

    def returned(self, node: ast.Return) -> syntax.Node:
        return syntax.Return(*self.span(node), self.maybe(node.value))

    def raised(self, node: ast.Raise) -> syntax.Node:
        cause = [syntax.From(each.start, each.end, each) for each in self.all(node.cause)]
        return syntax.Other(*self.span(node), [*self.all(node.exc), *cause])

    def asserted(self, node: ast.Assert) -> syntax.Node:
        return syntax.Other(*self.span(node), self.all(node.test, node.msg))

    def nothing(self, node: ast.stmt) -> syntax.Node:
        return syntax.Other(*self.span(node), ())

    def declared(self, node: ast.Global | ast.Nonlocal) -> syntax.Node:
        return (syntax.Global if isinstance(node, ast.Global) else syntax.Nonlocal)(*self.span(node), node.names)

    def imported(self, node: ast.Import) -> syntax.Node:
        return syntax.Import(*self.span(node), [self.alias(each) for each in node.names])

    def imported_from(self, node: ast.ImportFrom) -> syntax.Node:
        start, end = self.span(node)
        module = "." * node.level + (node.module or "")
        if node.names[0].name == "*":
            return syntax.ImportFrom(start, end, module, [], None)
        names = [self.alias(each) for each in node.names]
        bracket = self.source.find(b"(", start, names[0].start)
        stop = names[-1].end if names[-1].comma is None else end - 1
        return syntax.ImportFrom(start, end, module, names, (bracket, stop) if bracket >= 0 else None)

    def alias(self, node: ast.alias) -> syntax.ImportAlias:
        start, end = self.span(node)
        return syntax.ImportAlias(start, end, node.name, node.asname, self.comma(end))

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> syntax.Node:
        start, _ = self.span(node)
        decorators = self.decorators(node)
        params = self.parameters(node.args, start)
        self.maybe(node.returns)  # for the texts in it
        body = self.suite(node.body)
        return syntax.FunctionDef(start, body.end, node.name, params, body, decorators)

    def decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[syntax.Decorator]:
        self.read_parameters(node)
        return [syntax.Decorator(each.start, each.end, each) for each in self.all(*node.decorator_list)]

    def read_parameters(self, node: Any) -> None:
        """Read the parameters for types, which newer Pythons have, for the texts in them."""
        for each in getattr(node, "type_params", ()):
            self.all(getattr(each, "bound", None), getattr(each, "default_value", None))

    def class_(self, node: ast.ClassDef) -> syntax.Node:
        start, _ = self.span(node)
        decorators = self.decorators(node)
        found = _CLASS.match(self.source, start)
        if found is None and (node.bases or node.keywords):
            raise UnsureError  # what stands before them is newer than this
        given = self.arguments(node.bases, node.keywords, found.end()) if found is not None else []
        keywords = [each for each in given if each.keyword is not None or each.star == "**"]
        bases = [each for each in given if each not in keywords]
        body = self.suite(node.body)
        return syntax.ClassDef(start, body.end, node.name, body, bases, keywords, decorators)

    def type_alias(self, node: Any) -> syntax.Node:
        self.read_parameters(node)
        self.read(node.value)
        return syntax.TypeAlias(*self.span(node), node.name.id)

    def if_(self, node: ast.If) -> syntax.Node:
        below = [self.read(node.test), self.suite(node.body)]
        if node.orelse:
            alone = node.orelse[0]
            if isinstance(alone, ast.If) and self.source.startswith(b"elif", self.span(alone)[0]):
                below.append(self.if_(alone))
            else:
                below.append(self.suite(node.orelse))
        return syntax.Other(self.span(node)[0], below[-1].end, below)

    def while_(self, node: ast.While) -> syntax.Node:
        below = [self.read(node.test), self.suite(node.body), *self.suites(node.orelse)]
        return syntax.Other(self.span(node)[0], below[-1].end, below)

    def for_(self, node: ast.For | ast.AsyncFor) -> syntax.Node:
        start, _ = self.span(node)
        target, items = self.read(node.target), self.read(node.iter)
        body = self.suite(node.body)
        orelse = self.suite(node.orelse) if node.orelse else None
        return syntax.For(start, (orelse or body).end, target, items, body, orelse)

    def with_(self, node: ast.With | ast.AsyncWith) -> syntax.Node:
        items = []
        for each in node.items:
            item = self.read(each.context_expr)
            items.append(syntax.WithItem(item.start, item.end, item, self.maybe(each.optional_vars)))
        body = self.suite(node.body)
        return syntax.With(self.span(node)[0], body.end, items, body)

    def try_(self, node: ast.Try | ast.TryStar) -> syntax.Node:
        below: list[syntax.Node] = [self.suite(node.body)]
        for each in node.handlers:
            caught, body = self.maybe(each.type), self.suite(each.body)
            below.append(syntax.ExceptHandler(self.span(each)[0], body.end, body, caught, each.name))
        below += [*self.suites(node.orelse), *self.suites(node.finalbody)]
        return syntax.Other(self.span(node)[0], below[-1].end, below)

    def match(self, node: ast.Match) -> syntax.Node:
        below = [self.read(node.subject)]
        for case in node.cases:
            pattern, body = self.read(case.pattern), self.suite(case.body)
            below.append(syntax.Other(pattern.start, body.end, [pattern, body, *self.all(case.guard)]))
        return syntax.Other(self.span(node)[0], below[-1].end, below)

    # Patterns.

    def match_value(self, node: ast.MatchValue) -> syntax.Node:
        return syntax.Other(*self.span(node), [self.read(node.value)])

    def match_singleton(self, node: ast.MatchSingleton) -> syntax.Node:
        return syntax.Name(*self.span(node), str(node.value))

    def match_parts(self, node: ast.MatchSequence | ast.MatchOr) -> syntax.Node:
        return syntax.Other(*self.span(node), self.all(*node.patterns))

    def match_star(self, node: ast.MatchStar) -> syntax.Node:
        return syntax.MatchStar(*self.span(node), node.name)

    def match_mapping(self, node: ast.MatchMapping) -> syntax.Node:
        pairs = zip(node.keys, node.patterns, strict=True)
        return syntax.MatchMapping(*self.span(node), [each for pair in pairs for each in self.all(*pair)], node.rest)

    def match_class(self, node: ast.MatchClass) -> syntax.Node:
        return syntax.Other(*self.span(node), self.all(node.cls, *node.patterns, *node.kwd_patterns))

    def match_as(self, node: ast.MatchAs) -> syntax.Node:
        return syntax.MatchAs(*self.span(node), self.maybe(node.pattern), node.name)


# By the types of Python's nodes. Methods call these functions at once: each call more would be one more for each level
# of what is nested, of which there may be hundreds.
_READ: dict[type[ast.AST], Callable[[_Reader, Any], syntax.Node]] = defaultdict(
    lambda: _Reader.other,
    {
        ast.Name: _Reader.name,
        ast.Constant: _Reader.constant,
        ast.JoinedStr: _Reader.joined,
        ast.Attribute: _Reader.attribute,
        ast.Subscript: _Reader.subscript,
        ast.Slice: _Reader.slice_,
        ast.Call: _Reader.call,
        ast.Dict: _Reader.dict_,
        ast.List: _Reader.list_,
        ast.Set: _Reader.set_,
        ast.Tuple: _Reader.tuple_,
        ast.Starred: _Reader.starred,
        ast.UnaryOp: _Reader.unary,
        ast.BinOp: _Reader.binary,
        ast.BoolOp: _Reader.boolean,
        ast.Compare: _Reader.compare,
        ast.IfExp: _Reader.conditional,
        ast.NamedExpr: _Reader.named,
        ast.Lambda: _Reader.lambda_,
        ast.Await: _Reader.awaited,
        ast.Yield: _Reader.yielded,
        ast.YieldFrom: _Reader.yielded_from,
        ast.ListComp: _Reader.comprehension,
        ast.SetComp: _Reader.comprehension,
        ast.GeneratorExp: _Reader.comprehension,
        ast.DictComp: _Reader.dict_comprehension,
        ast.Expr: _Reader.expression,
        ast.Assign: _Reader.assign,
        ast.AnnAssign: _Reader.annotated,
        ast.AugAssign: _Reader.augmented,
        ast.Delete: _Reader.delete,
        ast.Return: _Reader.returned,
        ast.Raise: _Reader.raised,
        ast.Assert: _Reader.asserted,
        ast.Pass: _Reader.nothing,
        ast.Break: _Reader.nothing,
        ast.Continue: _Reader.nothing,
        ast.Global: _Reader.declared,
        ast.Nonlocal: _Reader.declared,
        ast.Import: _Reader.imported,
        ast.ImportFrom: _Reader.imported_from,
        ast.FunctionDef: _Reader.function,
        ast.AsyncFunctionDef: _Reader.function,
        ast.ClassDef: _Reader.class_,
        ast.If: _Reader.if_,
        ast.While: _Reader.while_,
        ast.For: _Reader.for_,
        ast.AsyncFor: _Reader.for_,
        ast.With: _Reader.with_,
        ast.AsyncWith: _Reader.with_,
        ast.Try: _Reader.try_,
        ast.TryStar: _Reader.try_,
        ast.Match: _Reader.match,
        ast.MatchValue: _Reader.match_value,
        ast.MatchSingleton: _Reader.match_singleton,
        ast.MatchSequence: _Reader.match_parts,
        ast.MatchOr: _Reader.match_parts,
        ast.MatchStar: _Reader.match_star,
        ast.MatchMapping: _Reader.match_mapping,
        ast.MatchClass: _Reader.match_class,
        ast.MatchAs: _Reader.match_as,
    },
)
if hasattr(ast, "TypeAlias"):
    _READ[ast.TypeAlias] = _Reader.type_alias
