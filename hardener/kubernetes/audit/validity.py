"""What keeps an API server from starting with an audit policy.

Sources: k8s.io/apiserver pkg/apis/audit/validation/validation.go; pkg/audit/policy/reader.go (a policy has rules).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.kubernetes.audit.policy import GROUP_WILDCARD, LEVELS, STAGES, Plain
from hardener.support.data_path import Path

_GROUP = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LISTS = ("users", "userGroups", "verbs", "namespaces", "nonResourceURLs", "omitStages", "resources")


def problems(policy: Plain, version: tuple[int, int]) -> Iterator[tuple[Path, str]]:
    """Where ``policy`` is not valid for a server of ``version``, and why. That it has no rule is none of them."""
    yield from _stages(policy, ())
    rules = policy.get("rules")
    if rules is not None and not isinstance(rules, list):
        yield ("rules",), "is no list"
        return
    for index, rule in enumerate(rules or []):
        where: Path = ("rules", index)
        if not isinstance(rule, dict):
            yield where, "is no rule"
        else:
            yield from _rule(rule, where, version)


def _rule(rule: Plain, where: Path, version: tuple[int, int]) -> Iterator[tuple[Path, str]]:
    level = rule.get("level")
    if level not in LEVELS:
        what = "has no level" if level is None else f"has the level {level!r}, which is none of {', '.join(LEVELS)}"
        yield (*where, "level") if level is not None else where, what
    for key in _LISTS:
        if rule.get(key) is not None and not isinstance(rule[key], list):
            yield (*where, key), "is no list"
            return
    yield from _stages(rule, where)
    for index, url in enumerate(rule.get("nonResourceURLs") or []):
        problem = _problem_of_url(url)
        if problem is not None:
            yield (*where, "nonResourceURLs", index), problem
    if rule.get("nonResourceURLs") and (rule.get("resources") or rule.get("namespaces")):
        yield (*where, "nonResourceURLs"), "is set beside resources or namespaces: a rule is about the one or the other"
    for index, entry in enumerate(rule.get("resources") or []):
        yield from _entry(entry, (*where, "resources", index), version)


def _problem_of_url(url: object) -> str | None:
    if url == "*":
        return None
    if not isinstance(url, str) or not url.startswith("/"):
        return f"{url!r} does not begin with /"
    return f"{url!r} has a * that is not its last character" if "*" in url[:-1] else None


def _entry(entry: object, where: Path, version: tuple[int, int]) -> Iterator[tuple[Path, str]]:
    if not isinstance(entry, dict):
        yield where, "is no group with resources"
        return
    group = entry.get("group") or ""
    if group == "*":
        if version < GROUP_WILDCARD:
            first = "{}.{}".format(*GROUP_WILDCARD)
            yield (
                (*where, "group"),
                f'group "*" is known from {first} on, and the cluster may have {version[0]}.{version[1]}',
            )
    elif group and not (isinstance(group, str) and _GROUP.fullmatch(group)):
        hint = "; it is written without its version" if isinstance(group, str) and "/" in group else ""
        yield (*where, "group"), f"{group!r} is no API group{hint}"
    for key in ("resources", "resourceNames"):
        if entry.get(key) is not None and not isinstance(entry[key], list):
            yield (*where, key), "is no list"
    if entry.get("resourceNames") and not entry.get("resources"):
        yield (*where, "resourceNames"), "names objects of no resource"


def _stages(rule: Plain, where: Path) -> Iterator[tuple[Path, str]]:
    stages = rule.get("omitStages")
    if stages is not None and not isinstance(stages, list):
        yield (*where, "omitStages"), "is no list"
        return
    for index, stage in enumerate(stages or []):
        if stage not in STAGES:
            yield (*where, "omitStages", index), f"{stage!r} is none of {', '.join(STAGES)}"
