"""What a rule of RBAC grants.

Source: kubernetes pkg/apis/rbac/v1 evaluation_helpers.go (VerbMatches, ResourceMatches, ...): `*` as a resource covers
sub-resources, `*/scale` the one of every resource, and `pods/*` nothing. A rule with names allows no deletecollection
and no create, whose requests carry none (apiserver pkg/endpoints/request/requestinfo.go), but that of a sub-resource,
such as pods/exec. Paths count in a ClusterRole only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

ANY = "*"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
"""The verbs of resources, in the order in which they are written."""


class Rule(Struct, frozen=True):
    """A rule as written. ``names`` empty means any, ``urls`` are paths that are no resources."""

    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether it makes an administrator of the whole cluster: every verb on every resource."""
        return ANY in self.verbs and ANY in self.resources and (ANY in self.groups or "" in self.groups)

    def covers(self, group: str, resource: str, verb: str) -> bool:
        """Whether it allows ``verb`` on ``resource`` ("pods", "pods/log") of ``group``, of some name at least."""
        return (
            (ANY in self.verbs or verb in self.verbs)
            and self.is_about(group, resource)
            and not (self.names and is_nameless(resource, verb))
        )

    def is_about(self, group: str, resource: str) -> bool:
        """Whether it says anything of ``resource`` of ``group``, whatever it allows of it."""
        return (ANY in self.groups or group in self.groups) and any(_resource(own, resource) for own in self.resources)

    def value(self) -> dict[str, Any]:
        """The rule as a manifest holds it."""
        found: dict[str, Any] = {}
        if self.urls:
            found["nonResourceURLs"] = list(self.urls)
        else:
            found["apiGroups"] = list(self.groups)
            found["resources"] = list(self.resources)
        if self.names:
            found["resourceNames"] = list(self.names)
        return found | {"verbs": list(self.verbs)}


def rule_of(value: Mapping[str, Any]) -> Rule:
    """The rule that ``value`` describes; what is no list of texts counts for nothing."""
    keys = ("apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs")
    return Rule(*[_texts(value.get(key)) for key in keys])


def is_nameless(resource: str, verb: str) -> bool:
    """Whether requests of ``verb`` on ``resource`` carry no name, so that no rule with names allows them."""
    return verb == "deletecollection" or (verb == "create" and "/" not in resource)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple([item for item in value if isinstance(item, str)]) if isinstance(value, list) else ()


def _resource(own: str, asked: str) -> bool:
    if own in (ANY, asked):
        return True
    _, _, sub = asked.partition("/")
    return bool(sub) and own == f"*/{sub}"


def ordered(verbs: Iterable[str]) -> tuple[str, ...]:
    """``verbs`` once each: those of resources in their order, then the others by name."""
    found = set(verbs)
    return (*(verb for verb in VERBS if verb in found), *sorted(found - set(VERBS)))


def compact(rules: Iterable[Rule]) -> list[Rule]:
    """The same grants in few rules, sorted: resources of a group with the same verbs and names stand together."""
    verbs: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for rule in rules:
        for group in rule.groups or ("",):
            for resource in rule.resources or ("",):
                key = (group, resource, rule.names, rule.urls)
                verbs.setdefault(key, set()).update(rule.verbs)
    together: dict[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, resource, names, urls), found in sorted(verbs.items()):
        together.setdefault((group, ordered(found), names, urls), []).append(resource)
    return [
        Rule((), (), own, (), urls) if urls else Rule((group,), tuple(resources), own, names)
        for (group, own, names, urls), resources in together.items()
    ]
