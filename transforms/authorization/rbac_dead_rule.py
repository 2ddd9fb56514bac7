from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Role
from hardener.kubernetes.rbac.rules import ANY, VERBS, Rule, is_nameless

_NO_MATCH = "rule without a match"


@transform(each=Role, stage="authorization", severity=Severity.LOW, only_reports=True)
def rbac_dead_rule(role: Role) -> Steps:
    """Correct RBAC rules that match nothing.

    Problem: a rule of the role does nothing, or less than it seems to.

    Result: Every rule of the role has an effect.

    Why: a rule that RBAC reads in another way than its author meant gives an unintended right, or none although one is
    needed; then somebody adds rights until it works.

    May break: nothing, since it only reports.
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
            message = f"{name} matches nothing; RBAC knows only forms such as * and */scale"
            yield message, "name the sub-resources", _NO_MATCH
    if role.namespaced:
        yield from _out_of_reach(role, rule)
    if rule.names and (nameless := _nameless(rule)) is not None:
        verb, name = nameless
        message = f"resourceNames and {verb} on {name}: the request carries no name, so it is refused"
        yield message, f"move {verb} to a rule without names, or remove it", "verb that resourceNames do not fit"
    strange = list(_strange(role, rule))
    if strange:
        message = f"no request has the verb {', '.join(strange[:4])} on {', '.join(rule.resources[:4])}"
        meant = ", ".join(VERBS[:3])
        advice = f"write the verbs that are meant ({meant}, ...): kubectl api-resources -o wide lists them"
        yield message, advice, "rule with a verb that does not exist"


def _out_of_reach(role: Role, rule: Rule) -> Iterator[tuple[str, str, str]]:
    """What a Role cannot give, since no namespace holds it."""
    if rule.urls:
        message = "the API server refuses a Role with nonResourceURLs"
        yield message, "put them into a ClusterRole", _NO_MATCH
    outside = [name for name in rule.resources if name != "*" and _outside(role, rule, name)]
    if outside:
        message = f"a Role does not cover {', '.join(outside[:4])}, which no namespace holds"
        yield message, "put them into a ClusterRole that is bound by a ClusterRoleBinding", _NO_MATCH


def _nameless(rule: Rule) -> tuple[str, str] | None:
    """The first verb and resource of the rule of which a request carries no name."""
    for verb in ("create", "deletecollection"):
        for name in rule.resources if verb in rule.verbs else ():
            if is_nameless(name, verb):
                return verb, name
    return None


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
