"""A Terraform file as nodes: plain data, and where each part of it stands. Offsets are in bytes of UTF-8.

Data is that of Terraform's JSON syntax: an expression is the text ``${...}``, as is a template with one in it. A block
at the top holds its own head (``["resource", "aws_instance", "a"]``) under ``HEAD``; nested blocks are a list under
their type (``dynamic x`` for a labelled one); what ``jsonencode(...)`` takes stands below ``ENCODED``.
``yamlencode(...)`` is an expression, whose node has a child there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hardener.sources.block_names import ENCODED
from hardener.sources.yaml import TextError

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax

_DEEPEST = 100
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class Node(Struct):
    """One entry (a block, an attribute, an element of an object, an item of a list) and its value.

    ``form``: "block", "blocks" (all nested blocks of a type), "object", "list", "encoded", "literal", "expression".
    ``start`` to ``end`` is the entry, ``value_start`` to ``value_end`` its value: of a block, object or list from its
    opening to its closing bracket. ``key`` is where the name of an entry stands. ``row`` counts from 0. ``twice`` is
    the row and name of an argument that a block, or one in it, sets a second time, which Terraform refuses.
    """

    form: str
    start: int
    end: int
    value_start: int
    value_end: int
    row: int
    data: Any
    key: tuple[int, int] = (0, 0)
    children: dict[str | int, Node] = field(default_factory=dict)
    twice: tuple[int, str] | None = None


def block_of(syntax: Syntax, depth: int = 0) -> tuple[list[str], Node]:
    """The head of a block and its node; the data of the node is its body. Raises TextError where it nests too deep."""
    if depth > _DEEPEST:
        raise TextError("nested too deep", syntax.start_point[0] + 1)
    head: list[str] = []
    opening, closing, body = syntax, syntax, None
    for child in syntax.children:
        if child.type == "block_start":
            opening = child
        elif child.type == "block_end":
            closing = child
        elif child.type == "body":
            body = child
        elif child.type in ("identifier", "string_lit"):
            head.append(_text(child).strip('"'))
    node = Node(
        "block", syntax.start_byte, syntax.end_byte, opening.start_byte, closing.end_byte, syntax.start_point[0], {}
    )
    for child in body.children if body is not None else ():
        if child.type == "attribute":
            _add_argument(node, child, depth)
        elif child.type == "block":
            _add_block(node, child, depth)
    return head, node


def _add_argument(node: Node, syntax: Syntax, depth: int) -> None:
    name, value = syntax.children[0], _value(syntax.children[2], depth + 1)
    key = _text(name)
    if key in node.children:
        node.twice = node.twice or (syntax.start_point[0], key)
    node.children[key] = _entry(syntax, name, value)
    node.data[key] = value.data


def _add_block(node: Node, syntax: Syntax, depth: int) -> None:
    inner, nested = block_of(syntax, depth + 1)
    node.twice = node.twice or nested.twice
    key = " ".join(inner)
    known = node.children.get(key)
    if known is None or known.form != "blocks":
        row = nested.row
        if known is not None:  # an argument has this name
            node.twice = node.twice or (row, key)
        known = Node("blocks", nested.start, nested.end, nested.start, nested.end, row, [])
        node.children[key], node.data[key] = known, known.data
    known.children[len(known.data)] = nested
    known.data.append(nested.data)
    known.end = known.value_end = nested.end


def _entry(syntax: Syntax, name: Syntax, value: Node) -> Node:
    value.start, value.end, value.row = syntax.start_byte, syntax.end_byte, syntax.start_point[0]
    value.key = name.start_byte, name.end_byte
    return value


def _value(syntax: Syntax, depth: int) -> Node:
    if depth > _DEEPEST:
        raise TextError("nested too deep", syntax.start_point[0] + 1)
    inner = syntax
    while (
        inner.type in ("expression", "collection_value", "literal_value", "template_expr") and len(inner.children) == 1
    ):
        inner = inner.children[0]
    read = _FORMS.get(inner.type)
    node = read(inner, depth) if read is not None else None
    if node is None:
        node = _node("expression", syntax, "${" + _text(syntax).strip() + "}")
    node.start, node.end = syntax.start_byte, syntax.end_byte
    return node


def _node(form: str, syntax: Syntax, data: Any) -> Node:
    start, end = syntax.start_byte, syntax.end_byte
    return Node(form, start, end, start, end, syntax.start_point[0], data)


def _object(syntax: Syntax, depth: int) -> Node:
    node = _node("object", syntax, {})
    for child in syntax.children:
        if child.type == "object_elem":
            key = _key(child.children[0])
            value = _value(child.children[-1], depth + 1)
            node.children[key] = _entry(child, child.children[0], value)
            node.data[key] = value.data
    return node


def _list(syntax: Syntax, depth: int) -> Node:
    node = _node("list", syntax, [])
    for child in syntax.children:
        if child.type == "expression":
            value = _value(child, depth + 1)
            node.children[len(node.data)] = value
            node.data.append(value.data)
    return node


def _call(syntax: Syntax, depth: int) -> Node | None:
    arguments = [child for child in syntax.children if child.type == "function_arguments"]
    called = _text(syntax.children[0])
    if called not in ("jsonencode", "yamlencode") or len(arguments) != 1:
        return None
    given = [child for child in arguments[0].children if child.type == "expression"]
    if len(given) != 1:
        return None
    value = _value(given[0], depth + 1)
    if value.form not in ("object", "list"):
        return None
    if called == "jsonencode":
        node = _node("encoded", syntax, {ENCODED: value.data})
    else:
        node = _node("expression", syntax, "${" + _text(syntax).strip() + "}")
    node.children[ENCODED] = value
    return node


def _string(syntax: Syntax, depth: int) -> Node:
    raw = _text(syntax)[1:-1]
    if "${" in raw or "%{" in raw:
        return _node("literal" if "$${" in raw else "expression", syntax, raw)
    return _node("literal", syntax, _unescaped(raw))


def _template(syntax: Syntax, depth: int) -> Node:
    return _node("expression", syntax, _text(syntax)[1:-1])


def _heredoc(syntax: Syntax, depth: int) -> Node:
    return _node("expression", syntax, _text(syntax))


def _number(syntax: Syntax, depth: int) -> Node:
    text = _text(syntax)
    try:
        return _node("literal", syntax, int(text))
    except ValueError:
        return _node("literal", syntax, float(text))


def _bool(syntax: Syntax, depth: int) -> Node:
    return _node("literal", syntax, _text(syntax) == "true")


def _null(syntax: Syntax, depth: int) -> Node:
    return _node("literal", syntax, None)


_FORMS = {
    "object": _object, "tuple": _list, "function_call": _call, "string_lit": _string, "quoted_template": _template,
    "heredoc_template": _heredoc, "numeric_lit": _number, "bool_lit": _bool, "null_lit": _null,
}  # fmt: skip


def _key(syntax: Syntax) -> str:
    text = _text(syntax)
    if text.startswith('"') and text.endswith('"'):
        inner = text[1:-1]
        return inner if "${" in inner else _unescaped(inner)
    return text


def _unescaped(raw: str) -> str:
    if "\\" not in raw:
        return raw
    parts, position = [], 0
    while position < len(raw):
        char = raw[position]
        following = raw[position + 1 : position + 2]
        if char == "\\" and following in ("u", "U"):
            width = 4 if following == "u" else 8
            parts.append(chr(int(raw[position + 2 : position + 2 + width], 16)))
            position += 2 + width
        elif char == "\\" and following in _ESCAPES:
            parts.append(_ESCAPES[following])
            position += 2
        else:
            parts.append(char)
            position += 1
    return "".join(parts)


def _text(syntax: Syntax) -> str:
    return (syntax.text or b"").decode()
