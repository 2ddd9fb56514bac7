"""Kyverno policies as plain data: which kind a version takes, and the rules of this program in their languages.

Sources: the CustomResourceDefinitions and the policy library of Kyverno. ``policies.kyverno.io/v1`` is served since
1.17, where ClusterPolicy is deprecated; ``failureAction`` of a rule came in 1.13, until then a policy has one. In a
pattern a plain key has to be there, ``=(key)`` is looked at where it is there, ``X(key)`` must not be there, and a list
holds for each of its items. A ClusterPolicy of Pods holds for controllers too, and for ephemeral containers by itself;
a ValidatingPolicy does the first only where it names nothing but pods.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hardener.kubernetes.policies.admission_policy import SYSTEM, selector, spec
from hardener.kubernetes.policies.admission_rules import PUBLIC_ROLE, RULES, AdmissionRule
from hardener.support.shapes import plain_copy

GROUP, CEL_GROUP = "kyverno.io", "policies.kyverno.io"
CLUSTER_POLICY, VALIDATING_POLICY = "ClusterPolicy", "ValidatingPolicy"
DEFAULT_VERSION = (1, 17)
CEL_SINCE = (1, 17)
ACTION_OF_RULE_SINCE = (1, 13)
ACTIONS = {"audit": "Audit", "enforce": "Enforce"}
"""The actions by their old spelling."""

_LABELS = {"app.kubernetes.io/managed-by": "harden"}
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_LISTS = ("=(ephemeralContainers)", "=(initContainers)", "containers")
_NO_ACCOUNT = {"kind": "!ServiceAccount", "name": "!system:serviceaccount* & !system:authenticated"}
_EPHEMERAL = "pods/ephemeralcontainers"


def version(text: str) -> tuple[int, int] | None:
    """Major and minor of a version as in an image tag ("v1.16.2"); None where there is none."""
    found = _VERSION.match(text)
    return (int(found[1]), int(found[2])) if found else None


def version_of_chart(text: str) -> tuple[int, int] | None:
    """The version of Kyverno that a version of its Helm chart ("3.3.7", "3.3.x") installs: 3.N is 1.(10 + N)."""
    found = version(text.lstrip("~^=v "))
    return (1, 10 + found[1]) if found and found[0] == 3 else None


def containers(pattern: dict[str, Any]) -> dict[str, Any]:
    """A pattern of a pod spec that asks every container of every list for ``pattern``."""
    return {name: [plain_copy(pattern)] for name in _LISTS}


def privileged_pattern() -> dict[str, Any]:
    """What keeps privileged containers out; the text form of a value is compared, so "false" means the boolean."""
    return {"spec": containers({"=(securityContext)": {"=(privileged)": "false"}})}


def nonroot_patterns() -> list[dict[str, Any]]:
    """Of these a pod that does not run as root fits one: it says so itself and no container takes it back, or each of
    its containers says so."""
    unless = containers({"=(securityContext)": {"=(runAsNonRoot)": True}})
    own = containers({"securityContext": {"runAsNonRoot": True}})
    return [{"spec": {"securityContext": {"runAsNonRoot": True}} | unless}, {"spec": own}]


def _user_pattern() -> dict[str, Any]:
    context = {"=(securityContext)": {"=(runAsUser)": ">0"}}
    return {"spec": plain_copy(context) | containers(context)}


def cluster_policy(
    rule: AdmissionRule, name: str, namespaces: Sequence[str], release: tuple[int, int]
) -> dict[str, Any]:
    """A ClusterPolicy that refuses in ``namespaces`` what ``rule`` does, and reports it elsewhere."""
    rules: list[dict[str, Any]] = []
    policy: dict[str, Any] = {"background": True}
    overrides = [{"action": "Enforce", "namespaces": list(namespaces)}] if namespaces else []
    of_rule = release >= ACTION_OF_RULE_SINCE
    for part in _PARTS[rule.name]():
        action: dict[str, Any] = {"failureAction": "Audit"} if of_rule else {}
        if overrides and of_rule:
            action["failureActionOverrides"] = plain_copy(overrides)
        part["validate"] = action | part["validate"]
        rules.append(part)
    if of_rule:
        policy["emitWarning"] = True
    else:
        policy["validationFailureAction"] = "Audit"
        if overrides:
            policy["validationFailureActionOverrides"] = overrides
    return _object(f"{GROUP}/v1", CLUSTER_POLICY, name, policy | {"rules": rules})


def validating_policies(rule: AdmissionRule, name: str, namespaces: Sequence[str]) -> list[dict[str, Any]]:
    """ValidatingPolicies that warn in the whole cluster, and refuse in ``namespaces`` where there are any."""
    found = [
        _validating(rule, f"{name}{ending}-warn", resources, ["Warn", "Audit"], "NotIn", SYSTEM)
        for ending, resources in _by_resource(rule.resources)
    ]
    if namespaces:
        found += [
            _validating(rule, name + ending, resources, ["Deny"], "In", namespaces)
            for ending, resources in _by_resource(rule.namespaced)
        ]
    return found


def _by_resource(rules: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """``rules`` as several policies share them, each with the ending of its name."""
    debug = [rule for rule in rules if rule["resources"] == [_EPHEMERAL]]
    rest = [rule for rule in rules if rule not in debug]
    return [("", rest), *([("-ephemeral", debug)] if debug else [])]


def _validating(
    rule: AdmissionRule,
    name: str,
    resources: list[dict[str, Any]],
    actions: list[str],
    operator: str,
    namespaces: Sequence[str],
) -> dict[str, Any]:
    body = spec(rule, resources)
    body["matchConstraints"] = {"namespaceSelector": selector(operator, namespaces)} | body["matchConstraints"]
    head: dict[str, Any] = {"validationActions": actions}
    if any("request." in text for text, _ in rule.validations):
        head["evaluation"] = {"background": {"enabled": False}}  # there is no request to look at
    return _object(f"{CEL_GROUP}/v1", VALIDATING_POLICY, name, head | body)


def _object(api_version: str, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "labels": dict(_LABELS)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": body}


def _rule(name: str, kinds: list[str], message: str, validate: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "match": {"any": [{"resources": {"kinds": kinds}}]},
        **more,
        "validate": {"message": message} | validate,
    }


def _isolation() -> list[dict[str, Any]]:
    privileged, host, path = (message for _, message in RULES["harden-pod-isolation"].validations)
    namespaces = {f"=({name})": "false" for name in ("hostPID", "hostIPC", "hostNetwork")}
    return [
        _rule("deny-privileged", ["Pod"], privileged, {"pattern": privileged_pattern()}),
        _rule("deny-host-namespaces", ["Pod"], host, {"pattern": {"spec": namespaces}}),
        _rule("deny-host-path", ["Pod"], path, {"pattern": {"spec": {"=(volumes)": [{"X(hostPath)": "null"}]}}}),
    ]


def _nonroot() -> list[dict[str, Any]]:
    root, user = (message for _, message in RULES["harden-pod-nonroot"].validations)
    windows = {"spec": {"os": {"name": "windows"}}}
    return [
        _rule("require-run-as-non-root", ["Pod"], root, {"anyPattern": [*nonroot_patterns(), windows]}),
        _rule("deny-user-0", ["Pod"], user, {"pattern": _user_pattern()}),
    ]


def _guardrails() -> list[dict[str, Any]]:
    nobody, admin = (message for _, message in RULES["harden-rbac-guardrails"].validations)
    role = "{{ request.object.roleRef.name }}"
    full = "{{ request.object.roleRef.kind }}/" + role
    # Who asks is known in no scan of what is there (Kyverno refuses such a policy), and need not be: of what an API
    # server makes for itself the grant of this one role is all that these rules would refuse.
    public = {"key": full, "operator": "NotEquals", "value": f"ClusterRole/{PUBLIC_ROLE}"}
    return [
        _rule(
            "deny-anonymous",
            ["RoleBinding", "ClusterRoleBinding"],
            nobody,
            {"pattern": {"=(subjects)": [{"name": "!system:anonymous & !system:unauthenticated"}]}},
            preconditions={"all": [public]},
        ),
        _rule(
            "deny-cluster-admin",
            ["ClusterRoleBinding"],
            admin,
            {"pattern": {"=(subjects)": [_NO_ACCOUNT]}},
            preconditions={"all": [{"key": role, "operator": "Equals", "value": "cluster-admin"}]},
        ),
    ]


def _digest() -> list[dict[str, Any]]:
    message, mounted = (message for _, message in RULES["harden-image-digest"].validations)
    pinned = "*@sha256:*"
    volumes = [{"=(image)": {"reference": pinned}}]
    return [
        _rule("require-digest", ["Pod"], message, {"pattern": {"spec": containers({"image": pinned})}}),
        _rule("require-digest-of-volumes", ["Pod"], mounted, {"pattern": {"spec": {"=(volumes)": volumes}}}),
    ]


def _exposure() -> list[dict[str, Any]]:
    ((_, message),) = RULES["harden-service-exposure"].validations
    pattern = {"spec": {"=(type)": "!LoadBalancer & !NodePort", "X(externalIPs)": "null"}}
    return [_rule("deny-exposure", ["Service"], message, {"pattern": pattern})]


def _token() -> list[dict[str, Any]]:
    ((_, message),) = RULES["harden-sa-token-secret"].validations
    pattern = {"=(type)": "!kubernetes.io/service-account-token"}
    return [_rule("deny-token-secret", ["Secret"], message, {"pattern": pattern})]


_PARTS = {
    "harden-pod-isolation": _isolation,
    "harden-pod-nonroot": _nonroot,
    "harden-rbac-guardrails": _guardrails,
    "harden-image-digest": _digest,
    "harden-service-exposure": _exposure,
    "harden-sa-token-secret": _token,
}
