"""The file ``.helmignore``: which files of a folder are no part of the chart.

It is read as helm reads it: rules in order, the first that decides ends the search, and a name that a rule with ``!``
does *not* match is ignored. helm reads it for a folder, never for an archive.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NAME = ".helmignore"
_DEFAULT = "templates/.?*"  # helm adds it as the last rule


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    is_negative: bool
    for_folders: bool
    of_name: bool  # matched against the last part of a path alone


class Rules:
    """The rules of a ``.helmignore`` with this text. Raises ValueError, as a line, for one that helm refuses."""

    def __init__(self, text: str = "") -> None:
        lines = (line.strip() for line in text.split("\n"))
        self._rules = [_rule(line) for line in (*lines, _DEFAULT) if line and not line.startswith("#")]

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether the file or folder at ``path``, below the chart and with ``/``, is no part of it."""
        for rule in self._rules:
            skips = rule.for_folders and not is_folder
            matches = not skips and rule.pattern.fullmatch(path.rpartition("/")[2] if rule.of_name else path)
            if rule.is_negative != bool(matches):
                return True
        return False


def _rule(line: str) -> _Rule:
    if "**" in line:
        raise ValueError("** in .helmignore is not understood by helm")
    text = line.removeprefix("!")
    for_folders = text.endswith("/")
    text = text.removesuffix("/")
    of_name = "/" not in text
    return _Rule(_pattern(text.removeprefix("/")), line.startswith("!"), for_folders, of_name)


def _pattern(glob: str) -> re.Pattern[str]:
    """The pattern of Go's ``filepath.Match``: ``*`` and ``?`` stop at a ``/``, a class is negated by ``^``.

    As there, what stands between two ``*`` is found once, as early as it can be, so that no name takes long.
    """
    pieces, rest = [""], glob
    while rest:
        sign, rest = rest[0], rest[1:]
        if sign == "*":
            pieces.append("")
            continue
        if sign == "?":
            part = "[^/]"
        elif sign == "[":
            part, rest = _class(rest)
        else:
            if sign == "\\":
                sign, rest = _escaped("\\" + rest)
            part = re.escape(sign)
        pieces[-1] += part
    first, *others = pieces
    between = "".join(f"(?>[^/]*?{piece})" for piece in others[:-1])
    return re.compile(first + between + (f"[^/]*{others[-1]}" if others else ""), re.S)


def _class(rest: str) -> tuple[str, str]:
    """A class whose ``[`` is read, as a pattern, and what follows it."""
    negated = rest.startswith("^")
    rest = rest.removeprefix("^")
    spans: list[str] = []
    while not (spans and rest.startswith("]")):
        low, rest = _escaped(rest)
        high = low
        if rest.startswith("-"):
            high, rest = _escaped(rest[1:])
        spans.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    inner = "".join(spans)
    return (f"[{'^' if negated else ''}{inner}]" if inner else "(?s:.)" if negated else "(?!)"), rest[1:]


def _escaped(rest: str) -> tuple[str, str]:
    """The next character, which ``\\`` may mark as one, and what follows it."""
    if rest[:1] in ("", "-", "]") or rest == "\\":
        raise ValueError("a pattern in .helmignore is not whole")
    return (rest[1], rest[2:]) if rest[0] == "\\" else (rest[0], rest[1:])
