"""Values out of what somebody else wrote: each of the wanted type, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from hardener.kubernetes.objects import quantity

_MOST = 1 << 62


def at(value: Any, *path: str) -> Any:
    """What stands at ``path``; None where nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Any, *path: str) -> str:
    """The text at ``path``, "" for anything else."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """The mapping at ``path``, {} for anything else."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def entries(value: Any, *path: str) -> Iterator[dict[str, Any]]:
    """The mappings of the list at ``path``."""
    found = at(value, *path)
    return (each for each in found if isinstance(each, dict)) if isinstance(found, list) else iter(())


def texts(value: Any, *path: str) -> Iterator[str]:
    """The texts of the list at ``path``."""
    found = at(value, *path)
    return (each for each in found if isinstance(each, str)) if isinstance(found, list) else iter(())


def number(value: Any) -> int | None:
    """A number that is no less than 0, None for anything else."""
    return value if type(value) is int and 0 <= value < _MOST else None


def thousandths(value: Any) -> int | None:
    """A quantity of cpu in thousandths of a core."""
    return _scaled(value, 1000)


def whole_bytes(value: Any) -> int | None:
    """A quantity of memory in bytes."""
    return _scaled(value, 1)


def _scaled(value: Any, scale: int) -> int | None:
    amount = quantity.parse(value)
    scaled = Fraction(amount) * scale if amount is not None else None
    return int(scaled) if scaled is not None and 0 <= scaled < _MOST else None
