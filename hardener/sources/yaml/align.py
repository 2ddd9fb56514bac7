"""Find which items of a changed list are which items of the old one."""

from __future__ import annotations

from collections.abc import Hashable
from difflib import SequenceMatcher
from typing import Any

_SMALL = 250_000


def align(old: list[Hashable], new: list[Hashable]) -> list[tuple[int | None, int | None]]:
    """Pair old and new positions in order: (i, j) stays or is altered, (i, None) goes, (None, j) comes.

    Equal marks are paired first; between them, old and new items are paired one by one.
    """
    pairs: list[tuple[int | None, int | None]] = []
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        pairs.append((head, head))
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    at_old = at_new = 0
    for i, j in [*(_exact(a, b) if len(a) * len(b) <= _SMALL else _greedy(a, b)), (len(a), len(b))]:
        both = min(i - at_old, j - at_new)
        pairs.extend((head + at_old + k, head + at_new + k) for k in range(both))
        pairs.extend((head + k, None) for k in range(at_old + both, i))
        pairs.extend((None, head + k) for k in range(at_new + both, j))
        if i < len(a):
            pairs.append((head + i, head + j))
        at_old, at_new = i + 1, j + 1
    pairs.extend((len(old) - k, len(new) - k) for k in range(tail, 0, -1))
    return pairs


def _exact(a: list[Hashable], b: list[Hashable]) -> list[tuple[int, int]]:
    if len(a) == 2 and a == b[::-1] and isinstance(a[1], int) and not isinstance(a[0], int):
        return [(1, 0)]  # of two that change places, the one that was never taken out stays, with its comments
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [(i + k, j + k) for i, j, size in blocks for k in range(size)]


def _greedy(a: list[Hashable], b: list[Hashable]) -> list[tuple[int, int]]:
    """Match in one pass: each new item with the next old item that equals it."""
    places: dict[Hashable, list[int]] = {}
    for i in range(len(a) - 1, -1, -1):
        places.setdefault(a[i], []).append(i)
    found: list[tuple[int, int]] = []
    least = 0
    for j, mark in enumerate(b):
        stack = places.get(mark)
        while stack and stack[-1] < least:
            stack.pop()
        if stack:
            found.append((stack.pop(), j))
            least = found[-1][0] + 1
    return found


def mark(value: Any) -> Hashable:
    """Something hashable that is equal for equal data."""
    if isinstance(value, dict):
        return dict, frozenset((type(key), key, mark(item)) for key, item in value.items())
    if isinstance(value, list):
        return list, tuple(map(mark, value))
    return type(value), value
