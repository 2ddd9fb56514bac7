"""Values that are set one by one, as ``helm --set`` takes them: a dotted name and a text.

Source: helm.sh/docs/intro/using_helm, "The format and limitations of --set", helm/helm pkg/strvals/parser.go: a dot,
a comma and an equals sign are escaped by a backslash, ``[0]`` is an item of a list, ``{a, b}`` a list; ``true``,
``false``, ``null`` and whole numbers without a leading zero are no texts, unless ``--set-string`` says so.
"""

from __future__ import annotations

import re
from typing import Any

from hardener.support.data_path import Path
from hardener.support.printable import plain

_PART = re.compile(r"((?:\\.|[^\\.\[=,])*)((?:\[\d{1,5}\])*)(\.|$)", re.S)
_INDEX = re.compile(r"\[(\d+)\]")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def path_of(name: str) -> Path | None:
    """The path that the dotted ``name`` stands for (``a.b\\.c[0]``); None for what is no name."""
    found: list[str | int] = []
    position = 0
    while True:
        part = _PART.match(name, position)
        if part is None or not part[1]:
            return None
        found.append(re.sub(r"\\(.)", r"\1", part[1]))
        found += [int(index) for index in _INDEX.findall(part[2])]
        if not part[3]:
            return tuple(found)
        position = part.end()


def typed(text: str) -> Any:
    """Return what ``--set`` makes of ``text``."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text) and -(1 << 63) <= int(text) < 1 << 63:
        return int(text)
    if text.startswith("{") and text.endswith("}") and len(text) > 1:
        inner = text[1:-1]
        return [typed(_plain(item.strip())) for item in re.split(r"(?<!\\),", inner)] if inner.strip() else []
    return _plain(text)


def nested(path: Path, value: Any) -> dict[str, Any] | None:
    """Return values in which ``value`` stands at ``path``, keys alone; None for a path into a list."""
    if not all(isinstance(part, str) for part in path):
        return None
    for part in reversed(path):
        value = {part: value}
    return value if isinstance(value, dict) else None


def keys_of(path: Path) -> tuple[str, ...]:
    """Return the keys of ``path`` before the first index of a list."""
    found: list[str] = []
    for part in path:
        if not isinstance(part, str):
            break
        found.append(part)
    return tuple(found)


def name_of(path: Path) -> str:
    r"""Return the dotted name of ``path``: ``podAnnotations.example\.com/role``, ``ports[0]``."""
    parts = (f"[{part}]" if isinstance(part, int) else "." + re.sub(r"([\\.,=\[\]])", r"\\\1", part) for part in path)
    return plain("".join(parts).removeprefix("."))


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.S)
