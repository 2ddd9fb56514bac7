"""Runs the CEL of a policy on an object, as the API server does."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

celpy = pytest.importorskip("celpy", reason="install cel-python")


def refused(spec: dict[str, Any], value: dict[str, Any], resource: str = "pods") -> list[str] | None:
    """The messages of the validations of ``spec`` that ``value`` fails; None where a condition leaves it out."""
    known: dict[str, Any] = {"object": _cel(value), "request": _cel({"resource": {"resource": resource}})}
    variables: dict[Any, Any] = {}
    for variable in spec.get("variables", []):
        known["variables"] = celpy.celtypes.MapType(variables)
        variables[celpy.celtypes.StringType(variable["name"])] = _program(variable["expression"]).evaluate(known)
    known["variables"] = celpy.celtypes.MapType(variables)
    if not all(_program(each["expression"]).evaluate(known) for each in spec.get("matchConditions", [])):
        return None
    return [each["message"] for each in spec["validations"] if not _program(each["expression"]).evaluate(known)]


@cache
def _program(expression: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(expression))


def _cel(value: Any) -> Any:
    return celpy.json_to_cel(value)
