"""The types of Kubernetes and their fields, from types.json (made from the schemas of Kubernetes by
tests/python_sources/type_graph.py).

A type is written as in the model: "Container", "[Container" a list, "{string" a map, "string", "object" for anything.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

POD_TYPES = ("PodTemplateSpec", "PodSpec", "Container")  # what may stand alone as a fragment


@cache
def _graph() -> dict[str, Any]:
    graph: dict[str, Any] = json.loads(Path(__file__).with_name("types.json").read_text(encoding="utf-8"))
    return graph


@cache
def fields(type_name: str) -> dict[str, str]:
    """The fields of a type by name, each with its type; none of what is no type with fields."""
    entry = _graph()["types"].get(type_name)
    found: dict[str, str] = entry["fields"] if entry else {}
    return found


def is_type(name: str) -> bool:
    return name in _graph()["types"]


def type_names() -> tuple[str, ...]:
    return tuple(_graph()["types"])


def module(type_name: str) -> str:
    """The package in which libraries with one per API group have a type: "core.v1"; "" for an unknown type."""
    entry = _graph()["types"].get(type_name)
    return str(entry["module"]) if entry else ""


def field_type(type_name: str, field: str) -> str:
    """The type of what a field, or the key of a map, holds; "" where that is not known."""
    if type_name.startswith("{"):
        return type_name[1:]
    return fields(type_name).get(field, "")


def item_type(type_name: str) -> str:
    """The type of the items of a list; "" where that is not known."""
    return type_name[1:] if type_name.startswith("[") else ""


def api_versions(kind: str) -> list[str]:
    """The API versions in which a kind exists, the best one first; none for an unknown kind."""
    found: list[str] = _graph()["kinds"].get(kind, [])
    return found


def api_version(kind: str, version: str, group: str | None = None) -> str | None:
    """The API version of ``kind`` in ``version`` ("v1beta1", "" for the best one) and the group that begins with the
    word ``group`` ("networking"; "core" for the one without a name), as libraries name packages. None for no kind."""
    known = api_versions(kind)
    if not known:
        return None
    for each in known:
        name, _, own = each.rpartition("/")
        if own == (version or own) and (group is None or (name or "core").split(".")[0] == group):
            return each
    name = known[0].rpartition("/")[0]  # a version that newer schemas do not have any more
    if group is not None and group != (name or "core").split(".")[0]:
        name = group  # extensions/v1beta1
    return f"{name}/{version}" if name else version or known[0]


@cache
def holds_pods(type_name: str) -> bool:
    """Whether a type leads to a pod template, pod or container."""
    return _leads(type_name.lstrip("[{"), frozenset())


def _leads(type_name: str, seen: frozenset[str]) -> bool:
    if type_name in POD_TYPES:
        return True
    if type_name in seen:
        return False
    return any(_leads(each.lstrip("[{"), seen | {type_name}) for each in fields(type_name).values())
