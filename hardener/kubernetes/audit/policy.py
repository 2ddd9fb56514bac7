"""Which rule of an audit policy decides about a request, and what is recorded then.

Sources: k8s.io/apiserver pkg/audit/policy/checker.go (the first rule that matches decides, no match records nothing);
pkg/apis/audit/v1/types.go. That ``group: "*"`` matches every group is new in 1.36 (kubernetes pull request 135262);
before, a server does not start with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from hardener.support.shapes import texts

LEVELS = ("None", "Metadata", "Request", "RequestResponse")
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
GROUP_WILDCARD = (1, 36)  # the first version that knows it
Plain = Mapping[str, Any]


class Request(Struct, frozen=True):
    """A request as the API server sees it: of ``resource`` ("pods/exec") in ``group``, or of ``path``."""

    verb: str
    resource: str = ""
    group: str = ""
    user: str = "alice"
    groups: tuple[str, ...] = ("system:authenticated",)
    namespace: str = ""
    name: str = ""
    path: str = ""


class Verdict(Struct, frozen=True):
    """What is recorded of a request: the level, the stages that are not, the index of the rule (None: no rule)."""

    level: str
    omitted: frozenset[str]
    rule: int | None

    @property
    def rank(self) -> int:
        return LEVELS.index(self.level) if self.level in LEVELS else 0


def evaluate(policy: Plain, request: Request) -> Verdict:
    """What ``policy``, which is valid, records of ``request``."""
    omitted = frozenset(strings(policy, "omitStages"))
    for index, rule in enumerate(rules_of(policy)):
        if matches(rule, request):
            return Verdict(str(rule.get("level")), omitted | frozenset(strings(rule, "omitStages")), index)
    return Verdict("None", omitted, None)


def rules_of(policy: Plain) -> list[Plain]:
    """The rules, as mappings; what is none is a rule without fields."""
    found = policy.get("rules")
    return [rule if isinstance(rule, Mapping) else {} for rule in found] if isinstance(found, list) else []


def strings(rule: Plain, key: str) -> list[str]:
    """The texts of the list under ``key``."""
    return texts(rule.get(key))


def group_resources(rule: Plain) -> list[Plain]:
    """The entries of ``resources``."""
    found = rule.get("resources")
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def matches(rule: Plain, request: Request) -> bool:
    """Whether ``rule`` is about ``request``."""
    for key, asked in (("users", (request.user,)), ("userGroups", request.groups), ("verbs", (request.verb,))):
        wanted = strings(rule, key)
        if wanted and not set(wanted).intersection(asked):
            return False
    if rule.get("namespaces") or rule.get("resources"):
        return bool(request.resource) and _matches_resource(rule, request)
    if urls := strings(rule, "nonResourceURLs"):
        return not request.resource and any(_matches_path(url, request.path) for url in urls)
    return True


def _matches_path(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


def _matches_resource(rule: Plain, request: Request) -> bool:
    namespaces = strings(rule, "namespaces")
    if namespaces and request.namespace not in namespaces:
        return False
    entries = group_resources(rule)
    return not entries or any(_matches_entry(entry, request) for entry in entries)


def _matches_entry(entry: Plain, request: Request) -> bool:
    if (entry.get("group") or "") not in (request.group, "*"):
        return False
    resources = strings(entry, "resources")
    if not resources:
        return True
    names = strings(entry, "resourceNames")
    return (not names or request.name in names) and covers(resources, request.resource)


def covers(patterns: Iterable[str], resource: str) -> bool:
    """Whether one of ``patterns`` ("pods", "pods/exec", "*", "*/exec", "pods/*") is about ``resource``.

    ``pods/*`` is about pods too, ``*`` about every subresource.
    """
    main, _, sub = resource.partition("/")
    for pattern in patterns:
        if pattern in ("*", resource) or (sub and pattern == f"*/{sub}") or pattern == f"{main}/*":
            return True
    return False
