"""ValidatingAdmissionPolicies and their bindings as plain data.

Source: k8s.io/api/admissionregistration/v1. ``Deny`` and ``Warn`` do not go together. A namespace selector leaves out
no object that lives in no namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hardener.kubernetes.policies.admission_rules import AdmissionRule

GROUP = "admissionregistration.k8s.io"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
SYSTEM = ("kube-system", "kube-public", "kube-node-lease")
"""What a policy for the whole cluster leaves out, so that a cluster can always start."""
SINCE = (1, 30)
"""The version that serves v1."""

_LABELS = {"app.kubernetes.io/managed-by": "harden"}
_NAME = "kubernetes.io/metadata.name"  # a label that every namespace has


def policy(rule: AdmissionRule, name: str) -> dict[str, Any]:
    """A policy called ``name`` that refuses what ``rule`` does."""
    return policy_object(POLICY, name, {"failurePolicy": "Fail"} | spec(rule, rule.resources))


def spec(rule: AdmissionRule, resources: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The part of a policy that says what is looked at, and what is refused."""
    found: dict[str, Any] = {"matchConstraints": {"resourceRules": _copied(resources)}}
    if rule.conditions:
        found["matchConditions"] = [{"name": name, "expression": text} for name, text in rule.conditions]
    if rule.variables:
        found["variables"] = [{"name": name, "expression": text} for name, text in rule.variables]
    found["validations"] = [
        {"expression": text, "message": message, "reason": "Forbidden"} for text, message in rule.validations
    ]
    return found


def warning(policy_name: str, name: str) -> dict[str, Any]:
    """A binding for the whole cluster that refuses nothing."""
    return _binding(policy_name, name, ["Warn", "Audit"], {"namespaceSelector": selector("NotIn", SYSTEM)})


def denial(rule: AdmissionRule, policy_name: str, name: str, namespaces: Sequence[str]) -> dict[str, Any]:
    """A binding that refuses in ``namespaces``, and nothing that lives in none."""
    resources: dict[str, Any] = {"namespaceSelector": selector("In", namespaces)}
    if rule.namespaced != rule.resources:
        resources["resourceRules"] = _copied(rule.namespaced)
    return _binding(policy_name, name, ["Deny", "Audit"], resources)


def selector(operator: str, namespaces: Sequence[str]) -> dict[str, Any]:
    """A selector of namespaces by their names."""
    return {"matchExpressions": [{"key": _NAME, "operator": operator, "values": list(namespaces)}]}


def _binding(policy_name: str, name: str, actions: list[str], resources: dict[str, Any]) -> dict[str, Any]:
    body = {"policyName": policy_name, "validationActions": actions, "matchResources": resources}
    return policy_object(BINDING, name, body)


def policy_object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An object of admission with ``spec``, marked as one of ours."""
    metadata = {"name": name, "labels": dict(_LABELS)}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _copied(rules: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: list(value) for key, value in rule.items()} for rule in rules]
