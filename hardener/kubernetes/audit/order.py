"""Rules of an audit policy that come too late: one before them decides about all that they name.

Source: k8s.io/apiserver pkg/audit/policy/checker.go; the first rule that matches decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hardener.kubernetes.audit.policy import LEVELS, Plain, covers, group_resources, rules_of, strings

_NARROW = ("users", "userGroups", "verbs", "namespaces", "nonResourceURLs")
_BODIES = ("Request", "RequestResponse")


class Hidden(NamedTuple):
    """The rule with this index never decides about ``resources``; ``whole``: about nothing. ``by`` is the index of the
    rule before it, None for the new one; ``level`` is what that records."""

    rule: int
    resources: tuple[str, ...]
    whole: bool
    by: int | None
    level: str


def hidden(policy: Plain, new: Plain | None = None, place: int = 0) -> Iterator[Hidden]:
    """The rules of ``policy`` that are to record bodies and cannot, since a rule for everybody comes before them and
    records less; ``new`` is a rule that goes before the one with the index ``place``."""
    before: list[tuple[int | None, Plain]] = []
    for index, rule in enumerate(rules_of(policy)):
        if new is not None and index == place:
            before.append((None, new))
        if rule.get("level") in _BODIES:
            yield from _of(index, rule, before)
        if rule.get("resources") and not any(rule.get(key) for key in _NARROW):
            before.append((index, rule))


def _of(index: int, rule: Plain, before: list[tuple[int | None, Plain]]) -> Iterator[Hidden]:
    named = [
        (entry.get("group") or "", name) for entry in group_resources(rule) for name in strings(entry, "resources")
    ]
    everything = any(not strings(entry, "resources") for entry in group_resources(rule))
    for place, other in before:
        if _rank(other) >= _rank(rule):
            continue
        found = [name for group, name in named if _decides(other, group, name)]
        if found:
            whole = not everything and len(found) == len(named)
            yield Hidden(index, tuple(dict.fromkeys(found)), whole, place, str(other.get("level")))
            return


def _decides(rule: Plain, group: str, resource: str) -> bool:
    """Whether ``rule`` matches every request for ``resource``, which may be a pattern."""
    return any(
        (entry.get("group") or "") in (group, "*")
        and not entry.get("resourceNames")
        and (not strings(entry, "resources") or covers(strings(entry, "resources"), resource))
        for entry in group_resources(rule)
    )


def _rank(rule: Plain) -> int:
    level = rule.get("level")
    return LEVELS.index(level) if level in LEVELS else 0
