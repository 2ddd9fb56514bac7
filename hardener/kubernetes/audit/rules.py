"""The rules that an audit policy needs for what an investigation asks first, and whole policies made of them.

Source: the rules of falcosecurity/plugins k8saudit, which read request bodies and the stage ResponseStarted. No two
of the rules are about the same request, so their order among themselves means nothing.
"""

from __future__ import annotations

from typing import Any

Rule = dict[str, Any]
_WRITES = ["create", "update", "patch", "delete", "deletecollection"]
_RBAC = {
    "group": "rbac.authorization.k8s.io",
    "resources": ["clusterroles", "clusterrolebindings", "roles", "rolebindings"],
}
_ADMISSION = [
    {"group": "admissionregistration.k8s.io"},
    {
        "group": "certificates.k8s.io",
        "resources": ["certificatesigningrequests", "certificatesigningrequests/approval"],
    },
]

SECRETS: Rule = {
    "level": "Metadata",
    "resources": [
        {"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]},
        {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
    ],
}
RBAC: Rule = {"level": "RequestResponse", "verbs": _WRITES, "resources": [_RBAC]}
EXEC: Rule = {
    "level": "Request",
    "resources": [
        {
            "group": "",
            "resources": [
                "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "pods/proxy",
                "services/proxy", "nodes/proxy",
            ],
        }
    ],
}  # fmt: skip
PODS: Rule = {
    "level": "Request",
    "verbs": _WRITES,
    "resources": [
        {"group": "", "resources": ["pods", "serviceaccounts", "namespaces", "services"]},
        {"group": "apps"},
        {"group": "batch"},
        {"group": "networking.k8s.io"},
    ],
}
ADMISSION: Rule = {"level": "RequestResponse", "verbs": _WRITES, "resources": _ADMISSION}
DEFAULT: Rule = {"level": "Metadata"}

_PROBES: Rule = {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*"]}
_PROXY: Rule = {
    "level": "None",
    "users": ["system:kube-proxy"],
    "verbs": ["watch"],
    "resources": [
        {"group": "", "resources": ["endpoints", "services", "services/status"]},
        {"group": "discovery.k8s.io", "resources": ["endpointslices"]},
    ],
}
_NODES: Rule = {
    "level": "None",
    "userGroups": ["system:nodes"],
    "verbs": ["get", "update", "patch"],
    "resources": [
        {"group": "", "resources": ["nodes", "nodes/status"]},
        {"group": "coordination.k8s.io", "resources": ["leases"]},
    ],
}
_EVENTS: Rule = {
    "level": "None",
    "verbs": ["get", "list", "watch", "create", "patch", "update"],
    "resources": [
        {"group": "", "resources": ["events"]},
        {"group": "events.k8s.io", "resources": ["events"]},
    ],
}
_BOTH: Rule = {"level": "RequestResponse", "verbs": _WRITES, "resources": [_RBAC, *_ADMISSION]}

_SECTIONS: dict[str, tuple[str, tuple[Rule, ...]]] = {
    "secrets": ("Who reads secrets is recorded, what is in them is not.", (SECRETS,)),
    "privileges": ("Changes of rights, admission and certificates, whole.", (_BOTH,)),
    "shells": ("Shells and tunnels; ResponseStarted must not be omitted for them.", (EXEC,)),
    "pods": ("What is started, with its request, which detection rules read.", (PODS,)),
    "noise": ("What the cluster does all day, and nobody asks about.", (_PROXY, _NODES, _PROBES, _EVENTS)),
    "less noise": ("What the cluster does all day, and nobody asks about.", (_PROXY, _PROBES)),
    "rest": ("Everything else: who, what and when.", (DEFAULT,)),
}
_STRENGTHS = {
    "baseline": ("secrets", "privileges", "shells", "noise", "rest"),
    "restricted": ("secrets", "privileges", "shells", "pods", "noise", "rest"),
    "strict": ("secrets", "privileges", "shells", "pods", "less noise", "rest"),
}
STRENGTHS = tuple(_STRENGTHS)
_WIDEST = 90  # characters of a list in one line


def policy(strength: str = "restricted") -> dict[str, Any]:
    """A whole audit policy; ``strength`` is one of STRENGTHS."""
    found: dict[str, Any] = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"]}
    if strength == "strict":
        found["omitManagedFields"] = True
    return found | {"rules": [rule for section in _STRENGTHS[strength] for rule in _SECTIONS[section][1]]}


def policy_text(strength: str = "restricted") -> str:
    """The policy of ``policy`` as the text of a file, with comments."""
    lines = ["apiVersion: audit.k8s.io/v1", "kind: Policy", 'omitStages: ["RequestReceived"]']
    lines += ["omitManagedFields: true"] * (strength == "strict")
    lines.append("rules:")
    for section in _STRENGTHS[strength]:
        comment, rules = _SECTIONS[section]
        lines.append(f"# {comment}")
        for rule in rules:
            lines += _rule_lines(rule)
    return "\n".join(lines) + "\n"


def _rule_lines(rule: Rule) -> list[str]:
    lines = [f"- level: {rule['level']}"]
    for key in ("users", "userGroups", "verbs", "nonResourceURLs"):
        if key in rule:
            lines.append(f"  {key}: {_flow(rule[key])}")
    if "resources" in rule:
        lines.append("  resources:")
    for entry in rule.get("resources", ()):
        lines.append(f"  - group: {entry['group'] or chr(34) * 2}")
        flow = _flow(entry["resources"]) if "resources" in entry else ""
        if len(flow) > _WIDEST:
            lines += ["    resources:", *(f"    - {name}" for name in entry["resources"])]
        elif flow:
            lines.append(f"    resources: {flow}")
    return lines


def _flow(values: list[str]) -> str:
    text = ", ".join(f'"{value}"' for value in values)
    return f"[{text}]"
