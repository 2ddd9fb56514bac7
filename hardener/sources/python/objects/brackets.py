"""What stands between the brackets of a call, dict, list or tuple, item by item."""

from __future__ import annotations

from hardener.sources.python.model import Bracket, Item
from hardener.sources.python.parser import syntax


def call_bracket(node: syntax.Call) -> tuple[Bracket, list[Item]]:
    items = [Item(each.start, each.end, each.comma) for each in node.args]
    return Bracket(node.bracket, node.end - 1, items), items


def elements_bracket(node: syntax.Dict | syntax.List | syntax.Tuple) -> tuple[Bracket | None, list[Item]]:
    """No bracket for a tuple without parentheses."""
    items = [Item(each.start, each.end, each.comma) for each in node.elements]
    if isinstance(node, syntax.Tuple):
        return (None if node.brackets is None else Bracket(*node.brackets, items)), items
    return Bracket(node.start, node.end - 1, items), items
