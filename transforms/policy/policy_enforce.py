"""K04: policies that report what they were written to refuse."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, verdict
from hardener.facts.access.admission import CelPolicy, Constraint, KyvernoPolicy, PolicyBinding
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.pod_security_levels import level_of, next_violation
from hardener.kubernetes.pod_security import LEVELS
from hardener.tree.core_views import PodTemplate

Policy = KyvernoPolicy | CelPolicy | Constraint | PolicyBinding


@transform(
    each=KyvernoPolicy | CelPolicy | Constraint | PolicyBinding, stage="policy", severity=Severity.MEDIUM, cis="5.2.1"
)
def policy_enforce(policy: Policy) -> Steps:
    """Enforce policies that all workloads pass.

    Problem: the policy only reports violations.

    Result: The policy refuses violations.

    Why: a policy that only audits records violations and lets them run.

    May break: the policy applies to the whole cluster, and refuses violations by pods that are not in the given files,
    too.
    """
    if policy.managed or not _reports_only(policy):
        return
    level = policy.level
    if level is None:
        text = f"{policy.object} only reports what it was written to refuse"
        advice = "check what it reported (policy reports, audit records); if that is nothing, make it refuse"
        yield policy.finding(text, advice=advice, severity=Severity.LOW, topic="rule of admission in report-only mode")
        return
    pods = [pod for pod in policy.tree.pod_templates if not pod.object.classes]
    below = next(((pod, name) for pod in pods for name in _below(pod, level)), None)
    if below is not None or not pods:
        why = (
            "the tree shows no workload"
            if below is None
            else f"{below[0].object} does not pass level {level}: {next_violation(*below)}"
        )
        text = f"{policy.object} only reports what it was written to refuse; {why}"
        yield policy.finding(text, advice="harden what it reports, then make it refuse", severity=Severity.LOW)
        return
    count = "the only workload" if len(pods) == 1 else f"all {len(pods)} workloads"
    passes = policy.fact(f"it holds for level {level}, and {count} of the tree reach{'es' * (len(pods) == 1)} it")
    unseen = Evidence("it then also refuses pods that the tree does not show")
    found = verdict(why=[passes], against=[unseen], basis=Basis.PROVED)
    yield list(_enforced(policy, found))


def _below(pod: PodTemplate, level: str) -> Iterator[str | None]:
    for name in pod.tree.ask(Builds).namespaces(pod.object):
        if LEVELS.index(level_of(pod, name)) < LEVELS.index(level):
            yield name


def _reports_only(policy: Policy) -> bool:
    if isinstance(policy, KyvernoPolicy):
        return all(map(_audited, policy.states))
    if isinstance(policy, Constraint):
        return policy.text("spec", "enforcementAction") in ("dryrun", "warn")
    actions = policy.strings("spec", "validationActions")
    return bool(actions) and "Deny" not in actions


def _audited(policy: KyvernoPolicy) -> list[int]:
    """The rules that only report; exceptions for some namespaces say that somebody chose."""
    default = policy.get("spec", "validationFailureAction") or "Audit"
    if policy.has("spec", "validationFailureActionOverrides"):
        return []
    return [
        index
        for index, rule in enumerate(policy.items("spec", "rules"))
        if rule.has("validate")
        and not rule.has("validate", "failureActionOverrides")
        and str(rule.get("validate", "failureAction") or default).lower() == "audit"
    ]


def _enforced(policy: Policy, found: Verdict) -> Iterator[Edit]:
    if isinstance(policy, KyvernoPolicy):
        whole = policy.has("spec", "validationFailureAction")
        if whole:
            yield policy.set("spec", "validationFailureAction", to="Enforce", **found.words)
        for index in _audited(policy):
            path = ("spec", "rules", index, "validate", "failureAction")
            if not whole or policy.has(*path):
                yield policy.set(*path, to="Enforce", **found.words)
    elif isinstance(policy, Constraint):
        yield policy.set("spec", "enforcementAction", to="deny", **found.words)
    else:
        actions = ["Deny", "Audit"] if isinstance(policy, PolicyBinding) else ["Deny"]
        yield policy.set("spec", "validationActions", to=actions, **found.words)
