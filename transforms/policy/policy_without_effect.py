"""K04: policies, rules and bindings that judge nothing, whatever is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import JudgingPolicy
from hardener.facts.access.grants import Access
from hardener.kubernetes.objects.kind_names import as_spelt
from hardener.support.data_path import Path
from hardener.tree.view import View

_GROUP = "admissionregistration.k8s.io"
_ALL = "*"
_CORE = '""'  # the group of pods and services, as it is written
_CONSTRAINTS = ("spec", "matchConstraints")
_BINDING = "Binding"
# What narrows a clause of Kyverno beside its kinds.
_NARROWS = ("name", "names", "selector", "namespaceSelector", "annotations", "operations")
_BY_WHOM = ("subjects", "roles", "clusterRoles")


@transform(each=JudgingPolicy, stage="policy", severity=Severity.MEDIUM, only_reports=True)
def policy_without_effect(policy: JudgingPolicy) -> Steps:
    """Correct names in policies that match nothing.

    Problem: the policy names something that does not exist.

    Result: The policy applies to the objects that it names.

    Why: a rule for a resource that its API group does not have, a misspelled kind, or a binding of a missing policy
    checks no request, although the list of policies suggests that it does.

    May break: nothing, since it only reports: only its owner knows what was meant.
    """
    kind = policy.object.kind
    if policy.object.group == "kyverno.io":
        judge: Callable[[JudgingPolicy], Iterator[Finding]] = _of_kyverno
    else:
        judge = _of_binding if kind.endswith(_BINDING) else _of_rules
    yield from judge(policy)


# Policies that name resources.


def _of_rules(policy: JudgingPolicy) -> Iterator[Finding]:
    rules = policy.items(*_CONSTRAINTS, "resourceRules")
    if not rules and policy.object.group == _GROUP:
        text = f"{policy.object} names no resource: an API server refuses it"
        advice = "name what it judges in spec.matchConstraints.resourceRules"
        yield policy.finding(text, "spec", advice=advice)
    for index, rule in enumerate(rules):
        yield from _of_resources(policy, rule, (*_CONSTRAINTS, "resourceRules", index))
    for index, condition in enumerate(policy.items("spec", "matchConditions")):
        if (condition.text("expression") or "").strip() == "false":
            place = ("spec", "matchConditions", index, "expression")
            text = f"{policy.object} judges nothing: a condition of it is never met"
            yield policy.finding(text, *place, advice="remove the condition, or the policy")


def _of_resources(policy: JudgingPolicy, rule: View, place: Path) -> Iterator[Finding]:
    """A rule of which no API group has a resource: that of a group which is not known may have any."""
    discovery = policy.tree.ask(Access).discovery
    groups, names = rule.strings("apiGroups"), rule.strings("resources")
    if not groups or not names or _ALL in groups or not set(groups) <= set(discovery.groups_known):
        return
    dead = [name for name in names if _ALL not in name and not any(discovery.find(each, name) for each in groups)]
    for name in dead:
        written = ", ".join(each or _CORE for each in groups)
        what = "it judges nothing" if len(dead) == len(names) else "this name judges nothing"
        text = f"{policy.object}: API group {written} has no resource {name}: {what}"
        at = names.index(name)
        yield policy.finding(text, *place, "resources", at, advice=_resource_advice(policy, name))


def _resource_advice(policy: JudgingPolicy, name: str) -> str:
    discovery = policy.tree.ask(Access).discovery
    homes = discovery.groups(name)
    if homes:
        return f"write apiGroups: [{homes[0] or _CORE}], which has {name}"
    rows = [row for group in discovery.groups_known for row in discovery.rows(group)]
    for row in rows:
        if name.lower() in (row.resource, row.kind.lower()):
            return f"write {row.resource}: resources are named in small letters and in the plural"
    return "write a resource that kubectl api-resources lists"


# Bindings.


def _of_binding(policy: JudgingPolicy) -> Iterator[Finding]:
    name = policy.text("spec", "policyName")
    kind = policy.object.kind.removesuffix(_BINDING)
    if name is None or policy.tree.stream or any(item.name == name for item in policy.tree.of(_GROUP, kind)):
        return
    text = f"{policy.object} binds {kind} {name}, which the tree does not hold: without it nothing is judged"
    advice = f"add the {kind} {name}, or name one that is there"
    yield policy.finding(text, "spec", "policyName", advice=advice, severity=Severity.LOW)


# Policies of Kyverno that are made of rules.


def _of_kyverno(policy: JudgingPolicy) -> Iterator[Finding]:
    for index, rule in enumerate(policy.items("spec", "rules")):
        place: Path = ("spec", "rules", index)
        for clause, at in _clauses(rule, "match"):
            yield from _of_kinds(policy, clause, (*place, *at))
        for clause, at in _clauses(rule, "exclude"):
            if _takes_all(clause):
                name = rule.text("name") or str(index)
                text = f"{policy.object}: rule {name} judges nothing: it excludes every namespace"
                yield policy.finding(text, *place, *at, advice="name the namespaces that it excludes")


def _clauses(rule: View, key: str) -> Iterator[tuple[View, Path]]:
    """The clauses of a match or an exclude, each with its place in the rule."""
    for how in ("any", "all"):
        for index, clause in enumerate(rule.items(key, how)):
            yield clause, (key, how, index)
    if rule.has(key, "resources"):
        yield rule.view(key), (key,)


def _of_kinds(policy: JudgingPolicy, clause: View, place: Path) -> Iterator[Finding]:
    for index, written in enumerate(clause.strings("resources", "kinds")):
        meant = _meant(written.rpartition("/")[2])
        if meant is not None:
            text = f"{policy.object} names kind {written}, which there is none of: it judges nothing of that name"
            yield policy.finding(text, *place, "resources", "kinds", index, advice=f"write {meant}")


def _meant(name: str) -> str | None:
    """The kind that ``name`` means, in small letters or in the plural; None where it is right or unknown."""
    for each in (name, name.removesuffix("s")):
        spelt = as_spelt(each.lower())
        if spelt not in (name, each.lower()):
            return spelt
    return None


def _takes_all(clause: View) -> bool:
    resources = clause.view("resources")
    if any(clause.has(key) for key in _BY_WHOM) or any(resources.has(key) for key in _NARROWS):
        return False
    kinds = resources.strings("kinds")
    return _ALL in resources.strings("namespaces") and (not kinds or _ALL in kinds)
