"""Whether an admission policy that stands somewhere still asks for what is written today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OF_CEL = ("matchConditions", "variables", "validations")
# What a policy does with a violation differs by namespace, and is no part of what it asks for.
_ACTIONS = ("failureAction", "failureActionOverrides")


def differing(written: object, wanted: Mapping[str, Any]) -> list[str]:
    """The fields of the spec ``written`` (of any shape) that ask for something else than those of ``wanted``, by name:
    of a policy in CEL, or one of Kyverno that is made of rules."""
    found: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
    if "rules" in wanted:
        return [] if _asked(found.get("rules")) == _asked(wanted["rules"]) else ["rules"]
    names = [] if _resources(found) == _resources(wanted) else ["matchConstraints.resourceRules"]
    return names + [name for name in _OF_CEL if (found.get(name) or []) != (wanted.get(name) or [])]


def _resources(spec: Mapping[str, Any]) -> object:
    constraints = spec.get("matchConstraints")
    return constraints.get("resourceRules") if isinstance(constraints, Mapping) else None


def _asked(rules: object) -> list[object]:
    found: list[object] = []
    for rule in rules if isinstance(rules, list) else []:
        validate = rule.get("validate") if isinstance(rule, Mapping) else None
        if isinstance(validate, Mapping):
            rule = {**rule, "validate": {key: value for key, value in validate.items() if key not in _ACTIONS}}
        found.append(rule)
    return found
