"""The syntax tree of a program, as far as objects are made of it.

The shapes are those of LibCST, whose names are known, without white space: of each node is said where it begins and
ends, as offsets in the bytes of the program and without the parentheses around it. Fields that hold nodes come in the
order in which a walk meets them.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from hardener.support.fast_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(slots=True, eq=False)
class Node:
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Other(Node):
    """What no other class is for: what stands below it counts."""

    below: Sequence[Node]


# Expressions.


@dataclass(slots=True, eq=False)
class Name(Node):
    """A name; True, False and None are some."""

    value: str


@dataclass(slots=True, eq=False)
class Number(Node):
    """A whole number or one with a point."""

    value: int | float


@dataclass(slots=True, eq=False)
class SimpleString(Node):
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


@dataclass(slots=True, eq=False)
class FormattedStringText(Node):
    """What stands between the fields, as it is written."""

    value: str


@dataclass(slots=True, eq=False)
class FormattedStringExpression(Node):
    """A field with its braces; ``equal``: it shows its expression, too."""

    expression: Node
    conversion: str | None
    format_spec: Sequence[Node] | None
    equal: bool


@dataclass(slots=True, eq=False)
class FormattedString(Node):
    """An f-string in one piece, or a t-string."""

    parts: Sequence[FormattedStringText | FormattedStringExpression]
    prefix: str
    quote: str


@dataclass(slots=True, eq=False)
class ConcatenatedString(Node):
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


@dataclass(slots=True, eq=False)
class Attribute(Node):
    value: Node
    attr: Name


@dataclass(slots=True, eq=False)
class Slice(Node):
    below: Sequence[Node]


@dataclass(slots=True, eq=False)
class Subscript(Node):
    value: Node
    slice: Sequence[Node]


@dataclass(slots=True, eq=False)
class Arg(Node):
    """An argument, to the end of its value with its parentheses; ``comma`` is where that behind it ends."""

    value: Node
    keyword: Name | None
    star: str
    comma: int | None


@dataclass(slots=True, eq=False)
class Call(Node):
    """``bracket`` is where the one of its arguments opens."""

    func: Node
    args: Sequence[Arg]
    bracket: int


@dataclass(slots=True, eq=False)
class Element(Node):
    """An element, with its parentheses; ``comma`` is where that behind it ends."""

    value: Node
    comma: int | None


@dataclass(slots=True, eq=False)
class StarredElement(Node):
    """``*value``; else as Element."""

    value: Node
    comma: int | None


@dataclass(slots=True, eq=False)
class DictElement(Node):
    """``key: value``; else as Element."""

    key: Node
    value: Node
    comma: int | None


@dataclass(slots=True, eq=False)
class StarredDictElement(Node):
    """``**value``; else as Element."""

    value: Node
    comma: int | None


@dataclass(slots=True, eq=False)
class Dict(Node):
    elements: Sequence[DictElement | StarredDictElement]


@dataclass(slots=True, eq=False)
class List(Node):
    elements: Sequence[Element | StarredElement]


@dataclass(slots=True, eq=False)
class Set(Node):
    elements: Sequence[Element | StarredElement]


@dataclass(slots=True, eq=False)
class Tuple(Node):
    """``brackets`` are where the innermost parentheses around it open and close; None without any."""

    elements: Sequence[Element | StarredElement]
    brackets: tuple[int, int] | None


@dataclass(slots=True, eq=False)
class UnaryOperation(Node):
    operator: str
    expression: Node


@dataclass(slots=True, eq=False)
class BinaryOperation(Node):
    left: Node
    operator: str
    right: Node


@dataclass(slots=True, eq=False)
class BooleanOperation(Node):
    left: Node
    operator: str
    right: Node


@dataclass(slots=True, eq=False)
class Comparison(Node):
    below: Sequence[Node]


@dataclass(slots=True, eq=False)
class IfExp(Node):
    test: Node
    body: Node
    orelse: Node


@dataclass(slots=True, eq=False)
class NamedExpr(Node):
    target: Node
    value: Node


@dataclass(slots=True, eq=False)
class Await(Node):
    expression: Node


@dataclass(slots=True, eq=False)
class From(Node):
    """What stands behind ``from``, of ``yield`` or ``raise``."""

    item: Node


@dataclass(slots=True, eq=False)
class Yield(Node):
    value: Node | None


@dataclass(slots=True, eq=False)
class CompFor(Node):
    """A ``for`` of a comprehension with its conditions, and the one behind it."""

    target: Node
    iter: Node
    ifs: Sequence[Node]
    inner_for_in: CompFor | None


@dataclass(slots=True, eq=False)
class ListComp(Node):
    elt: Node
    for_in: CompFor


@dataclass(slots=True, eq=False)
class SetComp(Node):
    elt: Node
    for_in: CompFor


@dataclass(slots=True, eq=False)
class GeneratorExp(Node):
    elt: Node
    for_in: CompFor


@dataclass(slots=True, eq=False)
class DictComp(Node):
    key: Node
    value: Node
    for_in: CompFor


@dataclass(slots=True, eq=False)
class Param(Node):
    name: Name
    default: Node | None


@dataclass(slots=True, eq=False)
class Parameters(Node):
    params: Sequence[Param] = ()
    star_arg: Param | None = None
    kwonly_params: Sequence[Param] = ()
    star_kwarg: Param | None = None
    posonly_params: Sequence[Param] = ()


@dataclass(slots=True, eq=False)
class Lambda(Node):
    params: Parameters
    body: Node


# Statements.


@dataclass(slots=True, eq=False)
class Expr(Node):
    value: Node


@dataclass(slots=True, eq=False)
class Assign(Node):
    targets: Sequence[Node]
    value: Node


@dataclass(slots=True, eq=False)
class AnnAssign(Node):
    target: Node
    value: Node | None


@dataclass(slots=True, eq=False)
class AugAssign(Node):
    target: Node
    value: Node


@dataclass(slots=True, eq=False)
class Del(Node):
    target: Node


@dataclass(slots=True, eq=False)
class Return(Node):
    value: Node | None


@dataclass(slots=True, eq=False)
class Global(Node):
    names: Sequence[str]


@dataclass(slots=True, eq=False)
class Nonlocal(Node):
    names: Sequence[str]


@dataclass(slots=True, eq=False)
class TypeAlias(Node):
    name: str


@dataclass(slots=True, eq=False)
class ImportAlias(Node):
    """A name, with dots, that is imported, and what it is called here; ``comma`` is where that behind it ends."""

    name: str
    asname: str | None
    comma: int | None


@dataclass(slots=True, eq=False)
class Import(Node):
    names: Sequence[ImportAlias]


@dataclass(slots=True, eq=False)
class ImportFrom(Node):
    """``module`` begins with the dots of a relative one; no ``names`` are all. ``brackets`` are where those around the
    names open and close."""

    module: str
    names: Sequence[ImportAlias]
    brackets: tuple[int, int] | None


@dataclass(slots=True, eq=False)
class SimpleStatementLine(Node):
    """Statements that stand on one line."""

    body: Sequence[Node]


@dataclass(slots=True, eq=False)
class Suite(Node):
    """The statements below another one: its block, or those on its line."""

    body: Sequence[Node]


@dataclass(slots=True, eq=False)
class Module(Node):
    body: Sequence[Node]


@dataclass(slots=True, eq=False)
class Decorator(Node):
    decorator: Node


@dataclass(slots=True, eq=False)
class FunctionDef(Node):
    name: str
    params: Parameters
    body: Suite
    decorators: Sequence[Decorator]


@dataclass(slots=True, eq=False)
class ClassDef(Node):
    name: str
    body: Suite
    bases: Sequence[Arg]
    keywords: Sequence[Arg]
    decorators: Sequence[Decorator]


@dataclass(slots=True, eq=False)
class For(Node):
    target: Node
    iter: Node
    body: Suite
    orelse: Suite | None


@dataclass(slots=True, eq=False)
class WithItem(Node):
    item: Node
    name: Node | None


@dataclass(slots=True, eq=False)
class With(Node):
    items: Sequence[WithItem]
    body: Suite


@dataclass(slots=True, eq=False)
class ExceptHandler(Node):
    body: Suite
    type: Node | None
    name: str | None


@dataclass(slots=True, eq=False)
class MatchAs(Node):
    pattern: Node | None
    name: str | None


@dataclass(slots=True, eq=False)
class MatchStar(Node):
    name: str | None


@dataclass(slots=True, eq=False)
class MatchMapping(Node):
    below: Sequence[Node]
    rest: str | None


_CHILDREN: dict[type[Any], tuple[str, ...]] = {}


def children(node: Node) -> Iterator[Node]:
    """The statements and expressions directly below ``node``."""
    names = _CHILDREN.get(type(node))
    if names is None:
        names = _CHILDREN[type(node)] = tuple(each.name for each in fields(node) if each.name not in ("start", "end"))
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
