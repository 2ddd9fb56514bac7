"""K04: policies that match nothing."""

from __future__ import annotations

from hardener.authoring.edits import OpaqueError, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import AdmissionPolicy
from hardener.tree.core_views import Object

_GROUP = "admissionregistration.k8s.io"
_BINDING = "ValidatingAdmissionPolicyBinding"


@transform(each=AdmissionPolicy, stage="policy", severity=Severity.MEDIUM, absence=True, only_reports=True)
def unbound_policy(policy: AdmissionPolicy) -> Steps:
    """Bind the admission policy.

    Problem: the admission policy has no binding and no effect.

    Result: The admission policy is bound.

    Why: a policy of the API server without a binding checks no request, although the list of policies suggests that it
    does.

    May break: nothing, since it only reports: the binding may come from elsewhere.
    """
    name = policy.object.name
    if policy.tree.stream or any(_names(item, name) for item in policy.tree.of(_GROUP, _BINDING)):
        return
    text = f"{policy.object} judges nothing: the tree holds no {_BINDING} that names it"
    advice = f"add a {_BINDING} with policyName: {name} and validationActions: [Warn, Audit], then [Deny]"
    yield policy.finding(text, advice=advice, severity=Severity.LOW)


def _names(binding: Object, name: str) -> bool:
    try:
        return bool(binding.get("spec", "policyName") == name)
    except (OpaqueError, WrongShapeError):
        return True  # which one it names is not known
