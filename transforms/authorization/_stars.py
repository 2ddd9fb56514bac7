"""Rules with stars: which may be written out, how sure that is, and the edits."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.facts.access.at_work import at_work, deploys
from hardener.facts.access.custom_groups import CustomGroups
from hardener.facts.access.grants import Access
from hardener.facts.access.needs import observation
from hardener.facts.access.views import Role
from hardener.kubernetes.rbac.expansion import Expansion
from hardener.kubernetes.rbac.rules import ANY, Rule, compact

_MOST = 6  # names in one sentence
KEPT = "wildcard kept"


def has_star(words: tuple[str, ...]) -> bool:
    """Return whether any of ``words`` stands for others: `*`, `*/scale`, `/metrics/*`."""
    return any(word == ANY or word.startswith(f"{ANY}/") or word.endswith(f"/{ANY}") for word in words)


def left(role: Role, index: int, why: str, advice: str, *path: str, severity: Severity = Severity.MEDIUM) -> Finding:
    """Return a finding about a rule that stays as it is."""
    text = f"rule {index + 1} holds a wildcard: {why}"
    return role.finding(text, "rules", index, *path, advice=advice, severity=severity, topic=f"{KEPT}: {why}")


def platform(role: Role) -> str | None:
    """Return the platform component that holds ``role``; None without one."""
    for holder in role.tree.ask(Access).holders(role):
        found = role.tree.ask(Access).platform(holder.binding, holder.subject)
        if found is not None:
            return found[0].component
    return None


def judged(role: Role, rule: Rule, found: Expansion) -> Verdict:
    """Return how sure it is to write out ``rule`` as ``found``."""
    evidence = [Evidence(f"the resources of Kubernetes {'.'.join(map(str, role.tree.settings.kubernetes_version))}")]
    if found.custom:
        evidence.append(Evidence("and of the CustomResourceDefinitions in the tree"))
    if found.lost:
        more = f" and {len(found.lost) - _MOST} more" if len(found.lost) > _MOST else ""
        evidence.append(Evidence(f"no longer granted: {', '.join(found.lost[:_MOST])}{more}"))
    # What is written out by the names of its resources loses none of them, whoever declares more.
    any_group = ANY in rule.groups
    doubtful = any_group or (found.custom and has_star(rule.resources))
    if not found.lost and not doubtful:
        if found.custom:
            return verdict(known=evidence, effect=Effect.WATCHED)
        return verdict(known=evidence, basis=Basis.PROVED)
    against = list(unsure(role))
    if doubtful:
        groups = {group for each in found.rules for group in each.groups}
        holders = role.tree.ask(Access).holders(role)
        against += role.tree.ask(CustomGroups).doubts(sorted(groups), holders, of_any=any_group)
    unknown = list(_unseen(role)) if found.lost and not against else []
    return verdict(why=evidence, against=against, unknown=unknown, effect=Effect.WATCHED, basis=Basis.INFERRED)


def _unseen(role: Role) -> Iterator[Evidence]:
    """Yield the accounts that hold it and that nothing in the tree runs as: what they use of it is not known."""
    for holder in role.tree.ask(Access).holders(role):
        subject = holder.subject
        if subject.is_account and not holder.pods:
            text = f"nothing in the tree runs as {subject}, so what it uses of the rule is not known"
            yield holder.binding.fact(text, "subjects", subject.index, "name")


def unsure(role: Role) -> Iterator[Evidence]:
    """Yield who may need what is lost: a workload, whoever applies manifests, a person, or somebody whom the tree does
    not show."""
    holders = role.tree.ask(Access).holders(role)
    component = platform(role)
    if component is not None:
        yield Evidence(f"{component} holds it, and works with resources that others install")
    if not holders or role.aggregated_to:
        yield Evidence("the tree does not show everybody who holds it")
    for holder in holders:
        signs = at_work(holder.binding, holder.subject) if holder.subject.is_account else []
        if signs or not holder.subject.is_account:
            yield holder.binding.fact(f"{holder.subject} holds it", "subjects", holder.subject.index)
        yield from signs


def observed(role: Role, rule: Rule) -> tuple[list[Rule], Verdict] | None:
    """Return what an audit log shows of the use of ``rule`` by all who hold it; None where it does not show each of
    them, or not all that they do: over too short a time of who deploys, or less than an audit policy lets it see."""
    if role.tree.ask(Access).log is None:
        return None
    rules: list[Rule] = []
    facts: list[Evidence] = []
    holders = role.tree.ask(Access).holders(role)
    for holder in holders:
        known = observation(holder.binding, holder.subject) if holder.subject.is_account else None
        if known is None or known.blind or (known.thin and deploys(holder.subject.name)):
            return None
        facts += known.facts
        for space, used in known.rules.items():
            if not holder.binding.namespaced or space == (holder.binding.object.namespace or ""):
                rules += [own for each in used if (own := _within(rule, each)) is not None]
    return (compact(rules), verdict(known=facts, effect=Effect.WATCHED)) if rules else None


def _within(rule: Rule, used: Rule) -> Rule | None:
    """The part of ``used`` that ``rule`` allows; its group is one alone."""
    resources = tuple(
        name for name in used.resources if any(rule.covers(used.groups[0], name, verb) for verb in used.verbs)
    )
    verbs = tuple(verb for verb in used.verbs if any(rule.covers(used.groups[0], name, verb) for name in resources))
    return Rule(used.groups, resources, verbs, used.names) if resources and verbs else None


def written_out(role: Role, index: int, rule: Rule, rules: list[Rule], how_sure: Verdict) -> list[Edit]:
    """Return one step: ``rules`` in place of the rule at ``index``; what is the same in the first of them stays."""
    first, *rest = rules
    common = how_sure.words
    edits: list[Edit] = []
    for key, old, new in (
        ("apiGroups", rule.groups, first.groups),
        ("resources", rule.resources, first.resources),
        ("resourceNames", rule.names, first.names),
        ("verbs", rule.verbs, first.verbs),
    ):
        if old == new:
            continue
        if new:
            edits.append(role.set("rules", index, key, to=list(new), **common))
        else:
            edits.append(role.drop("rules", index, key, **common))
    for each in rest:
        edits.append(role.insert("rules", index + 1, value=each.value(), **common))
    return edits


def rules_of(role: Role) -> list[tuple[int, Rule]]:
    """Return the rules of a role that is the tree's to change, the last first: what is put behind one moves no
    other."""
    return [] if role.owner is not None else list(reversed(role.rules))
