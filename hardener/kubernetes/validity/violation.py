"""What a broken rule is.

Values of a shape that the API would not even decode count as absent: the rules judge what they understand.
"""

from __future__ import annotations

from typing import NamedTuple

from hardener.support.data_path import Path


class Violation(NamedTuple):
    """A rule that a document breaks: its number (docs/design/proof.md), the place, and what is wrong in words.

    The message holds names of containers, volumes and fields, never a value that could be a secret.
    """

    rule: int
    path: Path
    message: str
