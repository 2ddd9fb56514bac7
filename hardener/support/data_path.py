"""A place in plain data, and what stands there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes, from the top down."""
Parts = dict[str | int, "Parts"]
"""Several paths as one tree: their parts, by those before them; empty where one ends."""


def below(paths: Iterable[Path]) -> Parts:
    """All of ``paths`` as one tree. What is below the end of one is no part of it."""
    found: Parts = {}
    ends: list[Parts] = []
    for path in paths:
        parts = found
        for part in path:
            parts = parts.setdefault(part, {})
        ends.append(parts)
    for parts in ends:
        parts.clear()
    return found


@lru_cache(maxsize=4096)
def joined(start: Path, rest: Path) -> Path:
    """The path ``rest`` below ``start``: one object for all that ask for it, as far as it is remembered.

    The documents of a tree are alike, and of each of them dozens of paths are kept to the end of a run.
    """
    return start + rest


def value_at(data: Any, path: Path) -> Any:
    """The value at ``path``, keys and indexes; None where there is none, and where no path leads there."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def existing(data: Any, path: Path) -> Any:
    """The value at ``path``. Raises LookupError or TypeError where no path leads there."""
    for part in path:
        data = data[part]
    return data


def dotted(path: Path) -> str:
    """``spec.containers[0].image`` for a path of keys and indexes."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if "." not in part else f'["{part}"]'
    return text.removeprefix(".")
