"""For how many containers it is known whom their image runs as, what it runs, and what it writes; and where from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.images.config import KnownBy
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.tree import Tree

MANIFEST = "manifest"


class Coverage(Struct, frozen=True):
    """How many containers a fact is known for, by where it is from, the strongest first; and for how many it is not."""

    by: dict[str, int]
    unknown: int

    @property
    def known(self) -> int:
        """For how many containers the fact is known."""
        return sum(self.by.values())


def coverage(tree: Tree) -> dict[str, Coverage]:
    """`user`, `command` and `paths` of the containers in the files that are edited."""
    found: dict[str, list[str | None]] = {"user": [], "command": [], "paths": []}
    for container in _containers(tree):
        known = known_image(container)
        found["user"].append(known.user_by)
        found["command"].append(MANIFEST if container.command else known.command_by)
        found["paths"].append(known.paths_by)
    return {name: _counted(sources) for name, sources in found.items()}


def _containers(tree: Tree) -> Iterator[Container]:
    for pod in tree.pods_and_parts:
        if pod.object.editable and "patch" not in pod.object.classes:
            try:
                yield from (container for container in pod.containers if container.image is not None)
            except (OpaqueError, WrongShapeError):
                continue


def _counted(sources: list[str | None]) -> Coverage:
    count = Counter(sources)
    order = [MANIFEST, *KnownBy]
    return Coverage({str(name): count[name] for name in order if count[name]}, count[None])
