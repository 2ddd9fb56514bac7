"""What is wrong with an object that a step changes: the problem sentence of its transform, and the container's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from hardener.authoring.transform import CONTAINER
from hardener.engine.outcome import Change
from hardener.support.data_path import Path

_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers"})


def problem_of(changes: Iterable[Change]) -> str:
    """Return the sentence, without a full stop, for ``changes`` of one transform. It names the container that is
    changed, and counts the others."""
    made = list(changes)
    transform = made[0].transform
    if CONTAINER not in transform.problem:
        return transform.problem
    return transform.problem_of(list(dict.fromkeys(name for change in made for name in _container(change))))


def _container(change: Change) -> Iterator[str]:
    """The name of the container at the path of ``change``; nothing where that leads through none."""
    name = next(iter(_named(change.object.data, change.path)), None)
    if name is not None:
        yield name


def _named(data: object, path: Path) -> Iterator[str]:
    found = [at for at, pair in enumerate(pairwise(path)) if pair[0] in _LISTS and isinstance(pair[1], int)]
    if not found:
        return
    # Until a run is written, the path begins with the number of the document, or with the place in a list.
    for start in range(found[-1] + 1):
        container = _at(data, path[start : found[-1] + 2])
        if isinstance(container, dict) and isinstance(container.get("name"), str):
            yield container["name"]


def _at(data: object, path: Path) -> object:
    for part in path:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
