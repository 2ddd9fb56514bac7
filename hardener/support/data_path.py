"""A place in plain data, and what stands there."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes, from the top down."""


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
