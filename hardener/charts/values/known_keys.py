"""Keys of values that a chart may know though its values do not hold them: those that stand commented out in
``values.yaml``, and those that templates name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from hardener.support.data_path import Path

_NAMED = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_COMMENTED = re.compile(r"([ \t]*)#+[ \t]?([ \t]*)([A-Za-z_][\w.-]*):(?:[ \t]|$)")
_KEY = re.compile(r"([ \t]*)([A-Za-z_][\w.-]*|\"[^\"]+\"|'[^']+'):(?:[ \t]|$)")
_MOST = 2000
_LARGEST = 4 * 1024 * 1024  # bytes of one file
_DEEPEST = 5  # charts below charts


def known_keys(folder: str, aliases: dict[str, list[str]] | None = None) -> list[Path]:
    """The keys for the chart in ``folder`` and those below it, each once. ``aliases``: what the values call a chart
    below it, by its name, where that is not its name."""
    found: dict[Path, None] = {}
    for path in _of_chart(folder, (), aliases or {}, 0):
        found.setdefault(path)
        if len(found) >= _MOST:
            break
    return list(found)


def _of_chart(folder: str, above: Path, aliases: dict[str, list[str]], depth: int) -> Iterator[Path]:
    text = _text(os.path.join(folder, "values.yaml"))
    yield from ((*above, *path) for path in _commented(text))
    for top, folders, names in os.walk(os.path.join(folder, "templates")):
        folders.sort()
        for name in sorted(names):
            for match in _NAMED.finditer(_text(os.path.join(top, name))):
                yield (*above, *match[1][1:].split("."))
    below = os.path.join(folder, "charts")
    if depth < _DEEPEST and os.path.isdir(below):
        for name in sorted(os.listdir(below)):
            for called in aliases.get(name, [name]):
                yield from _of_chart(os.path.join(below, name), (*above, called), {}, depth + 1)


def _commented(text: str) -> Iterator[Path]:
    """The keys that are commented out, by their indentation below the keys that are not. What only looks like one, in
    prose, leads nowhere when it is tried."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = _COMMENTED.match(line)
        column = len(match[1]) + len(match[2]) if match else 0
        if match is None:
            match = _KEY.match(line)
            if match is None:
                continue
            column = len(match[1])
        above = [(place, key) for place, key in above if place < column]
        above.append((column, match[match.re.groups].strip("\"'")))
        if match.re is _COMMENTED:
            yield tuple(key for _, key in above)


def _text(path: str) -> str:
    try:
        with open(path, "rb") as handle:
            return handle.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
