"""Write plain data as YAML or JSON text, in block style as lines and in flow style as one piece."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .scalars import plain_is_safe, write_scalar
from .style import FlowStyle, Layout
from .text_error import TextError

_LINE_TROUBLE = re.compile(r"^\t|[ \t]$", re.M)


def literal_is_safe(text: str) -> bool:
    """Tell whether a multi-line string can be written with `|` and read back by everyone."""
    return (
        "\n" in text
        and text[0] not in " \n\t"
        and not text.endswith("\n\n")
        and text.replace("\n", "").replace("\t", "").isprintable()
        and not _LINE_TROUBLE.search(text)
    )


def block_value(value: Any, column: int, layout: Layout, key: str | None = None) -> tuple[str, list[str]]:
    """Give what follows `key:` on its line, and the lines below, for a key that stands at `column`."""
    lines: list[str] = []
    _add_value(lines, "", value, column, layout, key)
    return lines[0], lines[1:]


def _add_value(lines: list[str], head: str, value: Any, column: int, layout: Layout, key: str | None) -> None:
    """Add the line that begins with `head`, which is `key:` or nothing, and those below it."""
    if isinstance(value, str):
        if "\n" not in value and plain_is_safe(value, False):  # most are
            lines.append(f"{head} {value}")
        elif layout.literals and literal_is_safe(value):
            indent = " " * (column + layout.step)
            lines.append(head + (" |" if value.endswith("\n") else " |-"))
            lines += [indent + line if line else "" for line in value.removesuffix("\n").split("\n")]
        else:
            lines.append(f"{head} {write_scalar(value, layout.quote)}")
    elif isinstance(value, dict) and value:
        lines.append(head)
        _add_pairs(lines, value.items(), column + layout.step, layout)
    elif isinstance(value, list) and value:
        style = layout.styles.sequence(key, layout.position, value) if layout.styles else None
        if style is not None:
            lines.append(f"{head} {flow_value(value, style, '')}")
        else:
            lines.append(head)
            _add_items(lines, value, column + layout.offset, layout)
    else:
        lines.append(f"{head} {leaf(value, layout.quote)}")


def leaf(value: Any, quote: str) -> str:
    """Write a scalar or an empty collection."""
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else write_scalar(value, quote)


def pair_lines(pairs: Iterable[tuple[Any, Any]], column: int, layout: Layout) -> list[str]:
    """Give the lines of key-value pairs whose keys stand at `column`."""
    lines: list[str] = []
    _add_pairs(lines, pairs, column, layout)
    return lines


def _add_pairs(lines: list[str], pairs: Iterable[tuple[Any, Any]], column: int, layout: Layout) -> None:
    indent, quote = " " * column, layout.quote
    for key, value in pairs:
        name = key if type(key) is str and plain_is_safe(key, False) else write_key(key, quote)
        _add_value(lines, f"{indent}{name}:", value, column, layout, key)


def item_lines(values: Iterable[Any], column: int, layout: Layout, *, quote: str | None = None) -> list[str]:
    """Give the lines of items whose dashes stand at `column`; `quote` is put around every string."""
    lines: list[str] = []
    _add_items(lines, values, column, layout, quote)
    return lines


def _add_items(lines: list[str], values: Iterable[Any], column: int, layout: Layout, quote: str | None = None) -> None:
    inner = column + layout.dash
    dash = " " * column + "-" + " " * (layout.dash - 1)
    for value in values:
        first = len(lines)
        if isinstance(value, dict) and value:
            _add_pairs(lines, value.items(), inner, layout)
            lines[first] = dash + lines[first][inner:]
        elif isinstance(value, list) and value:
            _add_items(lines, value, inner, layout)
            lines[first] = dash + lines[first][inner:]
        elif quote and isinstance(value, str):
            lines.append(dash + write_scalar(value, quote, force=True))
        else:
            _add_value(lines, "", value, column, layout, None)
            lines[first] = dash + lines[first].lstrip(" ")


def write_key(key: Any, quote: str, *, flow: bool = False, json: bool = False) -> str:
    """Write a mapping key."""
    if type(key) is str and not json and plain_is_safe(key, flow):
        return key
    if not isinstance(key, str):
        raise TextError(f"a key of type {type(key).__name__} cannot be written")
    return write_scalar(key, quote, flow=flow, json=json)


def flow_value(value: Any, style: FlowStyle, indent: str, newline: str = "\n") -> str:
    """Write any value inside brackets; `indent` is the blank in front of the line it begins on."""
    if not isinstance(value, dict | list):
        return write_scalar(value, style.quote, force=style.force, flow=True, json=style.json)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if not value:
        return opening + closing
    if style.kyaml:
        return _kyaml(value, style, indent, newline)
    inner = indent + style.step
    entries = (
        [flow_pair(key, item, style, inner, newline) for key, item in value.items()]
        if isinstance(value, dict)
        else [flow_value(item, style, inner, newline) for item in value]
    )
    if not style.lines:
        return opening + style.pad + style.comma.join(entries) + style.pad + closing
    body = ("," + newline).join(inner + entry for entry in entries)
    return opening + newline + body + newline + indent + closing


def _kyaml(value: Any, style: FlowStyle, indent: str, newline: str) -> str:
    """A filled collection as KYAML: an entry a line, each with a comma; mappings of a list stand in `[{ }, { }]`."""
    if isinstance(value, list) and all([isinstance(item, dict) and item for item in value]):
        return "[" + ", ".join([flow_value(item, style, indent, newline) for item in value]) + "]"
    inner = indent + style.step
    if isinstance(value, dict):
        rows = [flow_pair(key, item, style, inner, newline) for key, item in value.items()]
        opening, closing = "{}"
    else:
        rows = [flow_value(item, style, inner, newline) for item in value]
        opening, closing = "[]"
    return opening + newline + "".join([f"{inner}{row},{newline}" for row in rows]) + indent + closing


def flow_pair(key: Any, value: Any, style: FlowStyle, indent: str, newline: str) -> str:
    """Write one entry of a mapping in brackets."""
    # `a:1` without a blank is one word unless the key is quoted, as JSON quotes it.
    colon = style.colon if style.json or style.colon.endswith(" ") else ": "
    return write_key(key, style.quote, flow=True, json=style.json) + colon + flow_value(value, style, indent, newline)


def dump(data: Any) -> str:
    """Write plain data as a new YAML document in block style, sequences not indented, as kubectl does.

    Raises TextError for data that YAML's plain types cannot hold.
    """
    layout = Layout(step=2)
    if isinstance(data, dict) and data:
        lines = pair_lines(data.items(), 0, layout)
    elif isinstance(data, list) and data:
        lines = item_lines(data, 0, layout)
    else:
        lines = [leaf(data, layout.quote)]
    return "\n".join(lines) + "\n"
