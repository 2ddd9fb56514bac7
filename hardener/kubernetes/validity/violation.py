"""What a broken rule is, and how data of any shape is looked at without an error.

Values of a shape that the API would not even decode count as absent: the rules judge what they understand.
"""

from typing import Any, NamedTuple

from hardener.support.data_path import Path


class Violation(NamedTuple):
    """A rule that a document breaks: its number (docs/design/proof.md), the place, and what is wrong in words.

    The message holds names of containers, volumes and fields, never a value that could be a secret.
    """

    rule: int
    path: Path
    message: str


def mapping(value: object) -> dict[Any, Any]:
    """``value`` itself where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def entries(value: object) -> list[tuple[int, dict[Any, Any]]]:
    """The mappings of a list, with their indexes; none where there is no list."""
    return [entry for entry in enumerate(value) if isinstance(entry[1], dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """The texts of a list; none where there is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def number(value: object) -> int | None:
    """``value`` where it is an integer; true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
