"""What values may change beside what was wanted, since it follows from them and does no harm by what it is."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from hardener.charts.rendered import Item, Key, Place, at_place, differences
from hardener.sources.yaml import TextError, parse
from hardener.support.data_path import Path

# What a Go program takes from its limits (pkg.go.dev/runtime, "Environment Variables").
_OF_LIMITS = frozenset({"GOMAXPROCS", "GOMEMLIMIT"})
_CHECKSUM = re.compile(r"(?i)(?:.*[/.-])?(?:checksum|sha(?:1|256)?|(?:config|values)-?hash)(?:[/.-].*)?")


def is_harmless(key: Key, place: Place, before: Any, after: Any, changed: Collection[Path]) -> bool:
    """Whether a change at ``place`` of the object ``key``, which was ``before`` and is ``after``, may come with one of
    the values ``changed``: a variable that follows the limits of a container, a checksum among the annotations, the
    values themselves as a text of a ConfigMap."""
    if "env" in place:
        return _is_of_limits(place, at_place(before, place), at_place(after, place))
    if len(place) > 1 and place[-2] == "annotations" and isinstance(place[-1], str):
        return _CHECKSUM.fullmatch(place[-1]) is not None
    if key.kind == "ConfigMap" and len(place) == 2 and place[0] == "data":
        return _is_of_values(at_place(before, place), at_place(after, place), changed)
    return False


def _is_of_limits(place: Place, before: Any, after: Any) -> bool:
    """Whether ``place`` is that of such a variable, or of the variables of a container that had none."""
    if place[-1] == "env" and not before and isinstance(after, list):
        return all(isinstance(item, dict) and item.get("name") in _OF_LIMITS for item in after)
    return any(isinstance(part, Item) and part.value in _OF_LIMITS for part in place)


def _is_of_values(before: Any, after: Any, changed: Collection[Path]) -> bool:
    """Whether two texts hold values, and differ in nothing but those ``changed``."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    try:
        one, other = parse(before).documents, parse(after).documents
    except TextError:
        return False
    if len(one) != 1 or len(other) != 1 or not isinstance(one[0], dict):
        return False
    return all(_is_one_of(place, changed) for place in differences(one[0], other[0]))


def _is_one_of(place: Place, changed: Collection[Path]) -> bool:
    """Whether a value of ``changed`` stands at ``place``, whatever keys it lies below, or above or below it."""
    keys = tuple(part for part in place if isinstance(part, str))
    starts = (keys[number:] for number in range(len(keys)))
    return any(
        len(own) >= min(2, len(path)) and own[: len(path)] == path[: len(own)] for own in starts for path in changed
    )
