"""What an expression alone says: its value where it is a literal, else what is shown of it."""

from __future__ import annotations

import re
from typing import Any, TypeGuard

from hardener.sources.python.parser import syntax

_LONGEST = 60  # characters of an expression that are shown
_NAMES: dict[type[syntax.Node], str] = {
    syntax.Call: "a call",
    syntax.Await: "a call",
    syntax.FormattedString: "an f-string",
    syntax.IfExp: "a conditional",
    syntax.Subscript: "an index",
    syntax.Attribute: "an attribute",
    syntax.BooleanOperation: "an `or`",
    syntax.BinaryOperation: "an operation",
    syntax.UnaryOperation: "an operation",
    syntax.Comparison: "a comparison",
    syntax.Lambda: "a function",
    syntax.DictComp: "a comprehension",
    syntax.SetComp: "a comprehension",
    syntax.Set: "a set",
}
_CONSTANTS = {"True": True, "False": False, "None": None}
_ESCAPES = re.compile(r"[\\\r]")
_BRACES = re.compile(r"\{[^{}]*\}")


def scalar(node: syntax.Node) -> tuple[bool, Any]:
    """Whether ``node`` is a literal, and its value."""
    try:
        if type(node) is syntax.SimpleString and (text := _plain(node.value)) is not None:
            return True, text  # the compiler takes a hundred times as long to say the same
        if isinstance(node, syntax.SimpleString | syntax.ConcatenatedString):
            value = node.evaluated_value
            return isinstance(value, str), value
        if isinstance(node, syntax.Number):
            return True, node.value
        if isinstance(node, syntax.Name) and node.value in _CONSTANTS:
            return True, _CONSTANTS[node.value]
        if isinstance(node, syntax.UnaryOperation) and node.operator == "-":
            if isinstance(node.expression, syntax.Number):
                return True, -node.expression.value
    except (ValueError, SyntaxError):
        pass
    return False, None


def _plain(text: str) -> str | None:
    """What a text literal says; None for one with a prefix or with what may be an escape."""
    if text[0] not in "\"'" or _ESCAPES.search(text):
        return None
    quotes = 3 if text[:3] in ('"""', "'''") and len(text) > 5 else 1
    return text[quotes:-quotes]


def is_variable(node: syntax.Node) -> TypeGuard[syntax.Name]:
    """Whether it is a name, and not that of a constant of Python."""
    return isinstance(node, syntax.Name) and node.value not in _CONSTANTS


def is_none(node: syntax.Node | None) -> bool:
    """Whether it is ``None`` of Python."""
    return isinstance(node, syntax.Name) and node.value == "None"


def string(node: syntax.Node) -> str | None:
    """The text of a text literal in one piece, None for anything else."""
    if not isinstance(node, syntax.SimpleString):
        return None
    is_literal, text = scalar(node)
    return text if is_literal else None


def reason(node: syntax.Node) -> str:
    """What kind of expression it is: "a call"."""
    if isinstance(node, syntax.BooleanOperation) and node.operator == "and":
        return "an `and`"
    if isinstance(node, syntax.ConcatenatedString) and node.evaluated_value is None:
        return "an f-string"
    if isinstance(node, syntax.SimpleString | syntax.ConcatenatedString):
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
