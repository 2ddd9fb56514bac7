"""The syntax tree of a program, as far as objects are made of it.

The shapes are those of LibCST, whose names are known, without white space: of each node is said where it begins and
ends, as offsets in the bytes of the program and without the parentheses around it. Fields that hold nodes come in the
order in which a walk meets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct


class Node(Struct, eq=False):
    start: int
    end: int


class Other(Node, eq=False):
    """What no other class is for: what stands below it counts."""

    below: Sequence[Node]


# Expressions.


class Name(Node, eq=False):
    """A name; True, False and None are some."""

    value: str


class Number(Node, eq=False):
    """A whole number or one with a point."""

    value: int | float


class SimpleString(Node, eq=False):
    """A text literal in one piece as it is written, or one of bytes."""

    value: str

    @property
    def prefix(self) -> str:
        return self.value[: len(self.value) - len(self.value.lstrip("rRbBuU"))]

    @property
    def quote(self) -> str:
        return quote_of(self.value[len(self.prefix) :])

    @property
    def raw_value(self) -> str:
        """What stands between its quotes."""
        width = len(self.quote)
        return self.value[len(self.prefix) + width : -width]

    @property
    def evaluated_value(self) -> str | bytes:
        from ast import literal_eval  # late: most texts say what they are worth

        found: str | bytes = literal_eval(self.value)
        return found


class FormattedStringText(Node, eq=False):
    """What stands between the fields, as it is written."""

    value: str


class FormattedStringExpression(Node, eq=False):
    """A field with its braces; ``equal``: it shows its expression, too."""

    expression: Node
    conversion: str | None
    format_spec: Sequence[Node] | None
    equal: bool


class FormattedString(Node, eq=False):
    """An f-string in one piece, or a t-string."""

    parts: Sequence[FormattedStringText | FormattedStringExpression]
    prefix: str
    quote: str


class ConcatenatedString(Node, eq=False):
    """Literals side by side: the first one, and the rest."""

    left: SimpleString | FormattedString
    right: SimpleString | FormattedString | ConcatenatedString

    @property
    def evaluated_value(self) -> str | bytes | None:
        """None where an f-string is in it."""
        if isinstance(self.left, FormattedString) or isinstance(self.right, FormattedString):
            return None
        left, right = self.left.evaluated_value, self.right.evaluated_value
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        return left + right if isinstance(left, bytes) and isinstance(right, bytes) else None


class Attribute(Node, eq=False):
    value: Node
    attr: Name


class Slice(Node, eq=False):
    below: Sequence[Node]


class Subscript(Node, eq=False):
    value: Node
    slice: Sequence[Node]


class Arg(Node, eq=False):
    """An argument, to the end of its value with its parentheses; ``comma`` is where that behind it ends."""

    value: Node
    keyword: Name | None
    star: str
    comma: int | None


class Call(Node, eq=False):
    """``bracket`` is where the one of its arguments opens."""

    func: Node
    args: Sequence[Arg]
    bracket: int


class Element(Node, eq=False):
    """An element, with its parentheses; ``comma`` is where that behind it ends."""

    value: Node
    comma: int | None


class StarredElement(Node, eq=False):
    """``*value``; else as Element."""

    value: Node
    comma: int | None


class DictElement(Node, eq=False):
    """``key: value``; else as Element."""

    key: Node
    value: Node
    comma: int | None


class StarredDictElement(Node, eq=False):
    """``**value``; else as Element."""

    value: Node
    comma: int | None


class Dict(Node, eq=False):
    elements: Sequence[DictElement | StarredDictElement]


class List(Node, eq=False):
    elements: Sequence[Element | StarredElement]


class Set(Node, eq=False):
    elements: Sequence[Element | StarredElement]


class Tuple(Node, eq=False):
    """``brackets`` are where the innermost parentheses around it open and close; None without any."""

    elements: Sequence[Element | StarredElement]
    brackets: tuple[int, int] | None


class UnaryOperation(Node, eq=False):
    operator: str
    expression: Node


class BinaryOperation(Node, eq=False):
    left: Node
    operator: str
    right: Node


class BooleanOperation(Node, eq=False):
    left: Node
    operator: str
    right: Node


class Comparison(Node, eq=False):
    below: Sequence[Node]


class IfExp(Node, eq=False):
    test: Node
    body: Node
    orelse: Node


class NamedExpr(Node, eq=False):
    target: Node
    value: Node


class Await(Node, eq=False):
    expression: Node


class From(Node, eq=False):
    """What stands behind ``from``, of ``yield`` or ``raise``."""

    item: Node


class Yield(Node, eq=False):
    value: Node | None


class CompFor(Node, eq=False):
    """A ``for`` of a comprehension with its conditions, and the one behind it."""

    target: Node
    iter: Node
    ifs: Sequence[Node]
    inner_for_in: CompFor | None


class ListComp(Node, eq=False):
    elt: Node
    for_in: CompFor


class SetComp(Node, eq=False):
    elt: Node
    for_in: CompFor


class GeneratorExp(Node, eq=False):
    elt: Node
    for_in: CompFor


class DictComp(Node, eq=False):
    key: Node
    value: Node
    for_in: CompFor


class Param(Node, eq=False):
    name: Name
    default: Node | None


class Parameters(Node, eq=False):
    params: Sequence[Param] = ()
    star_arg: Param | None = None
    kwonly_params: Sequence[Param] = ()
    star_kwarg: Param | None = None
    posonly_params: Sequence[Param] = ()


class Lambda(Node, eq=False):
    params: Parameters
    body: Node


# Statements.


class Expr(Node, eq=False):
    value: Node


class Assign(Node, eq=False):
    targets: Sequence[Node]
    value: Node


class AnnAssign(Node, eq=False):
    target: Node
    value: Node | None


class AugAssign(Node, eq=False):
    target: Node
    value: Node


class Del(Node, eq=False):
    target: Node


class Return(Node, eq=False):
    value: Node | None


class Global(Node, eq=False):
    names: Sequence[str]


class Nonlocal(Node, eq=False):
    names: Sequence[str]


class TypeAlias(Node, eq=False):
    name: str


class ImportAlias(Node, eq=False):
    """A name, with dots, that is imported, and what it is called here; ``comma`` is where that behind it ends."""

    name: str
    asname: str | None
    comma: int | None


class Import(Node, eq=False):
    names: Sequence[ImportAlias]


class ImportFrom(Node, eq=False):
    """``module`` begins with the dots of a relative one; no ``names`` are all. ``brackets`` are where those around the
    names open and close."""

    module: str
    names: Sequence[ImportAlias]
    brackets: tuple[int, int] | None


class SimpleStatementLine(Node, eq=False):
    """Statements that stand on one line."""

    body: Sequence[Node]


class Suite(Node, eq=False):
    """The statements below another one: its block, or those on its line."""

    body: Sequence[Node]


class Module(Node, eq=False):
    body: Sequence[Node]


class Decorator(Node, eq=False):
    decorator: Node


class FunctionDef(Node, eq=False):
    name: str
    params: Parameters
    body: Suite
    decorators: Sequence[Decorator]


class ClassDef(Node, eq=False):
    name: str
    body: Suite
    bases: Sequence[Arg]
    keywords: Sequence[Arg]
    decorators: Sequence[Decorator]


class For(Node, eq=False):
    target: Node
    iter: Node
    body: Suite
    orelse: Suite | None


class WithItem(Node, eq=False):
    item: Node
    name: Node | None


class With(Node, eq=False):
    items: Sequence[WithItem]
    body: Suite


class ExceptHandler(Node, eq=False):
    body: Suite
    type: Node | None
    name: str | None


class MatchAs(Node, eq=False):
    pattern: Node | None
    name: str | None


class MatchStar(Node, eq=False):
    name: str | None


class MatchMapping(Node, eq=False):
    below: Sequence[Node]
    rest: str | None


_CHILDREN: dict[type[Any], tuple[str, ...]] = {}


def children(node: Node) -> Iterator[Node]:
    """The statements and expressions directly below ``node``."""
    names = _CHILDREN.get(type(node))
    if names is None:
        names = _CHILDREN[type(node)] = tuple(name for name in node.__struct_fields__ if name not in ("start", "end"))
    for name in names:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, list | tuple):
            for each in value:
                if isinstance(each, Node):
                    yield each


def quote_of(text: str) -> str:
    """The quotes with which the literal ``text`` begins, behind its prefix."""
    return text[:3] if text[:3] in ('"""', "'''") and len(text) > 5 else text[:1]
