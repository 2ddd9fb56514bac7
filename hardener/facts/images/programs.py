"""Which containers run the same program: those with the same repository of image, both or none of them init containers,
that start in the same way, with the same command and the same first argument, options left out. An image of many
programs (`busybox`, `thanos query` and `thanos store`) says nothing about what one of them does."""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

Program = tuple[str, bool, tuple[str, ...], str]
"""The repository spelled out, whether it is an init container, its command, and its first argument."""


def program_of(container: Container) -> Program | None:
    """What ``container`` runs; None where that is filled in later."""
    return container.tree.ask(Programs).of(container)


class Programs(AsRead):
    """What containers run, found out once for each, since each transform asks."""

    def __init__(self, tree: Tree) -> None:
        self._known: dict[Container, Program | None] = {}

    def of(self, container: Container) -> Program | None:
        """What ``container`` runs; None where that is filled in later."""
        if container not in self._known:
            self._known[container] = _find(container)
        return self._known[container]


def _find(container: Container) -> Program | None:
    repository = container.image.normalized if container.image is not None else None
    if repository is None or container.pod.is_fragment:  # a program may give it another command
        return None
    try:
        command, args = container.strings("command"), container.strings("args")
    except (OpaqueError, WrongShapeError):
        return None
    first = args[0] if args and not args[0].startswith("-") else ""
    return repository, container.init, command, first
