"""MutatingAdmissionPolicies as plain data: defaults for pods that do not say anything themselves.

Source: k8s.io/api/admissionregistration/v1; served as v1 since 1.36, off by default before. They act behind all other
plugins that change objects (pkg/kubeapiserver/options/plugins.go, AllOrderedPlugins). So none is about the token of a
pod: ServiceAccount has mounted it by then, and ``automountServiceAccountToken: false`` would leave it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hardener.kubernetes.policies.admission_policy import policy_object, selector

POLICY, BINDING = "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"
SINCE = (1, 36)


class Default(Struct, frozen=True):
    """A value that pods get which fulfil all ``conditions`` (pairs of name and expression)."""

    name: str
    conditions: tuple[tuple[str, str], ...]
    expression: str


DEFAULTS = (
    Default(
        "harden-default-seccomp",
        (
            (
                "says-nothing",
                "!has(object.spec.securityContext) || !has(object.spec.securityContext.seccompProfile)",
            ),
            ("not-windows", "!has(object.spec.os) || object.spec.os.name != 'windows'"),
            # A kubelet makes mirrors of the pods of its files only, and deletes one that differs from its file.
            ("not-made-by-a-kubelet", "!('system:nodes' in request.userInfo.groups)"),
        ),
        "Object{spec: Object.spec{securityContext: Object.spec.securityContext{\n"
        "seccompProfile: Object.spec.securityContext.seccompProfile{type: \"RuntimeDefault\"}}}}",
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
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": default.expression}}],
    }
    return policy_object(POLICY, name, body)


def binding(policy_name: str, name: str, namespaces: Sequence[str]) -> dict[str, Any]:
    """A binding of the policy in ``namespaces``."""
    body = {"policyName": policy_name, "matchResources": {"namespaceSelector": selector("In", namespaces)}}
    return policy_object(BINDING, name, body)
