from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Role
from hardener.kubernetes.rbac.rules import ANY, VERBS, is_nameless

if TYPE_CHECKING:
    from hardener.kubernetes.rbac.rules import Rule


@transform(each=Role, stage="authorization", severity=Severity.LOW, only_reports=True)
def rbac_dead_rule(role: Role) -> Steps:
    """A rule does what it seems to do.

    Why: a rule that RBAC reads in another way than its author gives a right that nobody meant, or none where one is
    needed. Then somebody adds more rights until it works.

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
                f"{name} matches nothing; RBAC knows only forms such as * and */scale",
                "name the sub-resources",
                "rule without a match",
            )
    if role.namespaced:
        if rule.urls:
            message = "the API server refuses a Role with nonResourceURLs"
            yield message, "put them into a ClusterRole", "rule without a match"
        outside = [name for name in rule.resources if name != "*" and _outside(role, rule, name)]
        if outside:
            names = ", ".join(outside[:4])
            yield (
                f"a Role does not cover {names}, which no namespace holds",
                "put them into a ClusterRole that is bound by a ClusterRoleBinding", "rule without a match",
            )  # fmt: skip
    nameless = [
        (verb, name) for verb in ("create", "deletecollection") if verb in rule.verbs
        for name in rule.resources if is_nameless(name, verb)
    ]  # fmt: skip
    if rule.names and nameless:
        verb, name = nameless[0]
        yield (
            f"resourceNames and {verb} on {name}: the request carries no name, so it is refused",
            f"move {verb} to a rule without names, or remove it", "verb that resourceNames do not fit",
        )  # fmt: skip
    strange = list(_strange(role, rule))
    if strange:
        yield (
            f"no request has the verb {', '.join(strange[:4])} on {', '.join(rule.resources[:4])}",
            f"write the verbs that are meant ({', '.join(VERBS[:3])}, ...): kubectl api-resources -o wide lists them",
            "rule with a verb that does not exist",
        )  # fmt: skip


def _strange(role: Role, rule: Rule) -> Iterator[str]:
    """The verbs of ``rule`` that mean nothing on any of its resources, where all of these are known."""
    odd = [verb for verb in rule.verbs if verb not in VERBS and verb != ANY and ":" not in verb]
    if not odd or not rule.resources:
        return
    discovery = role.tree.ask(Access).discovery
    known: set[str] = set()
    for group in rule.groups:
        for name in rule.resources:
            row = discovery.find(group, name)
            if row is not None and row.custom:
                return  # its operator may ask for verbs of its own
            verbs = discovery.verbs(group, name)
            if verbs is None:
                return
            known.update(verbs, row.special if row is not None else ())
    yield from (verb for verb in odd if verb not in known)


def _outside(role: Role, rule: Rule, name: str) -> bool:
    """Whether a resource lives in no namespace, in each of the groups that the rule names."""
    discovery = role.tree.ask(Access).discovery
    return bool(rule.groups) and all(discovery.cluster_scoped(group, name) for group in rule.groups)
