"""The security contexts that people wrote for containers: what a run writes itself is no fact about them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hardener.authoring.edits import WrongShapeError
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree


class WrittenContexts(AsRead):
    """`runAsUser` and `runAsNonRoot` of each container as it was read, its own or those of its pod, and the rest of its
    own security context."""

    def __init__(self, tree: Tree) -> None:
        self._users: dict[tuple[int, Path], tuple[Any, bool]] = {}
        self._contexts: dict[tuple[int, Path], Any] = {}
        for pod in tree.pods_and_parts:
            try:
                containers = pod.containers
            except (OpaqueError, WrongShapeError):
                continue
            for container in containers:
                try:
                    found = container.effective("runAsUser"), container.effective("runAsNonRoot") is True
                except (OpaqueError, WrongShapeError):
                    continue
                self._users[_key(container)] = found
                if context := container.data.get("securityContext"):
                    self._contexts[_key(container)] = deepcopy(context)

    def is_as_read(self, container: Container, *path: str) -> bool:
        """Whether what stands at ``path`` of the security context of ``container`` itself stood there as it was read;
        of one that a kustomization patches nobody can tell, so it is taken for read."""
        key = _key(container)
        if key not in self._users:
            return True
        read, now = self._contexts.get(key), container.data.get("securityContext")
        for part in path:
            read = read.get(part) if isinstance(read, dict) else None
            now = now.get(part) if isinstance(now, dict) else None
        return bool(read == now)

    def claims(self, container: Container) -> bool:
        """Whether `runAsNonRoot: true` was written for ``container``."""
        return self._users.get(_key(container), (None, False))[1]

    def number(self, container: Container) -> Any:
        """The number that was written for ``container``, None where none was."""
        return self._users.get(_key(container), (None, False))[0]


def _key(container: Container) -> tuple[int, Path]:
    """A run makes new views of a container; its document and its place in it stay."""
    return id(container.object.piece), container.path
