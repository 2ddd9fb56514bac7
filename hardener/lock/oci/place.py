"""Where a repository of images is."""

from __future__ import annotations

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where a repository is: ``host`` with its port, and the path there. ``login`` is the name that logins go by."""

    host: str
    repository: str
    login: str
