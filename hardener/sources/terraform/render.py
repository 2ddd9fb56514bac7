"""Plain data as the text of Terraform, in the layout of `terraform fmt`."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.yaml import TextError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WHOLE = re.compile(r"\$\{([^\"{}]*)\}")
STEP = "  "


def value(data: Any, indent: str) -> str:
    """``data`` as an expression; what follows its first line is indented below ``indent``."""
    if data is None:
        return "null"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int | float):
        return str(data)
    if isinstance(data, str):
        return string(data)
    if isinstance(data, list):
        return _list(data, indent)
    if isinstance(data, dict) and set(data) == {ENCODED}:
        return f"jsonencode({value(data[ENCODED], indent)})"
    if isinstance(data, dict):
        if not data:
            return "{}"
        return "{\n" + "".join(line + "\n" for line in attributes(data, indent + STEP, key)) + indent + "}"
    raise TextError(f"{type(data).__name__} has no form in Terraform", 1)


def _list(data: list[Any], indent: str) -> str:
    """A list: of several objects each has lines of its own, since `terraform fmt` indents what joins two."""
    texts = [value(item, indent) for item in data]
    if len(texts) < 2 or not any("\n" in text for text in texts):
        return "[" + ", ".join(texts) + "]"
    inner = indent + STEP
    return "[\n" + "".join(f"{inner}{value(item, inner)},\n" for item in data) + indent + "]"


def inline(data: Any) -> str:
    """``data`` as an expression on one line."""
    if isinstance(data, dict) and data and set(data) != {ENCODED}:
        return "{ " + ", ".join(f"{key(name)} = {inline(item)}" for name, item in data.items()) + " }"
    if isinstance(data, list):
        return "[" + ", ".join(map(inline, data)) + "]"
    return value(data, "")


def string(data: str) -> str:
    """A text: an expression as it is, anything else in quotes."""
    whole = _WHOLE.fullmatch(data)
    if whole:
        return whole[1]
    if "${" in data:
        return f'"{data}"'  # a template, kept as it was written
    for char, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        data = data.replace(char, escape)
    return f'"{data}"'


def key(name: str) -> str:
    """The key of an element of an object."""
    return name if _NAME.fullmatch(name) or name.startswith(("(", '"')) else f'"{name}"'


def attributes(data: dict[str, Any], indent: str, named: Any = str) -> list[str]:
    """The lines of attributes, with aligned equals signs."""
    return aligned([(indent + named(name), value(data[name], indent)) for name in data if name != HEAD])


def aligned(entries: list[tuple[str, str]]) -> list[str]:
    """Lines of names with their values: equals signs of neighbours stand in one column, but a value on several lines is
    nobody's neighbour (hclwrite, format.go)."""
    lines: list[str] = []
    for is_long, run in groupby(entries, key=lambda entry: "\n" in entry[1]):
        found = list(run)
        width = 0 if is_long else max(len(name) for name, _ in found)
        lines += [f"{name.ljust(width)} = {text}" for name, text in found]
    return lines


def body(data: dict[str, Any], indent: str) -> list[str]:
    """The lines of the body of a block: attributes, then the nested blocks."""
    nested = {name: item for name, item in data.items() if is_nested(item)}
    lines = attributes({name: item for name, item in data.items() if name not in nested}, indent)
    for name, items in nested.items():
        for item in items:
            lines += [""] * bool(lines) + block([name], item, indent)
    return lines


def block(head: list[str], data: dict[str, Any], indent: str) -> list[str]:
    """The lines of a block."""
    labels = "".join(f' "{label}"' for label in head[1:])
    if not data.keys() - {HEAD}:
        return [f"{indent}{head[0]}{labels} {{}}"]
    return [f"{indent}{head[0]}{labels} {{", *body(data, indent + STEP), indent + "}"]


def is_nested(data: Any) -> bool:
    """Whether a new value stands for nested blocks: a list of mappings."""
    return isinstance(data, list) and bool(data) and all(isinstance(item, dict) for item in data)
