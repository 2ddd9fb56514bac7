"""What stands between the brackets of a call, dict, list or tuple, item by item."""

from __future__ import annotations

import libcst as cst

from .model import Bracket, Item
from .places import Places


def call_bracket(node: cst.Call, places: Places) -> tuple[Bracket, list[Item]]:
    start = places.source.index(b"(", places.outer_end(node.func))
    items = [
        Item(places.start(argument), places.outer_end(argument.value), _comma(argument.comma, places))
        for argument in node.args
    ]
    return Bracket(start, places.end(node) - 1, items), items


def elements_bracket(node: cst.Dict | cst.List | cst.Tuple, places: Places) -> tuple[Bracket | None, list[Item]]:
    """No bracket for a tuple without parentheses."""
    items = [_element(element, places) for element in node.elements]
    if isinstance(node, cst.Tuple):
        if not node.lpar:
            return None, items
        return Bracket(places.start(node.lpar[-1]), places.start(node.rpar[0]), items), items
    return Bracket(places.start(node), places.end(node) - 1, items), items


def _element(element: cst.BaseElement | cst.BaseDictElement, places: Places) -> Item:
    end = places.outer_end(element.value)
    if isinstance(element, cst.DictElement):
        opening = element.key.lpar
        start = places.start(opening[0]) if opening else places.start(element.key)
    elif isinstance(element, cst.StarredElement | cst.StarredDictElement):
        star = b"**" if isinstance(element, cst.StarredDictElement) else b"*"
        opening = element.value.lpar
        start = places.source.rindex(star, 0, places.start(opening[0]) if opening else places.start(element.value))
        if isinstance(element, cst.StarredElement):
            end = places.outer_end(element) if element.rpar else end
    else:
        opening = element.value.lpar
        start = places.start(opening[0]) if opening else places.start(element.value)
    return Item(start, end, _comma(element.comma, places))


def _comma(comma: cst.Comma | cst.MaybeSentinel, places: Places) -> int | None:
    return places.end(comma) if isinstance(comma, cst.Comma) else None
