"""What an expression alone says: its value where it is a literal, else what is shown of it."""

from __future__ import annotations

import re
from typing import Any, TypeGuard

import libcst as cst

_LONGEST = 60  # characters of an expression that are shown
_NAMES: dict[type[cst.CSTNode], str] = {
    cst.Call: "a call",
    cst.Await: "a call",
    cst.FormattedString: "an f-string",
    cst.IfExp: "a conditional",
    cst.Subscript: "an index",
    cst.Attribute: "an attribute",
    cst.BooleanOperation: "an `or`",
    cst.BinaryOperation: "an operation",
    cst.UnaryOperation: "an operation",
    cst.Comparison: "a comparison",
    cst.Lambda: "a function",
    cst.DictComp: "a comprehension",
    cst.SetComp: "a comprehension",
    cst.Set: "a set",
}
_CONSTANTS = {"True": True, "False": False, "None": None}
_ESCAPES = re.compile(r"[\\\r]")
_BRACES = re.compile(r"\{[^{}]*\}")


def scalar(node: cst.CSTNode) -> tuple[bool, Any]:
    """Whether ``node`` is a literal, and its value."""
    try:
        if type(node) is cst.SimpleString and (text := _plain(node.value)) is not None:
            return True, text  # the compiler takes a hundred times as long to say the same
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
            value = node.evaluated_value
            return isinstance(value, str), value
        if isinstance(node, cst.Integer | cst.Float):
            return True, node.evaluated_value
        if isinstance(node, cst.Name) and node.value in _CONSTANTS:
            return True, _CONSTANTS[node.value]
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            if isinstance(node.expression, cst.Integer | cst.Float):
                return True, -node.expression.evaluated_value
    except (ValueError, SyntaxError):
        pass
    return False, None


def _plain(text: str) -> str | None:
    """What a text literal says; None for one with a prefix or with what may be an escape."""
    if text[0] not in "\"'" or _ESCAPES.search(text):
        return None
    quotes = 3 if text[:3] in ('"""', "'''") and len(text) > 5 else 1
    return text[quotes:-quotes]


def is_variable(node: cst.CSTNode) -> TypeGuard[cst.Name]:
    """Whether it is a name, and not that of a constant of Python."""
    return isinstance(node, cst.Name) and node.value not in _CONSTANTS


def is_none(node: cst.CSTNode | None) -> bool:
    """Whether it is ``None`` of Python."""
    return isinstance(node, cst.Name) and node.value == "None"


def string(node: cst.CSTNode) -> str | None:
    """The text of a text literal in one piece, None for anything else."""
    if not isinstance(node, cst.SimpleString):
        return None
    is_literal, text = scalar(node)
    return text if is_literal else None


def reason(node: cst.CSTNode) -> str:
    """What kind of expression it is: "a call"."""
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.And):
        return "an `and`"
    if isinstance(node, cst.ConcatenatedString) and node.evaluated_value is None:
        return "an f-string"
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return "bytes"
    return _NAMES.get(type(node), "an expression")


def shown(text: str) -> str:
    """The text of an expression on one line, without braces, not too long."""
    text = " ".join(text.split())
    while (found := _BRACES.sub("...", text)) != text:
        text = found
    text = text.replace("{", "(").replace("}", ")")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3].rstrip() + "..."


def opaque_text(text: str) -> str:
    """What the data hold for an expression: "${cfg.image}"."""
    return "${" + shown(text) + "}"
