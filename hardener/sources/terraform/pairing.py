"""Which items of a list stay, when it changes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from hardener.sources.yaml.align import align, mark


def paired(old: list[Any], new: list[Any]) -> list[tuple[int | None, tuple[Any] | None]]:
    """Which items stay: pairs of the index of an old item and the new one, in a tuple; None for what is not there."""
    before, after = _names(old), _names(new)
    if not (before and after):
        if len(old) == len(new):
            return [(index, (item,)) for index, item in enumerate(new)]
        if not old:
            return [(None, (item,)) for item in new]
        before, after = [mark(item) for item in old], [mark(item) for item in new]
    return [(i, None if j is None else (new[j],)) for i, j in align(before, after)]


def _names(items: list[Any]) -> list[Hashable]:
    """The names of the items where each has its own; else nothing."""
    found = [item.get("name") if isinstance(item, dict) else None for item in items]
    distinct = all(isinstance(name, str) for name in found) and len(set(found)) == len(found)
    return list(found) if distinct else []
