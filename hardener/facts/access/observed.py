"""Rules from what an audit log shows."""

from __future__ import annotations

from collections.abc import Iterable

from hardener.kubernetes.observed_rule import ObservedRule
from hardener.kubernetes.rbac_rules import Rule, compact


def by_namespace(observed: Iterable[ObservedRule]) -> dict[str | None, list[Rule]]:
    """The rules of each namespace; None holds those of the whole cluster, which the others need not repeat."""
    found: dict[str | None, list[Rule]] = {}
    for each in observed:
        rule = rule_of(each)
        found.setdefault(each.namespace, []).append(rule)
    return {space: compact(rules) for space, rules in sorted(found.items(), key=lambda item: item[0] or "")}


def rule_of(each: ObservedRule) -> Rule:
    """One observed request as a rule."""
    if each.non_resource_url is not None:
        return Rule((), (), each.verbs, (), (each.non_resource_url,))
    return Rule((each.api_group,), (each.resource,), each.verbs, each.resource_names)
