"""MutatingAdmissionPolicies as plain data: defaults for pods that do not say anything themselves.

Source: k8s.io/api/admissionregistration/v1; served as v1 since 1.36, off by default before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hardener.kubernetes.admission_policy import GROUP, selector
from hardener.support.fast_dataclass import dataclass

POLICY, BINDING = "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"
SINCE = (1, 36)

_LABELS = {"app.kubernetes.io/managed-by": "harden"}


@dataclass(frozen=True, slots=True)
class Default:
    """A value that pods get which fulfil all ``conditions`` (pairs of name and expression); ``breaks`` says that pods
    may need the other one."""

    name: str
    conditions: tuple[tuple[str, str], ...]
    expression: str
    breaks: bool


DEFAULTS = (
    Default(
        "harden-default-automount",
        (("says-nothing", "!has(object.spec.automountServiceAccountToken)"),),
        "Object{spec: Object.spec{automountServiceAccountToken: false}}", breaks=True,
    ),
    Default(
        "harden-default-seccomp",
        (
            (
                "says-nothing",
                "!has(object.spec.securityContext) || !has(object.spec.securityContext.seccompProfile)",
            ),
            ("not-windows", "!has(object.spec.os) || object.spec.os.name != 'windows'"),
        ),
        "Object{spec: Object.spec{securityContext: Object.spec.securityContext{\n"
        "seccompProfile: Object.spec.securityContext.seccompProfile{type: \"RuntimeDefault\"}}}}", breaks=False,
    ),
)  # fmt: skip


def policy(default: Default, name: str) -> dict[str, Any]:
    """A policy called ``name`` that gives pods ``default`` when they are created."""
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    body = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": {"resourceRules": [pods]},
        "matchConditions": [{"name": key, "expression": text} for key, text in default.conditions],
        "mutations": [
            {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": default.expression}}
        ],
    }  # fmt: skip
    return _object(POLICY, name, body)


def binding(policy_name: str, name: str, namespaces: Sequence[str]) -> dict[str, Any]:
    """A binding of the policy in ``namespaces``."""
    return _object(
        BINDING, name,
        {"policyName": policy_name, "matchResources": {"namespaceSelector": selector("In", namespaces)}},
    )  # fmt: skip


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "labels": dict(_LABELS)}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "spec": spec}
