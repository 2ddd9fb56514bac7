"""What stands for the stars of a rule: the verbs, resources and groups that exist now."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from hardener.kubernetes.objects.discovery import RUNS_CODE, Discovery, Row
from hardener.kubernetes.rbac.rules import ANY, Rule, is_nameless, ordered

_GONE = frozenset({"extensions"})  # API groups of which nothing is left since 1.22


class Expansion(Struct):
    """The rules that replace one. ``lost``: what it allowed and they do not, as far as that exists. ``custom``: some of
    it is of custom resources, whose verbs nobody lists. ``unknown``: names that nothing is known of; then ``rules`` is
    empty, since nothing may be concluded."""

    rules: list[Rule] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    custom: bool = False
    unknown: list[str] = field(default_factory=list)


def expand_verbs(rule: Rule, discovery: Discovery) -> Expansion:
    """``verbs: ["*"]`` of named resources: the verbs that these resources have, all in one rule.

    A verb that only one of them has is no right on the others.
    """
    found = Expansion()
    verbs: set[str] = set()
    for resource in rule.resources:
        known = False
        for group in rule.groups:
            own = discovery.verbs(group, resource)
            if own is None:
                continue
            known = True
            verbs.update(verb for verb in own if not (rule.names and is_nameless(resource, verb)))
            row = discovery.find(group, resource)
            if row is not None:
                found.custom |= row.custom
                found.lost += [f"{verb} {resource}" for verb in row.special]
        if not known:
            found.unknown.append(resource)
    if not found.unknown and verbs:
        found.rules.append(Rule(rule.groups, rule.resources, ordered(verbs), rule.names))
    return found


def expand_resources(rule: Rule, discovery: Discovery, *, namespaced: bool) -> Expansion:
    """``resources: ["*"]`` of named groups: what these groups have, by the verbs that exist for it.

    ``namespaced``: the rule is one of a Role, which reaches only what lives in a namespace. Sub-resources that lead
    into pods are left out.
    """
    found = Expansion()
    for group in rule.groups:
        rows = discovery.rows(group)
        if not rows and group not in _GONE:
            found.unknown.append(group)
        _expand_group(found, rule, group, [row for row in rows if row.namespaced or not namespaced])
    if found.unknown:
        found.rules = []
    return found


def _expand_group(found: Expansion, rule: Rule, group: str, rows: Iterable[Row]) -> None:
    """Add to ``found`` what ``rule`` allows on ``rows``, the resources of ``group``."""
    by_verbs: dict[tuple[str, ...], list[str]] = {}
    finalizers = False
    for row in rows:
        verbs = _verbs_of(rule, row)
        special = [verb for verb in row.special if verb in rule.verbs]
        found.lost += _lost_to_star(rule, row)
        if not verbs and not special:
            continue
        if not group and row.resource in RUNS_CODE:
            found.lost.append(f"{'/'.join(ordered(verbs))} {row.resource}")
            continue
        found.custom |= row.custom
        by_verbs.setdefault(ordered((*verbs, *special)), []).append(row.resource)
        may_be_owner = "update" in verbs and "/" not in row.resource
        if may_be_owner and row.custom:  # whoever makes objects for it may have to set it as their owner
            by_verbs.setdefault(("update",), []).append(f"{row.resource}/finalizers")
        finalizers |= may_be_owner and not row.custom
    if finalizers:
        found.lost.append(f"update */finalizers of {group or 'the core group'}")
    found.rules += [Rule((group,), tuple(names), verbs, rule.names) for verbs, names in by_verbs.items()]


def _lost_to_star(rule: Rule, row: Row) -> list[str]:
    """The special verbs of ``row`` that a star allows and nobody writes in its place."""
    return [f"{verb} {row.resource}" for verb in row.special] if ANY in rule.verbs else []


def _verbs_of(rule: Rule, row: Row) -> tuple[str, ...]:
    """The ordinary verbs that ``rule`` allows on ``row``: bound to names, only those that have one."""
    verbs = row.verbs if ANY in rule.verbs else tuple(verb for verb in row.verbs if verb in rule.verbs)
    return tuple(verb for verb in verbs if not (rule.names and is_nameless(row.resource, verb)))


def expand_groups(rule: Rule, discovery: Discovery) -> Expansion:
    """``apiGroups: ["*"]`` of named resources: the groups that have a resource of these names, in one rule."""
    found = Expansion()
    groups: set[str] = set()
    for resource in rule.resources:
        own = discovery.groups(resource)
        if not own:
            found.unknown.append(resource)
        groups.update(own)
    if not found.unknown and groups:
        found.custom = any(
            (row := discovery.find(group, name)) is not None and row.custom
            for group in groups
            for name in rule.resources
        )
        found.rules.append(Rule(tuple(sorted(groups)), rule.resources, rule.verbs, rule.names))
    return found
