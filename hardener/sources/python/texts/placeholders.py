"""Lines of YAML that a program fills in as a whole: ``{extra_volumes}`` alone on a line.

More keys or items may come there, so what holds the line is open. The YAML engine reads such a line as a comment. Where
the line is all that a key has, its mask is the value, as it is within a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from hardener.sources import yaml
from hardener.sources.open_values import opened
from hardener.sources.yaml import TextError
from hardener.support.data_path import Path, existing

_ALONE = re.compile(r"(?P<indent>[ \t]*)(?P<field>\$(?:\([A-Za-z0-9_.]+\)|\{[A-Za-z_]\w*\}|[A-Za-z_]\w*))[ \t]*\r?\n?")
_SCALAR = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_EMPTY = re.compile(r":[ \t]*(?:#.*)?$|^[ \t]*-[ \t]*$")
_PLACE = re.compile(r"(?P<indent>[ \t]*)(?P<mask>#\$\([A-Za-z0-9_.]+\))\s*")


class Place(Struct, frozen=True):
    """A line that is filled in: its mask, its number from 1, and what holds it: ways into the document, each with the
    column of what begins there."""

    mask: str
    line: int
    document: int
    holders: tuple[tuple[Path, int], ...]
    empty: Path | None  # what has no value but this line


def set_apart(text: str, masked: Callable[[str], str]) -> str:
    """``text`` with the lines as comments that are filled in as a whole and stand beside others; ``masked`` makes the
    mask of such a line of what stands there."""
    if "$" not in text:
        return text
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    block = -1  # the column of the key whose text of several lines this is
    before = ""
    for number, line in enumerate(lines):
        found = _ALONE.fullmatch(line)
        indent = len(line) - len(line.lstrip(" \t"))
        if line.strip() and indent <= block:
            block = -1
        if found is not None and block < 0 and not _is_value(found, before, _next(lines, number)):
            kept.append(line.replace(found["field"], masked(found["field"]), 1))
            continue
        kept.append(line)
        if line.strip() and not line.lstrip().startswith("#"):
            before = line
            if _is_block(line) and block < 0:
                block = indent
    return "".join(kept)


def _next(lines: list[str], number: int) -> str:
    """The next line that says something of its own."""
    for line in lines[number + 1 : number + 200]:
        if line.strip() and not line.lstrip().startswith("#") and not _ALONE.fullmatch(line):
            return line
    return ""


def _is_value(found: re.Match[str], before: str, after: str) -> bool:
    """Whether the line is all that the key before it has."""
    column = len(before) - len(before.lstrip(" \t"))
    own = len(found["indent"])
    if not _EMPTY.search(before.rstrip()) or own <= column:
        return False
    return not after.strip() or len(after) - len(after.lstrip(" \t")) < own


def filled_lines(parsed: yaml.Parsed, text: str) -> list[Place]:
    """The lines of ``text`` that are filled in, with what holds each. Raises TextError where that cannot be told."""
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        mark = _PLACE.fullmatch(line)
        if mark is None:
            continue
        if parsed.shared() or "<<" in text:
            raise TextError("a line is filled in where parts are used twice", number)
        found.append(_place(parsed, lines, mark["mask"], number, len(mark["indent"])))
    return found


def _place(parsed: yaml.Parsed, lines: list[str], mask: str, line: int, column: int) -> Place:
    document = max((i for i in range(len(parsed.documents)) if parsed.line(i, ()) <= line), default=0)
    value: Any = parsed.documents[document]
    path: Path = ()
    holders: list[tuple[Path, int]] = []
    while isinstance(value, dict | list) and value:
        parts: list[str | int] = list(value) if isinstance(value, dict) else list(range(len(value)))
        holders.append((path, parsed.column(document, (*path, parts[0]))))
        above = [part for part in parts if parsed.line(document, (*path, part)) < line]
        if not above:
            break
        path = (*path, above[-1])
        value = value[above[-1]]  # type: ignore[index]
    above_line = lines[parsed.line(document, path) - 1]
    is_alone = path != () and _is_all_of(value, parsed.column(document, path), above_line, column)
    exact = [holder for holder in holders if holder[1] == column] if column else []
    return Place(mask, line, document, tuple(exact or holders), path if is_alone else None)


def _is_all_of(value: Any, begins: int, line: str, column: int) -> bool:
    """Whether a line at ``column`` is all that a key has whose ``line`` has it at the column ``begins``."""
    if value is None:
        return column == 0 or column >= begins
    return isinstance(value, str) and _is_block(line) and (column == 0 or column > begins)


def _is_block(line: str) -> bool:
    """Whether the value that begins on a line is a text of several lines."""
    return _SCALAR.search(line.rstrip()) is not None


def open_at(documents: list[Any], found: list[Place], shown: Callable[[Place], str]) -> dict[str, Any]:
    """Open what holds the lines; ``shown`` says what may be added there. Returns what stands in ``documents`` as the
    value of keys that have nothing but such a line, with what they have in the text."""
    values: dict[str, Any] = {}
    for place in found:
        if place.empty is not None:
            holder = existing(documents, (place.document, *place.empty[:-1]))
            mask = place.mask.removeprefix("#")
            values[mask] = holder[place.empty[-1]]
            holder[place.empty[-1]] = mask
    by_path: dict[Path, Place] = {}
    for place in found:
        for path, _ in place.holders:
            by_path.setdefault((place.document, *path), place)
    for path, place in sorted(by_path.items(), key=lambda each: -len(each[0])):
        above = existing(documents, path[:-1])
        above[path[-1]] = opened(above[path[-1]], shown(place))
    return values


def emptied(value: Any, values: dict[str, Any]) -> Any:
    """``value`` as plain data, with what stood in the text where ``open_at`` put masks."""
    if isinstance(value, dict):
        return {key: emptied(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [emptied(each, values) for each in value]
    return values[value] if isinstance(value, str) and value in values else value


def held_alike(before: list[Place], after: list[Place]) -> bool:
    """Whether each line stands in what it stood in, whatever is new below that; what an item of a list is called does
    not count."""
    pairs = zip(map(_held, before), map(_held, after), strict=False)
    return len(before) == len(after) and all(
        mask == other and ways == others[: len(ways)] for (mask, ways), (other, others) in pairs
    )


def _held(place: Place) -> tuple[str, list[tuple[list[str], int]]]:
    ways = [(["-" if isinstance(part, int) else part for part in path], column) for path, column in place.holders]
    return place.mask, ways
