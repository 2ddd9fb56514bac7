"""Requests and limits that the containers of the tree have beside their image, for others that run the same program."""

from __future__ import annotations

from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.programs import Program, program_of
from hardener.kubernetes.objects import quantity
from hardener.support.data_path import value_at
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_RESOURCES = ("cpu", "memory")
_KINDS = ("requests", "limits")


_Written = tuple[Fraction, str, Container]  # an amount, as it is written, and where


class Number(NamedTuple):
    """A request or a limit of another container: its amount, as it is written, and where."""

    amount: Fraction
    text: str
    fact: Evidence


class NumbersElsewhere(AsRead):
    """The largest requests and limits by program, as they were read: none of them is of this run."""

    def __init__(self, tree: Tree) -> None:
        # The two largest of each kind, from two containers: one of them is no number of the container that asks.
        self._largest: dict[tuple[Program, str, str], list[_Written]] = {}
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
            numbers = value_at(container.data, ("resources", kind))
            for resource in _RESOURCES if isinstance(numbers, dict) else ():
                written = numbers.get(resource)
                amount = quantity.parse(written) if written is not None else None
                if amount is None or amount.numerator <= 0:
                    continue
                largest = self._largest.setdefault((program, kind, resource), [])
                if len(largest) == 2 and amount <= largest[1][0]:
                    continue
                largest.append((amount, str(written), container))
                largest.sort(key=itemgetter(0), reverse=True)
                del largest[2:]

    def largest(self, container: Container, kind: str, resource: str) -> Number | None:
        """The largest number of ``kind`` ("requests" or "limits") that another container with the program of
        ``container`` has; None without one."""
        program = program_of(container) if self._largest else None
        if program is None:
            return None
        for amount, written, other in self._largest.get((program, kind, resource), ()):
            if other.object.piece is not container.object.piece or other.path != container.path:
                said = f"{other} runs the same image, and its {resource} {kind.removesuffix('s')} is {written}"
                return Number(amount, written, other.fact(said, "resources", kind, resource))
        return None
