"""The shapes in which an API server takes a value: null means absent, and a wrong shape refuses the whole object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardener.errors import HardenError


class ShapeError(HardenError):
    """The API server would not take the object."""


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` as a mapping, an empty one for null. Raises ShapeError for anything else."""
    if value is None:
        return {}
    if type(value) is not dict and not isinstance(value, Mapping):
        raise ShapeError
    return value


def sequence(value: Any) -> list[Any]:
    """``value`` as a list, an empty one for null. Raises ShapeError for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ShapeError
    return value
