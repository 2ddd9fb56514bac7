"""Roles of ours, when an audit log shows more than was known as they were written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from hardener.authoring.edits import Basis, Edit, Finding, Severity
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.grants import Access
from hardener.facts.access.needs import Needs, observation
from hardener.facts.access.views import Binding, Role, Subject
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
    space = (role.object.namespace or "") if role.namespaced else None
    seen: list[Needs] = []
    for subject in binding.subjects:
        known = observation(binding, subject, expand=expand) if subject.is_account else None
        if known is None:
            return
        seen.append(known)
        yield from _at_work_elsewhere(binding, subject, set(known.rules) - {space})
    yield from _brought_up_to(role, space, seen, sees_events=log.sees_events, prune=prune)


def _brought_up_to(role: Role, space: str | None, seen: list[Needs], *, sees_events: bool, prune: bool) -> Steps:
    """The rules of the role as the accounts were ``seen`` to need them in its ``space``."""
    used = [rule for known in seen for rule in known.rules.get(space, [])]
    found = verdict(known=[fact for known in seen for fact in known.facts], effect=Effect.WATCHED, basis=Basis.PROVED)
    edits: list[Edit] = [role.append("rules", value=rule.value(), **found.words) for rule in _missing(role, used)]
    # What a policy keeps out of the log it cannot explain, nor what no log records.
    explained = used if sees_events else [*used, *EVENTS]
    extra = [] if any(known.blind for known in seen) else _unexplained(role, explained)
    if extra and prune:
        edits += [role.drop("rules", index, **found.words) for index in extra]
    elif extra:
        text = f"the audit log does not explain {len(extra)} of its rules"
        advice = "--prune-managed removes what nothing explains"
        yield role.finding(
            text, "rules", extra[0], severity=Severity.LOW, advice=advice, topic="rule of harden that nothing explains"
        )
    if edits:
        basis = "; ".join(dict.fromkeys(known.label for known in seen))
        yield [*edits, role.set("metadata", "annotations", BASIS, to=basis, **found.words)]


def _at_work_elsewhere(binding: Binding, subject: Subject, spaces: set[str | None]) -> Iterator[Finding]:
    for space in sorted(spaces, key=str):
        if not _is_given(binding, subject.name, space):
            text = f"the audit log shows {subject} at work in {_place(space)}, where the tree gives it nothing"
            advice = "give it a role there, if it still needs one"
            yield binding.finding(text, "subjects", subject.index, severity=Severity.LOW, advice=advice)


def _missing(role: Role, used: list[Rule]) -> list[Rule]:
    """What was ``used`` and the role does not allow."""
    own = [rule for _, rule in role.rules]
    return compact([part for rule in compact(used) for part in _parts(rule) if not _covered(part, own)])


def _unexplained(role: Role, explained: list[Rule]) -> list[int]:
    """The rules of the role of which no part is ``explained``."""
    logged = [(index, rule) for index, rule in role.rules if not is_unlogged(rule)]
    return [index for index, rule in logged if not any(_covered(part, explained) for part in _parts(rule))]


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
        for group, resource, verb in product(rule.groups, rule.resources, rule.verbs)
    ]


def _covered(part: Rule, rules: list[Rule]) -> bool:
    if part.urls:
        return any(set(part.urls) <= set(rule.urls) and set(part.verbs) <= set(rule.verbs) for rule in rules)
    return any(
        rule.covers(part.groups[0], part.resources[0], part.verbs[0])
        and (not rule.names or (part.names and set(part.names) <= set(rule.names)))
        for rule in rules
    )
