"""Where a repository of images is."""

from hardener.support.fast_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a repository is: ``host`` with its port, and the path there. ``login`` is the name that logins go by."""

    host: str
    repository: str
    login: str
