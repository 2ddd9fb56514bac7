"""What the transforms of audit policies share: their options, and the rule that each of them inserts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Basis, Edit, Evidence
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import Effect, verdict
from hardener.errors import InputError
from hardener.kubernetes.audit.properties import BY_NAME, CALLERS, NAMESPACE, Violation, place
from hardener.kubernetes.audit.rules import STRENGTHS
from hardener.tree.audit_policy_views import AuditPolicy

_MOST = 3  # requests that are told
FOLLOW_UP = (
    "copy the audit policy to the path that --audit-policy-file names on every control-plane node, then restart the"
    " API servers one after the other: it is read at their start",
)


@dataclass(frozen=True)
class AuditPolicyOptions:
    """``secrets``: whether a policy that does not record access to Secrets is corrected too ("all"), or only one that
    records what is in them ("leaks"). ``strength``: which policy is written where there is none."""

    GROUP: ClassVar[str] = "audit-policy"
    secrets: str = "all"
    strength: str = "restricted"

    def __post_init__(self) -> None:
        if self.secrets not in ("all", "leaks"):
            raise InputError(f"audit-policy.secrets: {self.secrets} is none of all, leaks")
        if self.strength not in STRENGTHS:
            raise InputError(f"audit-policy.strength: {self.strength} is none of {', '.join(STRENGTHS)}")


def corrected(policy: AuditPolicy, property: str, what: str) -> Steps:
    """Yield the rule that makes ``property`` hold, before the first rule that stands in its way. ``what`` is
    lacking."""
    if policy.judged and (found := policy.violations(property)):
        yield inserted(policy, property, found, what)


def inserted(policy: AuditPolicy, property: str, found: list[Violation], what: str) -> Edit:
    """Return the rule of ``property`` where it heals ``found``."""
    rule, index = BY_NAME[property].rule, place(found)
    said = verdict(why=evidence(policy, found, what), effect=Effect.WATCHED, basis=Basis.PROVED)
    if index is None or index >= policy.length:
        return policy.append("rules", value=rule, follow_up=FOLLOW_UP, **said.words)
    return policy.insert("rules", index, value=rule, follow_up=FOLLOW_UP, **said.words)


def evidence(policy: AuditPolicy, found: list[Violation], what: str) -> list[Evidence]:
    """Return what is recorded today of ``found``: of each rule that is in the way one request, at the place of the
    rule."""
    facts: dict[tuple[int | None, str], Evidence] = {}
    for violation in found:
        rule = violation.verdict.rule
        text = f"{described(violation)} is {recorded(violation)}; {what}"
        path = ("rules", rule) if rule is not None else ()
        facts.setdefault((rule, violation.verdict.level), policy.fact(text, *path))
    return list(facts.values())[:_MOST]


def described(violation: Violation) -> str:
    """Return a request in words."""
    request = violation.request
    where = f" in namespace {request.namespace}" if request.namespace not in ("", NAMESPACE) else ""
    return f"{request.verb} {request.resource or request.path}{where} by {CALLERS.get(request.user, request.user)}"


def recorded(violation: Violation) -> str:
    """Return what is recorded of it, in words."""
    level = violation.verdict.level
    if violation.verdict.rule is None:
        return "not recorded, since no rule matches it"
    return "not recorded" if level == "None" else f"recorded at level {level}"
