from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.audit.order import Hidden
from hardener.kubernetes.audit.properties import is_leak
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import AuditPolicyOptions, described, inserted, recorded


@transform(each=AuditPolicy, stage="logging", severity=Severity.HIGH, cis="3.2.2", options=AuditPolicyOptions)
def audit_policy_secrets(policy: AuditPolicy, options: AuditPolicyOptions) -> Steps:
    """Record access to Secrets without values.

    Problem: the audit policy misses access to Secrets, or records their values.

    Result: The audit log records who read or changed a Secret, and never its value.

    Why: an access that is not recorded cannot be investigated, and a recorded body makes the log a second store of
    secrets, which more people can read and more systems keep. The order of the rules matters, since the first match
    applies.

    May break: a program that reads the bodies of ConfigMaps from the log, such as a Falco rule for credentials in them,
    no longer finds them.
    """
    if not policy.judged:
        return
    found = sorted(policy.violations("secrets"), key=lambda violation: not is_leak(violation))
    leak = bool(found) and is_leak(found[0])
    heals = bool(found) and (leak or options.secrets == "all")
    yield from _too_late(policy, policy.hidden(found if heals else (), "secrets"))
    if not found:
        return
    if heals:
        yield inserted(
            policy, "secrets", found, "bodies must not reach the log" if leak else "the request must be recorded"
        )
        return
    first = found[0]
    advice = "put a rule with level Metadata for secrets first; the profile restricted writes it"
    yield policy.finding(f"{described(first)} is {recorded(first)}", "rules", advice=advice, severity=Severity.MEDIUM)


def _too_late(policy: AuditPolicy, rules: list[Hidden]) -> Steps:
    for rule in rules:
        before = "the new rule before it" if rule.by is None else f"rules[{rule.by}] before it"
        what = "matches nothing" if rule.whole else f"does not match {' and '.join(rule.resources)}"
        when = " any more" if rule.by is None else ""
        text = f"rules[{rule.rule}] {what}{when}: {before} records {' and '.join(rule.resources)} at level {rule.level}"
        advice = "remove that from the rule; the log still says who touched which object"
        yield policy.finding(text, "rules", rule.rule, severity=Severity.LOW, advice=advice)
