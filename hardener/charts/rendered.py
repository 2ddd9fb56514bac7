"""What helm rendered, object by object, and where two renders differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from hardener.sources.yaml import TextError, parse
from hardener.support.data_path import value_at


class Key(NamedTuple):
    """Which object: as Kubernetes tells objects apart, and the how many-th of those it is."""

    api_version: str
    kind: str
    namespace: str
    name: str
    number: int


class Item(NamedTuple):
    """An item of a list, by what tells it apart from its neighbours: a field and its value."""

    field: str
    value: Any


Place = tuple["str | int | Item", ...]
"""A place in an object that holds in another render of it: the items of lists by their names."""

_SOURCE = re.compile(r"(?m)^---[ \t]*\n# Source: (.*)\n")
# What tells the items of a list apart, as strategic merge patches of Kubernetes have it.
_FIELDS = ("name", "mountPath", "containerPort", "port", "key", "devicePath", "ip", "topologyKey", "type")


class Document(Struct, eq=False):
    """One document of a render: the template that it comes from, its text, and its data."""

    source: str
    text: str
    data: Any


class Reader:
    """Reads renders of one chart; a document that comes again is not parsed again."""

    def __init__(self) -> None:
        self._known: dict[str, list[Any]] = {}

    def read(self, text: str) -> dict[Key, Document]:
        """Return the objects of a render. What cannot be read as YAML, such as a key that stands twice, is an object of
        its own, which differs as a whole."""
        found: dict[Key, Document] = {}
        seen: Counter[tuple[str, ...]] = Counter()
        for source, part in parts(text):
            for data in self._documents(source, part):
                if isinstance(data, dict):
                    found[key_of(data, seen)] = Document(source, part, data)
        return found

    def _documents(self, source: str, text: str) -> list[Any]:
        if text not in self._known:
            try:
                self._known[text] = parse(text).documents
            except TextError:
                self._known[text] = [{"kind": "document", "metadata": {"name": source}, "text": text}]
        return self._known[text]


class SteadyNames:
    """Gives the objects whose names are made by chance the same key in each render: the template that they come from,
    and the how many-th of it. Made of two renders of the same values."""

    def __init__(self, one: Mapping[Key, Document], other: Mapping[Key, Document]) -> None:
        gone = [*(one[key] for key in one.keys() - other.keys()), *(other[key] for key in other.keys() - one.keys())]
        self._by_chance = {(document.source, document.data.get("kind")) for document in gone}

    def keys(self, objects: Mapping[Key, Document]) -> dict[Key, Key]:
        """Return the steady key of each of ``objects``."""
        seen: Counter[tuple[str, ...]] = Counter()
        found = {}
        for key, document in objects.items():
            if (document.source, key.kind) in self._by_chance:
                known = key.api_version, key.kind, key.namespace, f"of {document.source}"
                seen[known] += 1
                found[key] = Key(*known, seen[known])
            else:
                found[key] = key
        return found

    def __call__(self, objects: Mapping[Key, Document]) -> dict[Key, Document]:
        """``objects`` by their steady keys."""
        if not self._by_chance:
            return dict(objects)
        keys = self.keys(objects)
        return {keys[key]: document for key, document in objects.items()}


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the documents of what helm printed: the template that each comes from, and its text."""
    starts = list(_SOURCE.finditer(text))
    for number, match in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        yield match[1], text[match.end() : end]


def key_of(data: dict[str, Any], seen: Counter[tuple[str, ...]]) -> Key:
    """Return the key of an object, the next of those in ``seen``."""
    metadata = data.get("metadata")
    own = metadata if isinstance(metadata, dict) else {}
    known = (
        str(data.get("apiVersion", "")),
        str(data.get("kind", "")),
        str(own.get("namespace") or ""),
        str(own.get("name") or ""),
    )
    seen[known] += 1
    return Key(*known, seen[known])


def field_of(*lists: list[Any]) -> str | None:
    """Return the field that tells the items of each of ``lists`` apart; None where there is none."""
    for name in _FIELDS:
        if all(_tells_apart(name, items) for items in lists):
            return name
    return None


def _tells_apart(name: str, items: list[Any]) -> bool:
    values = [item.get(name) if isinstance(item, dict) else None for item in items]
    if any(value is None or isinstance(value, dict | list) for value in values):
        return False
    return len({(type(value), value) for value in values}) == len(values)


def place_of(data: Any, path: tuple[str | int, ...]) -> Place:
    """Return ``path`` in ``data`` as a place; where it leads no further, the rest is as it was."""
    found: list[str | int | Item] = []
    for part in path:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            name = field_of(data)
            data = data[part]
            found.append(Item(name, data[name]) if name is not None else part)
        else:
            data = data.get(part) if isinstance(data, dict) else None
            found.append(part)
    return tuple(found)


def at_place(data: Any, place: Place) -> Any:
    """Return what stands at ``place``; None where nothing does."""
    for part in place:
        if isinstance(part, Item):
            items = data if isinstance(data, list) else ()
            data = next((item for item in items if isinstance(item, dict) and item.get(part.field) == part.value), None)
        else:
            data = value_at(data, (part,))
    return data


def differences(old: Any, new: Any, place: Place = ()) -> Iterator[Place]:
    """Yield where two objects differ, as far down as that can be told. What is null is as good as missing, and the
    order of items that have names says nothing."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            if (before := old.get(key)) is not (after := new.get(key)):
                yield from differences(before, after, (*place, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_items(old, new, place)
    elif old and isinstance(old, dict) and new is None:
        yield from differences(old, {}, place)
    elif new and isinstance(new, dict) and old is None:
        yield from differences({}, new, place)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield place


def _of_items(old: list[Any], new: list[Any], place: Place) -> Iterator[Place]:
    name = field_of(old, new)
    if name is not None:
        before = {item[name]: item for item in old}
        after = {item[name]: item for item in new}
        for value in {**before, **after}:
            yield from differences(before.get(value), after.get(value), (*place, Item(name, value)))
    elif len(old) != len(new):
        yield place
    else:
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, (*place, index))


def changed(old: dict[Key, Document], new: dict[Key, Document]) -> Iterator[tuple[Key, Place]]:
    """Yield where two renders differ; an object that is in one of them alone differs as a whole."""
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if before is None or after is None:
            yield key, ()
        elif before.text is not after.text and before.text != after.text:
            yield from ((key, place) for place in differences(before.data, after.data))
