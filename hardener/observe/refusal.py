"""Why a container is not started: in the words of a kubelet, or because harden does not give what its pod asks for."""

from __future__ import annotations

from msgspec import Struct

from hardener.errors import HardenError
from hardener.support.data_path import Path, dotted


class Refusal(Struct, frozen=True):
    """Why a pod is not run: one line ``text``, the field at ``path``, which leads from its spec (one that begins with
    ``metadata``: from its template), and ``remedy``, what somebody may do about it."""

    path: Path
    text: str
    remedy: str


def at(path: Path, why: str, remedy: str) -> Refusal:
    """A refusal whose line names the field in front of ``why``."""
    return Refusal(path, f"{dotted(path)}: {why}", remedy)


class NotStartedError(HardenError):
    """A kubelet does not start the container (CreateContainerConfigError), or its runtime cannot."""


class NotOfferedError(NotStartedError):
    """No engine can do what the pod asks for without what harden never does. ``path`` leads to the field, below the
    container where one is at work; ``remedy`` is what to do about it."""

    def __init__(self, why: str, path: Path = (), remedy: str = "") -> None:
        super().__init__(why)
        self.path, self.remedy = path, remedy
