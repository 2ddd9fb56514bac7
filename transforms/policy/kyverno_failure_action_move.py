"""K04: what a Kyverno policy does with a violation is said where Kyverno still reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardener.authoring.edits import Basis, Edit, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, verdict
from hardener.facts.access.admission import KyvernoPolicy

from ._kyverno import ACTION_OF_RULE_SINCE, ACTIONS, is_known, release
from ._options import Policies

_OLD, _OVERRIDES = "validationFailureAction", "validationFailureActionOverrides"


@transform(each=KyvernoPolicy, stage="policy", severity=Severity.LOW, options=Policies)
def kyverno_failure_action_move(policy: KyvernoPolicy, options: Policies) -> Steps:
    """Move failureAction to the Kyverno rules.

    Problem: the Kyverno policy uses the deprecated field validationFailureAction.

    Result: Each rule of the Kyverno policy has its own failureAction.

    Why: `spec.validationFailureAction` is deprecated since Kyverno 1.13; a version without this field would only report
    what the policy refuses now.

    May break: a Kyverno before 1.13 does not know the field of a rule, and then only reports.
    """
    version, fact = release(policy, options)
    present = [key for key in (_OLD, _OVERRIDES) if policy.has("spec", key)]
    rules = {index: rule for index, rule in enumerate(policy.items("spec", "rules")) if rule.has("validate")}
    if not present or not rules or version < ACTION_OF_RULE_SINCE:
        return
    if (obstacle := _obstacle(policy, present[0])) is not None:
        yield obstacle
        return
    action, overrides = _actions(policy, ACTIONS)
    if action is None or overrides is None:
        return
    known = [fact, policy.fact(f"{present[0]} is set for all rules", "spec", present[0])]
    found = verdict(known=known, sure=is_known(policy, options), basis=Basis.PROVED)
    edits: list[Edit] = []
    for index, rule in rules.items():
        if not rule.has("validate", "failureAction"):  # it is asked before anything of the policy
            edits += _moved(policy, index, action, overrides, found)
    edits += [policy.drop("spec", key, **found.words) for key in present]
    yield edits


def _moved(
    policy: KyvernoPolicy, index: int, action: str, overrides: list[dict[str, Any]], found: Verdict
) -> Iterator[Edit]:
    path = ("spec", "rules", index, "validate")
    yield policy.set(*path, "failureAction", to=action, **found.words)
    if overrides:  # those of a rule are asked first, then those of the policy
        every = [*policy.overrides(*path, "failureActionOverrides"), *overrides]
        yield policy.set(*path, "failureActionOverrides", to=every, **found.words)


def _obstacle(policy: KyvernoPolicy, key: str) -> Finding | None:
    """Why ``key``, which holds for all rules, stays where it is."""
    if any(rule.has("verifyImages") for rule in policy.items("spec", "rules")):
        text = f"{policy.object} sets {key} for all rules, also for those that verify images"
        advice = "give each rule its own failureAction, then remove it from spec"
    elif any(state.text("spec", _OLD) != policy.text("spec", _OLD) for state in policy.states[1:]):
        text = f"{policy.object} sets the failure action for all rules, and a kustomization patches it"
        advice = "give each rule its own failureAction, here and in the patch"
    else:
        return None
    return policy.finding(text, "spec", key, advice=advice, severity=Severity.LOW)


def _actions(policy: KyvernoPolicy, known: Mapping[str, str]) -> tuple[str | None, list[dict[str, Any]] | None]:
    """The action of the policy and its exceptions as Kyverno spells them; None for what it does not know."""
    action = known.get(str(policy.get("spec", _OLD) or "Audit").lower())
    overrides = policy.overrides("spec", _OVERRIDES)
    for each in overrides:
        spelled = known.get(str(each.get("action", "Audit")).lower())
        if spelled is None:
            return action, None
        if "action" in each:
            each["action"] = spelled
    return action, overrides
