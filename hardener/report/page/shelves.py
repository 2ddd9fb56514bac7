"""Rectangles side by side, row below row, so that a drawing of many small parts is no column of one."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

_SHAPE = 2.0  # width over height, where there is a choice


def shelved(
    sizes: Sequence[tuple[float, float]], widest: float, gap: float
) -> tuple[list[tuple[float, float]], float, float]:
    """The upper left corner of each of ``sizes`` (width, height), and width and height of it all.

    No row is wider than ``widest``, and few things make no row of that width: they would be small on a small screen.
    The tallest come first, so that little is left free below the others.
    """
    area = sum((width + gap) * (height + gap) for width, height in sizes)
    widest = min(widest, max([sqrt(area * _SHAPE), *(width for width, _ in sizes)]))
    corners = [(0.0, 0.0)] * len(sizes)
    x = y = tallest = right = 0.0
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number][1]):
        width, height = sizes[number]
        if x and x + width > widest:
            x, y, tallest = 0.0, y + tallest + gap, 0.0
        corners[number] = x, y
        right, tallest = max(right, x + width), max(tallest, height)
        x += width + gap
    return corners, right, y + tallest
