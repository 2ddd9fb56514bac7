"""The hashes by which GitHub recognises an alert when lines move: ``primaryLocationLineHash`` of SARIF results.

The same as ``upload-sarif`` works out itself, which warns of any other: for each line the polynomial of its next 100
characters that are no blanks (base 37, 64 bits), with a number for lines that hash the same.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from itertools import chain

_BLOCK = 100
_BASE = 37
_MASK = (1 << 64) - 1
_FIRST = pow(_BASE, _BLOCK, 1 << 64)
_END = 65535  # what stands behind the last character
_LINE_FEED = 10


def line_hashes(text: str, lines: Iterable[int]) -> dict[int, str]:
    """The hashes of ``lines`` (1-based) of ``text``."""
    wanted = set(lines)
    codes = _codes(text)
    starts = chain((0,), (place + 1 for place, code in enumerate(codes) if code == _LINE_FEED))
    found: dict[int, str] = {}
    seen: Counter[int] = Counter()
    value, position = 0, 0
    for code in codes[:_BLOCK]:
        value = (value * _BASE + code) & _MASK
    for number, start in enumerate(starts, 1):
        while position < start:
            gone, came = codes[position], codes[position + _BLOCK]
            value = (value * _BASE + came - _FIRST * gone) & _MASK
            position += 1
        seen[value] += 1
        if number in wanted:
            found[number] = f"{value:x}:{seen[value]}"
    return found


def _codes(text: str) -> array[int]:
    """The characters that count, as UTF-16 units, and what stands behind them."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    units = plain.encode("utf-16-le", "surrogatepass")
    return array("H", memoryview(units).cast("H") if units else ()) + array("H", [_END, *[0] * _BLOCK])
