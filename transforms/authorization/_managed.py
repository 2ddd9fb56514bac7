"""Roles of ours, when an audit log shows more than was known as they were written."""

from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.grants import Access
from hardener.facts.access.needs import observation
from hardener.facts.access.views import Binding, Role
from hardener.kubernetes.rbac.rules import Rule, compact
from hardener.kubernetes.rbac.unlogged_rights import EVENTS, is_unlogged

from ._names import BASIS, MANAGED

_LABEL = next(iter(MANAGED))


def extended(binding: Binding, *, prune: bool, expand: bool) -> Steps:
    """Add to the role of ``binding``, where it is ours, what a log shows; ``prune`` takes away what it does not."""
    role = next((role for role in binding.roles if _is_ours(role)), None)
    log = binding.tree.ask(Access).log
    if role is None or log is None:
        return
    used: list[Rule] = []
    facts: list[Evidence] = []
    labels: list[str] = []
    blind = False
    for subject in binding.subjects:
        known = observation(binding, subject, expand=expand) if subject.is_account else None
        if known is None:
            return
        space = (role.object.namespace or "") if role.namespaced else None
        used += known.rules.get(space, [])
        facts += known.facts
        blind |= known.blind
        labels.append(known.label)
        for other in sorted(set(known.rules) - {space}, key=str):
            if not _is_given(binding, subject.name, other):
                yield binding.finding(
                    f"the audit log shows {subject} at work in {_place(other)}, where the tree gives it"
                    " nothing",
                    "subjects", subject.index, severity=Severity.LOW,
                    advice="give it a role there, if it still needs one",
                )  # fmt: skip
    rules = role.rules
    common = verdict(known=facts, effect=Effect.WATCHED, basis=Basis.PROVED).words
    missing = [part for rule in compact(used) for part in _parts(rule) if not _covered(part, [own for _, own in rules])]
    # What a policy keeps out of the log it cannot explain, nor what no log records.
    unseen = [] if log.sees_events else [*EVENTS]
    extra = [
        index for index, rule in rules
        if not blind and not is_unlogged(rule) and not any(_covered(part, [*used, *unseen]) for part in _parts(rule))
    ]  # fmt: skip
    edits = [role.append("rules", value=rule.value(), **common) for rule in compact(missing)]
    if extra and prune:
        edits += [role.drop("rules", index, **common) for index in extra]
    elif extra:
        yield role.finding(
            f"the audit log does not explain {len(extra)} of its rules", "rules", extra[0], severity=Severity.LOW,
            advice="--prune-managed removes what nothing explains", topic="rule of harden that nothing explains",
        )  # fmt: skip
    if edits:
        basis = "; ".join(dict.fromkeys(labels))
        yield [*edits, role.set("metadata", "annotations", BASIS, to=basis, **common)]


def _is_ours(role: Role) -> bool:
    return (
        role.object.editable
        and role.text("metadata", "labels", _LABEL) == MANAGED[_LABEL]
        and role.text("metadata", "annotations", BASIS) is not None
    )


def _is_given(binding: Binding, name: str, space: str | None) -> bool:
    """Whether another binding gives the account rights in ``space``."""
    subject = next(each for each in binding.subjects if each.name == name)
    bindings = binding.tree.ask(Access).bindings_of(name, binding.namespace_of(subject))
    return any(not each.namespaced or (each.object.namespace or "") == space for each in bindings if each != binding)


def _place(space: str | None) -> str:
    return "the whole cluster" if space is None else space or "its own namespace"


def _parts(rule: Rule) -> list[Rule]:
    """One rule for each resource and verb, so that what is there already is not said again."""
    if rule.urls:
        return [rule]
    return [
        Rule((group,), (resource,), (verb,), rule.names)
        for group in rule.groups for resource in rule.resources for verb in rule.verbs
    ]  # fmt: skip


def _covered(part: Rule, rules: list[Rule]) -> bool:
    if part.urls:
        return any(set(part.urls) <= set(rule.urls) and set(part.verbs) <= set(rule.verbs) for rule in rules)
    return any(
        rule.covers(part.groups[0], part.resources[0], part.verbs[0])
        and (not rule.names or (part.names and set(part.names) <= set(rule.names)))
        for rule in rules
    )
