"""What a Python file says of Kubernetes objects: nodes with their places in the text, and the plain data they mean.

Offsets are those of the text as UTF-8, without a byte order mark; lines count from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from hardener.sources.open_values import Expression, opened, replaceable
from hardener.sources.python.libraries.dialects import Dialect
from hardener.sources.yaml import TextError
from hardener.sources.yaml.values import MAX_EXPANSION

COMPREHENSION = "a comprehension"  # why a list is open that only a loop makes


class Item(Struct, eq=False):
    """One argument, entry or element between brackets with all that belongs to it (keyword, key, stars); ``comma`` is
    the offset behind the comma that follows it, None without one."""

    start: int
    end: int
    comma: int | None


class Statement(Item, eq=False):
    """An assignment that sets a field, on lines of its own: it can go as a whole."""


class Bracket(Struct, eq=False):
    """What holds items: ``start`` is the offset of the opening bracket, ``end`` that of the closing one."""

    start: int
    end: int
    items: list[Item] = field(default_factory=list)


class Node(Struct, eq=False):
    """An expression: its offsets and its first line. One that a variable leads to stands where it was assigned."""

    start: int
    end: int
    line: int


class Scalar(Node, eq=False):
    """A literal: ``value`` is text, a number, a boolean, or None for an explicit ``None``.

    ``written``: False for what no text says (the kind that a class stands for); ``where`` is what sets it elsewhere.
    """

    value: Any
    written: bool = True
    where: str = ""


class Opaque(Node, eq=False):
    """An expression whose value is not known. ``text`` is what the data hold: "${cfg.image}", and for a text with known
    parts "ghcr.io/acme/web:${tag}"; ``reason`` says what it is: "a parameter", "a call", "set later (line 9)"."""

    text: str
    reason: str


class Entry(Struct, eq=False):
    """A key with its value; ``item`` is where both stand, None for what no text says."""

    value: Node
    item: Item | None


class Home(Struct, eq=False):
    """Where a field goes that no text holds yet: ``head`` is what stands before its value (``"pod_spec_config": ``,
    ``c.KubeSpawner.uid = ``). It is a new entry of ``bracket``, or a line with ``indent`` behind that of the offset
    ``line``. ``convert`` makes what is written of a value, where a setting has another form than the field."""

    head: str
    bracket: Bracket | None = None
    line: int = 0
    indent: str = ""
    convert: Callable[[Any], Any] | None = None


class Mapping(Node, eq=False):
    """A constructor call, a dict literal or a ``dict(...)`` call; ``fields`` by their names in a manifest.

    ``form`` is "call", "dict", "keywords" (``dict(a=1)``) or "virtual" (no text: what holds a fragment). ``type_name``
    is the Kubernetes type ("Container"), "{string" for a map of strings, "" for an unknown one. ``dialect`` is that of
    the constructor, or of the nearest one around a dict; None for a dict that stands alone. ``callee`` is the text of
    the called name ("client.V1Container"). ``snake`` tells that the keys of a dict are written as snake_case.
    ``in_list`` tells that it is an element of a list below a constructor. ``keywords`` are the keyword arguments of a
    call that names fields in its own way, by field; a field that it does not name cannot be written. ``homes`` tell of
    a mapping without text where a field goes; that of "" takes all others as one dict. ``others`` are more brackets
    that hold fields of it. ``unset`` are the literals that stand for the absence of a field whose value stands
    elsewhere. ``is_patch``: a call patches another object with it. ``open`` says what may add keys. ``replaced`` is
    what the program may have in its place; where no text holds it then, ``place`` says where it is written: "operand"
    behind the expression (``given or V1SecurityContext()``), "spread" before what is spread (``**{"security_context":
    V1SecurityContext(), **given}``), "field" in what holds it, "" nowhere; "filled" is a dict that the program adds
    to before it uses it. ``context`` is the
    nearest constructor around a dict (for the prefix of new classes); one without a ``callee`` is only meant to be
    there.
    """

    form: str
    type_name: str
    dialect: Dialect | None
    bracket: Bracket | None
    fields: dict[str, Entry] = field(default_factory=dict)
    callee: str = ""
    snake: bool = False
    in_list: bool = False
    keywords: dict[str, str] | None = None
    homes: dict[str, Home] = field(default_factory=dict)
    others: list[Bracket] = field(default_factory=list)
    unset: dict[str, Any] = field(default_factory=dict)
    is_patch: bool = False
    open: str | None = None
    replaced: Opaque | None = None
    place: str = ""
    context: Mapping | None = None


class Sequence(Node, eq=False):
    """A list or tuple literal, or what makes one (``form``: "list", "tuple", "comprehension", "concatenation",
    "virtual"; only the first two have a ``bracket``). ``places`` are the items of the bracket for ``items``, None for
    an item that stands elsewhere. ``item_type`` is the type of its items; ``holder`` the mapping it belongs to."""

    form: str
    item_type: str
    bracket: Bracket | None
    items: list[Node] = field(default_factory=list)
    places: list[Item | None] = field(default_factory=list)
    open: str | None = None
    holder: Mapping | None = None


def more_open(why: str | None, more: str | None) -> str | None:
    """Why something is open for two reasons: that a loop makes what is written once more tells the least."""
    return more if why is None or (more is not None and why.startswith(COMPREHENSION)) else why


def plain(node: Node) -> Any:
    """The data that ``node`` means, fresh: dicts, lists and scalars; expressions as text, open ones as such."""
    if isinstance(node, Mapping):
        fields = {name: plain(entry.value) for name, entry in node.fields.items()}
        if node.open is not None:
            return opened(fields, node.open)
        return fields if node.replaced is None else replaceable(fields, _why(node.replaced))
    if isinstance(node, Sequence):
        items = [plain(item) for item in node.items]
        return items if node.open is None else opened(items, node.open, alike=node.open.startswith(COMPREHENSION))
    if isinstance(node, Opaque):
        return Expression(node.text)
    assert isinstance(node, Scalar)
    return node.value


def _why(given: Opaque) -> str:
    """What an expression is, and where it stands."""
    text = given.text.removeprefix("${").removesuffix("}")
    where = "" if "(line " in given.reason else f" (line {given.line})"
    return f"{given.reason}: {text}{where}"


def check_expansion(roots: Iterable[Node]) -> None:
    """Raise TextError where variables that lead to each other unfold to vastly more than people write."""
    known: dict[int, int] = {}

    def size(node: Node) -> int:
        if id(node) not in known:
            below: list[Node] = []
            if isinstance(node, Mapping):
                below = [entry.value for entry in node.fields.values()]
            elif isinstance(node, Sequence):
                below = node.items
            known[id(node)] = 1 + sum(map(size, below))
            if known[id(node)] > MAX_EXPANSION:
                raise TextError("its variables unfold to too many values", node.line)
        return known[id(node)]

    for root in roots:
        size(root)
