"""Runs the CEL of a policy on an object, as the API server does."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

celpy = pytest.importorskip("celpy", reason="install cel-python")


def refused(
    spec: dict[str, Any],
    value: dict[str, Any],
    resource: str = "pods",
    *,
    old: dict[str, Any] | None = None,
    user: str = "jane",
) -> list[str] | None:
    """The messages of the validations of ``spec`` that ``value`` fails; None where a condition leaves it out.

    ``old`` is what it was before an update, ``user`` who asks.
    """
    request = {"resource": {"resource": resource}, "userInfo": {"username": user, "groups": []}}
    known: dict[str, Any] = {"object": _cel(value), "oldObject": _cel(old), "request": _cel(request)}
    variables: dict[Any, Any] = {}
    for variable in spec.get("variables", []):
        known["variables"] = celpy.celtypes.MapType(variables)
        variables[celpy.celtypes.StringType(variable["name"])] = _program(variable["expression"]).evaluate(known)
    known["variables"] = celpy.celtypes.MapType(variables)
    if not all(_program(each["expression"]).evaluate(known) for each in spec.get("matchConditions", [])):
        return None
    return [each["message"] for each in spec["validations"] if not _program(each["expression"]).evaluate(known)]


def given(spec: dict[str, Any], value: dict[str, Any], *groups: str) -> dict[str, Any] | None:
    """What a policy that mutates lays over ``value``; None where a condition leaves it out. An object of a type
    (``Object.spec{a: 1}``) is read as a mapping, which is all that is laid over. ``groups`` are those of who asks."""
    known = {"object": _cel(value), "request": _cel({"userInfo": {"username": "jane", "groups": list(groups)}})}
    if not all(_program(each["expression"]).evaluate(known) for each in spec["matchConditions"]):
        return None
    (mutation,) = spec["mutations"]
    text = re.sub(r"Object[\w.]*\{", "{", mutation["applyConfiguration"]["expression"])
    found = _program(re.sub(r"(\w+):", r'"\1":', text)).evaluate(known)
    return json.loads(json.dumps(found, cls=celpy.CELJSONEncoder))  # type: ignore[no-any-return]


@cache
def _program(expression: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(expression))


def _cel(value: Any) -> Any:
    return celpy.json_to_cel(value)
