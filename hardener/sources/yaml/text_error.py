"""The one way this engine says no."""

from __future__ import annotations

from hardener.errors import HardenError


class TextError(HardenError):
    """The text cannot be read, or cannot be changed as asked without touching something else.

    `reason` is one line and never quotes values (they may be secrets); `line` counts from 1 within the text given.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
