"""A place in plain data, and what stands there."""

from __future__ import annotations

from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes, from the top down."""


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
