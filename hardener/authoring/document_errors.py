"""What msgspec has against a document, in the words of somebody who wrote the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

import msgspec

from hardener.support.near_names import meant

_KINDS = {
    "object": "a mapping", "array": "a list", "str": "a text", "bool": "true or false", "int": "a whole number",
    "float": "a number", "null": "nothing", "date": "a day such as 2026-11-25",
}  # fmt: skip
_OTHERS = {"Invalid RFC3339 encoded date": "a day looks like 2026-11-25"}


def explained(error: Exception, known: dict[str, Any]) -> str:
    """Return ``error`` of msgspec as a clause that names the place, and what is known there.

    ``known`` are the records by their place in the document, "" for the document itself.
    """
    text, _, rest = str(error).partition(" - at `$")
    place = rest.rstrip("`").lstrip(".")
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", text):
        return _unknown(found[1], place, _names(known, place))
    if found := re.fullmatch(r"Object missing required field `(.*)`", text):
        return f"{_dotted(place)}{found[1]} is missing"
    if found := re.fullmatch(r"Expected `(.*)`, got `(.*)`", text):
        wanted, given = (_kinds(each) for each in found.groups())
        return f"{_at(place)}expected {wanted}, got {given}"
    if found := re.fullmatch(r"Invalid enum value '?(.*?)'?", text):
        values = _values(known, place)
        return f"{_at(place)}'{found[1]}' is not one of {', '.join(values)}" if values else f"{_at(place)}{text}"
    return f"{_at(place)}{_OTHERS.get(text, text)}"


def _unknown(key: str, place: str, names: list[str]) -> str:
    said = f"unknown key {key} in {place}" if place else f"unknown key {key}"
    return f"{said}{meant(key, names)}: known are {', '.join(names)}" if names else said


def _kinds(joined: str) -> str:
    """``str | null`` in words; that nothing may be written is no news to who wrote something else."""
    kinds = [each for each in joined.split(" | ") if each != "null"] or ["null"]
    return " or ".join(_KINDS.get(each, each) for each in kinds)


def _at(place: str) -> str:
    return f"{place}: " if place else ""


def _dotted(place: str) -> str:
    return f"{place}." if place else ""


def _record(known: dict[str, Any], place: str) -> Any:
    return known.get(re.sub(r"\[[^]]*\]", "", place))


def _names(known: dict[str, Any], place: str) -> list[str]:
    record = _record(known, place)
    return [field.encode_name for field in msgspec.structs.fields(record)] if record is not None else []


def _values(known: dict[str, Any], place: str) -> list[str]:
    """The values that the field at ``place`` takes, where its type lists them."""
    above, _, name = place.rpartition(".")
    record = _record(known, above)
    fields = msgspec.structs.fields(record) if record is not None else ()
    types = next((field.type for field in fields if field.encode_name == name), None)
    return next(([str(member.value) for member in each] for each in _within(types) if issubclass(each, Enum)), [])


def _within(type_: Any) -> Iterator[type]:
    """The classes that ``type_`` is made of: those of a union, and that of an annotation."""
    if isinstance(type_, type):
        yield type_
    for each in get_args(type_):
        yield from _within(each)
