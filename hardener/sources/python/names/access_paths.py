"""Ways into an object, as an expression writes them: ``pod.spec["containers"][0]``."""

from __future__ import annotations

from hardener.sources.python.objects.expressions import scalar
from hardener.sources.python.parser import syntax

# Parts are ("attribute", name), ("key", text), ("index", number) or ("any", None).
Way = tuple[tuple[str, str | int | None], ...]


def steps(expression: syntax.Node) -> tuple[str, Way]:
    """The name with which ``expression`` begins, "" for none, and the way from there."""
    path: list[tuple[str, str | int | None]] = []
    while True:
        if isinstance(expression, syntax.Attribute):
            path.append(("attribute", expression.attr.value))
            expression = expression.value
        elif isinstance(expression, syntax.Subscript):
            path.append(_subscript(expression))
            expression = expression.value
        elif isinstance(expression, syntax.Call) and isinstance(expression.func, syntax.Attribute):
            if expression.func.attr.value not in ("get", "setdefault") or not expression.args:
                return "", ()
            path.append(_key(expression.args[0].value))
            expression = expression.func.value
        else:
            break
    return (expression.value if isinstance(expression, syntax.Name) else ""), tuple(reversed(path))


def _subscript(node: syntax.Subscript) -> tuple[str, str | int | None]:
    if len(node.slice) == 1 and not isinstance(node.slice[0], syntax.Slice):
        return _key(node.slice[0])
    return "any", None


def _key(node: syntax.Node) -> tuple[str, str | int | None]:
    is_literal, value = scalar(node)
    if is_literal and isinstance(value, str):
        return "key", value
    if is_literal and type(value) is int:
        return "index", value
    return "any", None
