"""Requests and limits that the containers of the tree have beside their image, for others that run the same program.

What a container asks for says nothing of another one where the image does nothing by itself, and nothing where the two
belong to different applications: a data store is as large as its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.programs import Program, program_of
from hardener.kubernetes.images.general_purpose import is_general_purpose
from hardener.kubernetes.objects import quantity
from hardener.support.data_path import value_at
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_RESOURCES = ("cpu", "memory")
_KINDS = ("requests", "limits")
# Images that hold a shell, a tool or a language, by the last part of their name under whichever registry.
_FOR_ANYTHING = frozenset(
    {"almalinux", "alpine", "amazoncorretto", "amazonlinux", "archlinux", "aspnet", "bash", "buildpack-deps", "busybox"}
    | {"centos", "curl", "debian", "eclipse-temurin", "fedora", "git", "golang", "jq", "kubectl", "netshoot", "node"}
    | {"openjdk", "oraclelinux", "os-shell", "perl", "php", "python", "rockylinux", "ruby", "runtime", "rust", "ubi"}
    | {"ubi-minimal", "ubi8", "ubi9", "ubuntu", "wget", "yq"}
)
# Labels that name the application of a pod.
_OF_APPLICATION = ("app", "app.kubernetes.io/name", "app.kubernetes.io/part-of", "k8s-app")

_Written = tuple[Fraction, str, Container]  # an amount, as it is written, and where
_Bond = tuple[str, str | None]  # what containers of one application share


class Number(NamedTuple):
    """A request or a limit of another container: its amount, as it is written, and where."""

    amount: Fraction
    text: str
    fact: Evidence


class NumbersElsewhere(AsRead):
    """The largest requests and limits by program and application, as they were read: none of them is of this run."""

    def __init__(self, tree: Tree) -> None:
        # The two largest of each kind, from two containers: one of them is no number of the container that asks.
        self._largest: dict[tuple[Program, _Bond, str, str], list[_Written]] = {}
        for pod in tree.pod_templates:
            try:
                containers = pod.containers
            except (OpaqueError, WrongShapeError):
                continue
            for container in containers:
                self._add(container)

    def _add(self, container: Container) -> None:
        program = _says_something(container) if "resources" in container.data else None
        if program is None:
            return
        for kind in _KINDS:
            numbers = value_at(container.data, ("resources", kind))
            for resource in _RESOURCES if isinstance(numbers, dict) else ():
                written = numbers.get(resource)
                amount = quantity.parse(written) if written is not None else None
                if amount is None or amount.numerator <= 0:
                    continue
                for bond in _bonds(container):
                    largest = self._largest.setdefault((program, bond, kind, resource), [])
                    if len(largest) == 2 and amount <= largest[1][0]:
                        continue
                    largest.append((amount, str(written), container))
                    largest.sort(key=itemgetter(0), reverse=True)
                    del largest[2:]

    def largest(self, container: Container, kind: str, resource: str, most: Fraction | None = None) -> Number | None:
        """The largest number of ``kind`` ("requests" or "limits") that another container of its application with the
        program of ``container`` has, one above ``most`` left out; None without one."""
        program = _says_something(container) if self._largest else None
        if program is None:
            return None
        found = [
            entry
            for bond in _bonds(container)
            for entry in self._largest.get((program, bond, kind, resource), ())
            if (most is None or entry[0] <= most) and not _is_same(entry[2], container)
        ]
        if not found:
            return None
        amount, written, other = max(found, key=itemgetter(0))
        said = f"{other} runs the same image, and its {resource} {kind.removesuffix('s')} is {written}"
        return Number(amount, written, other.fact(said, "resources", kind, resource))


def _is_same(one: Container, other: Container) -> bool:
    """Whether both are views of one container."""
    return one.object.piece is other.object.piece and one.path == other.path


def _says_something(container: Container) -> Program | None:
    """The program of ``container``, where what it asks for says something of others that run it."""
    image = container.image
    is_for_anything = image is None or image.name in _FOR_ANYTHING or is_general_purpose(image)
    return None if is_for_anything else program_of(container)


def _bonds(container: Container) -> Iterator[_Bond]:
    """What shows that two containers are of one application: a namespace, or without one a folder; the name of their
    workload; a label."""
    item = container.object
    yield ("namespace", item.namespace) if item.namespace is not None else ("folder", item.folder)
    yield "name", item.name
    for key in _OF_APPLICATION:
        value = container.pod.labels.get(key)
        if value is not None:
            yield key, value
