"""Why an image could not be looked up."""

from __future__ import annotations

from hardener.errors import HardenError


class RegistryError(HardenError):
    """The message is one line that names the registry; it never holds what a server sent, nor a login.

    ``status``: the HTTP status that was the reason, None without an answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
