"""How data of any shape is looked at without an error: what has another shape counts as absent."""

from __future__ import annotations

from typing import Any


def mapping(value: object) -> dict[Any, Any]:
    """``value`` itself where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """``value`` itself where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> list[dict[Any, Any]]:
    """The mappings of a list; none where there is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def entries(value: object) -> list[tuple[int, dict[Any, Any]]]:
    """The mappings of a list, with their indexes; none where there is no list."""
    return [entry for entry in enumerate(value) if isinstance(entry[1], dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """The texts of a list; none where there is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def plain_copy(value: Any) -> Any:
    """A copy of plain data that shares no mapping and no list with it."""
    if isinstance(value, list):
        return [plain_copy(item) for item in value]
    if isinstance(value, dict):
        return {key: plain_copy(item) if isinstance(item, (dict, list)) else item for key, item in value.items()}
    return value


def number(value: object) -> int | None:
    """``value`` where it is an integer; true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
