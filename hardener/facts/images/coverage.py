"""For how many containers it is known whom their image runs as, which number they can run as, what it runs, and every
place that it writes to; and where from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.known_image import known_image
from hardener.facts.objects.written_contexts import WrittenContexts
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
    """`user`, `number`, `command` and `paths` of the containers in the files that are edited."""
    found: dict[str, list[str | None]] = {"user": [], "number": [], "command": [], "paths": []}
    for container in _containers(tree):
        known = known_image(container)
        found["user"].append(_label(known.user))
        found["number"].append(MANIFEST if _has_number(container) else _label(known.number_to_run_as))
        found["command"].append(MANIFEST if container.command else _label(known.command))
        found["paths"].append(_label(known.all_paths))
    return {name: _counted(sources) for name, sources in found.items()}


def _has_number(container: Container) -> bool:
    """Whether a person wrote a number for ``container`` that is not root's."""
    number = container.tree.ask(WrittenContexts).number(container)
    return type(number) is int and number > 0


def _containers(tree: Tree) -> Iterator[Container]:
    for pod in tree.pods_and_parts:
        if pod.object.editable and "patch" not in pod.object.classes:
            try:
                yield from (container for container in pod.containers if container.image is not None)
            except (OpaqueError, WrongShapeError):
                continue


def _label(known: Known[Any] | None) -> str | None:
    return known.by.label if known is not None else None


def _counted(labels: list[str | None]) -> Coverage:
    count = Counter(labels)
    order = [MANIFEST, *(source.label for source in KnownBy)]
    return Coverage({label: count[label] for label in order if count[label]}, count[None])
