"""Kubernetes quantities (`500m`, `1.5Gi`, `1e3`), exactly.

Source: k8s.io/apimachinery pkg/api/resource (quantity.go, suffix.go). Values are Fractions: cores for cpu, bytes for
memory. Kubernetes itself rounds up what it cannot hold, so printing rounds up too.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from math import ceil, inf

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
}
_UNITS: dict[str, Fraction] = _DECIMAL | {suffix: Fraction(size) for suffix, size in _BINARY.items()}
# From small to large, so that a value that does not fit the author's unit finds the next smaller one.
_FAMILIES = (tuple(_DECIMAL), ("", *_BINARY))

_QUANTITY = re.compile(r"([+-]?)([0-9]*)(\.[0-9]*)?(?:([KMGTPE]i|[numkMGTPE]?)|[eE]([+-]?[0-9]+))")
# Longer texts or larger exponents are no amounts anybody means, and huge numbers cost time.
_LONGEST = 64
_LARGEST_EXPONENT = 60


def parse(value: object) -> Fraction | None:
    """The amount in a quantity (text, or the number YAML made of it), or None when it is none."""
    if isinstance(value, str):
        return _parse(value)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, float):
        # repr is the shortest text that means this float, so 0.1 is one tenth and not its binary neighbour.
        return None if value != value or value in (inf, -inf) else _parse(repr(value))
    return None


def format_like(value: Fraction, like: object) -> str:
    """`value` in the unit of `like`, the author's own quantity: (1/4, "500m") -> "250m", (1Gi, "64Mi") -> "1024Mi".

    A value that is no whole number of that unit is written in the next smaller unit of the same family in which it
    is ("1Gi", 1.5Gi -> "1536Mi"), and rounded up where the smallest is still too large. An author who writes cpu as
    decimals ("0.5") keeps decimals as far as they are exact to three places.
    """
    text = like if isinstance(like, str) else str(like)
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return _in_family(value, "", _FAMILIES[0])
    fraction, suffix, exponent = match[3], match[4] or "", match[5]
    if exponent is not None:
        power = int(exponent)
        unit = Fraction(10) ** power if abs(power) <= _LARGEST_EXPONENT else Fraction(1)
        if (value / unit).denominator == 1 and power:
            return f"{value / unit}{text[text.lower().index('e')]}{exponent}"
        return _in_family(value, "", _FAMILIES[0])
    if fraction is not None and (value / _UNITS[suffix] * 1000).denominator == 1:
        return f"{_decimal(value / _UNITS[suffix])}{suffix}"
    return _in_family(value, suffix, _FAMILIES[1] if suffix in _BINARY else _FAMILIES[0])


@lru_cache(maxsize=4096)
def format_memory(value: Fraction) -> str:
    """Bytes in the largest binary unit that holds them exactly: "512Mi", "1792Mi", "4Gi"; parts of a byte round up."""
    largest = _FAMILIES[1][-1]
    return _in_family(Fraction(ceil(value)), largest if value else "", _FAMILIES[1])


def format_cpu(value: Fraction) -> str:
    """Cores, as "2" when whole, else in milli-cores rounded up ("100m"): the API keeps no finer cpu."""
    milli = ceil(value * 1000)
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


@lru_cache(maxsize=4096)
def _parse(text: str) -> Fraction | None:
    if len(text) > _LONGEST:
        return None
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, suffix, exponent = match.groups()
    places = (fraction or "")[1:]
    if not whole and not places:
        return None
    amount = Fraction(int(whole + places or "0"), 10 ** len(places))
    if exponent is not None:
        power = int(exponent)
        if abs(power) > _LARGEST_EXPONENT:
            return None
        amount *= Fraction(10) ** power
    else:
        amount *= _UNITS[suffix or ""]
    return -amount if sign == "-" else amount


def _in_family(value: Fraction, suffix: str, family: tuple[str, ...]) -> str:
    for unit in reversed(family[: family.index(suffix) + 1]):
        if (value / _UNITS[unit]).denominator == 1:
            return f"{value / _UNITS[unit]}{unit}"
    return f"{ceil(value / _UNITS[family[0]])}{family[0]}"


def _decimal(value: Fraction) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value) * 1000, 1000)
    return f"{sign}{whole}.{int(rest):03d}".rstrip("0").rstrip(".")
