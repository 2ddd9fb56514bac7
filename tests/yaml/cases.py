"""What one edit must do to one text, byte for byte."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Edit = Callable[[list[Any]], Any]


@dataclass(frozen=True)
class Case:
    name: str
    before: str
    edit: Edit
    after: str


def put(*path: Any, to: Any) -> Edit:
    """Set the value at a path of the first document."""

    def edit(documents: list[Any]) -> None:
        at(documents, *path[:-1])[path[-1]] = to

    return edit


def drop(*path: Any) -> Edit:
    """Remove the key or item at a path of the first document."""

    def edit(documents: list[Any]) -> None:
        del at(documents, *path[:-1])[path[-1]]

    return edit


def append(*path: Any, item: Any) -> Edit:
    return lambda documents: at(documents, *path).append(item)


def insert(*path: Any, index: int, item: Any) -> Edit:
    return lambda documents: at(documents, *path).insert(index, item)


def place(*path: Any, key: str, to: Any, before: str | None = None, after: str | None = None) -> Edit:
    """Add a key in front of or behind another one in the order of the mapping."""

    def edit(documents: list[Any]) -> None:
        mapping = at(documents, *path)
        old = list(mapping.items())
        mapping.clear()
        if before is None and after is None:
            mapping[key] = to
        for name, value in old:
            if name == before:
                mapping[key] = to
            mapping[name] = value
            if name == after:
                mapping[key] = to

    return edit


def swap(*path: Any, old: str, new: str, to: Any) -> Edit:
    """Put another key in the place of one."""

    def edit(documents: list[Any]) -> None:
        mapping = at(documents, *path)
        items = [(new, to) if key == old else (key, value) for key, value in mapping.items()]
        mapping.clear()
        mapping.update(items)

    return edit


def all_of(*edits: Edit) -> Edit:
    return lambda documents: [edit(documents) for edit in edits] and None


def at(documents: list[Any], *path: Any) -> Any:
    found = documents[0]
    for step in path:
        found = found[step]
    return found
