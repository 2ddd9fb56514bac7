"""Schemas of values that name another schema, which helm would fetch or read wherever it lies."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

NAME = "values.schema.json"
_LARGEST = 4 * 1024 * 1024  # bytes of a schema that is looked at; a larger one is not given to helm
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
# The drafts that every validator holds; another one is fetched.
_DRAFTS = re.compile(r"https?://json-schema\.org/(?:draft-0[4-7]|draft/20(?:19-09|20-12))/schema#?")


def drop_remote(folder: str) -> tuple[str, ...]:
    """Remove from the copied chart in ``folder``, and from the charts below it, each schema that leads out of itself,
    or that cannot be read. Return their names, seen from ``folder``."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            if name.lower() == NAME and leads_out(_bytes(path)):
                os.unlink(path)
                found.append(os.path.relpath(path, folder).replace(os.sep, "/"))
    return tuple(found)


def is_left(folder: str) -> bool:
    """Whether the chart in ``folder``, or one below it, has a schema."""
    return any(name.lower() == NAME for _, _, names in os.walk(folder) for name in names)


def leads_out(raw: bytes) -> bool:
    """Whether the schema ``raw`` refers to anything but itself; true also where that cannot be told."""
    if len(raw) > _LARGEST:
        return True
    try:
        # Pairs, since of two equal keys one reader takes the first and another one the last.
        return any(map(_is_remote, _pairs(json.loads(raw.decode("utf-8"), object_pairs_hook=_Pairs))))
    except (ValueError, RecursionError):
        return True


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of one object."""


def _pairs(found: Any) -> Iterator[tuple[str, Any]]:
    open_ones = [found]
    while open_ones:
        each = open_ones.pop()
        if isinstance(each, _Pairs):
            yield from each
            open_ones += [value for _, value in each]
        elif isinstance(each, list):
            open_ones += each


def _is_remote(pair: tuple[str, Any]) -> bool:
    key, value = pair
    if not isinstance(value, str):
        return False
    if key == "$schema":
        return _DRAFTS.fullmatch(value) is None
    if key in ("$id", "id"):  # what "#..." is seen from
        return value.strip().lower().startswith("file:")
    return key in _REFERENCES and not value.startswith("#") and value != ""


def _bytes(path: str) -> bytes:
    with open(path, "rb") as handle:
        return handle.read(_LARGEST + 1)
