"""Requests and limits that the containers of the tree have beside their image, for others that run the same program."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.programs import Program, program_of
from hardener.kubernetes import quantity
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.fact import AsRead

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

_RESOURCES = ("cpu", "memory")
_KINDS = ("requests", "limits")


class Number(NamedTuple):
    """A request or a limit of another container: its amount, as it is written, and where."""

    amount: Fraction
    text: str
    fact: Evidence


class NumbersElsewhere(AsRead):
    """The largest requests and limits by program, as they were read: none of them is of this run."""

    def __init__(self, tree: Tree) -> None:
        # The two largest of each kind, from two containers: one of them is no number of the container that asks.
        self._largest: dict[tuple[Program, str, str], list[tuple[Number, Piece, Path]]] = {}
        for pod in tree.pod_templates:
            try:
                containers = pod.containers
            except (OpaqueError, WrongShapeError):
                continue
            for container in containers:
                self._add(container)

    def _add(self, container: Container) -> None:
        program = program_of(container) if "resources" in container.data else None
        if program is None:
            return
        for kind in _KINDS:
            for resource in _RESOURCES:
                try:
                    written = container.get("resources", kind, resource)
                except (OpaqueError, WrongShapeError):
                    continue
                amount = quantity.parse(written)
                if amount is None or amount <= 0:
                    continue
                said = f"{container} runs the same image, and its {resource} {kind.removesuffix('s')} is {written}"
                number = Number(amount, str(written), container.fact(said, "resources", kind, resource))
                largest = self._largest.setdefault((program, kind, resource), [])
                largest.append((number, container.object.piece, container.path))
                largest.sort(key=lambda entry: entry[0].amount, reverse=True)
                del largest[2:]

    def largest(self, container: Container, kind: str, resource: str) -> Number | None:
        """The largest number of ``kind`` ("requests" or "limits") that another container with the program of
        ``container`` has; None without one."""
        program = program_of(container) if self._largest else None
        if program is None:
            return None
        for number, piece, path in self._largest.get((program, kind, resource), ()):
            if piece is not container.object.piece or path != container.path:
                return number
        return None
