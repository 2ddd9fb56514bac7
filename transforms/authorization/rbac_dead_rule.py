from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hardener.access import Role
from hardener.declare import Steps, transform
from hardener.edits import Severity

if TYPE_CHECKING:
    from hardener.kubernetes.rbac_rules import Rule


_NAMELESS = ("create", "deletecollection")


@transform(each=Role, stage="authorization", severity=Severity.LOW)
def rbac_dead_rule(role: Role) -> Steps:
    """A rule does what it seems to do.

    Why: what RBAC reads in another way than its author gives a right that nobody meant, or none where one is needed,
    and then somebody adds more until it works.

    May break: nothing, it only reports.
    """
    if role.owner is not None:
        return
    for index, rule in role.rules:
        for message, advice, topic in _dead(role, rule):
            yield role.finding(
                f"rule {index + 1}: {message}", "rules", index, severity=Severity.LOW, advice=advice, topic=topic
            )


def _dead(role: Role, rule: Rule) -> Iterator[tuple[str, str, str]]:
    """What does nothing or less than it seems: message, advice and topic."""
    for name in rule.resources:
        if name.endswith("/*"):
            yield (
                f"{name} matches nothing; RBAC knows * and */scale alone",
                "name the sub-resources",
                "rule that matches nothing",
            )
    if role.namespaced:
        if rule.urls:
            yield "paths are ignored in a Role", "put them into a ClusterRole", "rule that matches nothing"
        outside = [name for name in rule.resources if name != "*" and _outside(role, rule, name)]
        if outside:
            names = ", ".join(outside[:4])
            yield (
                f"a Role does not reach {names}, of no namespace",
                "put them into a ClusterRole that is bound by a ClusterRoleBinding", "rule that matches nothing",
            )  # fmt: skip
    nameless = [verb for verb in _NAMELESS if verb in rule.verbs]
    if rule.names and nameless:
        yield (
            f"resourceNames and {nameless[0]}: the request carries no name, so it is refused",
            f"move {nameless[0]} to a rule without names, or remove it", "verb that names do not go with",
        )  # fmt: skip


def _outside(role: Role, rule: Rule, name: str) -> bool:
    """Whether a resource lives in no namespace, in each of the groups that the rule names."""
    discovery = role.tree.access.discovery
    return bool(rule.groups) and all(discovery.cluster_scoped(group, name) for group in rule.groups)
