"""What a request needs beside the right that an audit log records for it.

Sources: pkg/registry/core/pod/rest (AuthorizePodWebsocketUpgradeCreatePermission, on since 1.35), of which clients ask
by GET (WebSocket) or by POST (SPDY); pkg/registry/rbac/*/policybased and escalation_check.go; the admission plugins
certificates/* and gc; pkg/registry/admissionregistration/*/authz.go; OpenShift library-go route/hostassignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from hardener.kubernetes.rbac.rules import Rule
from hardener.kubernetes.rbac.subjects import GROUP

BIND = "bind"
BINDINGS = ("rolebindings", "clusterrolebindings")
"""With the verb ``BIND`` they stand for roles that were bound, and that nothing names."""

EVENTS = (Rule(("",), ("events",), ("create", "patch")), Rule(("events.k8s.io",), ("events",), ("create", "patch")))
"""What programs need to tell of their work."""
KUBELET = (
    Rule(("",), ("nodes/healthz", "nodes/metrics", "nodes/pods", "nodes/stats"), ("get",)),
    Rule((), (), ("get",), (), ("/metrics",)),
)
"""What monitoring agents ask kubelets and other servers for, which ask the API server only who may."""

_STREAMS = frozenset({"pods/exec", "pods/attach", "pods/portforward"})
_BY_EITHER = ("get", "create")
_ROLES = frozenset({"roles", "clusterroles"})
_WRITING = frozenset({"create", "update", "patch"})
_CERTIFICATES = "certificates.k8s.io"
_POLICIES = (
    "validatingadmissionpolicies", "validatingadmissionpolicybindings", "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
)  # fmt: skip
# Group and resources, written: what else the API server asks for, which no rule of a log can hold.
_MISSING: dict[tuple[str, str], str] = {
    **{(GROUP, name): "it writes roles: every right that they hold, or escalate" for name in _ROLES},
    (_CERTIFICATES, "certificatesigningrequests/approval"): "it approves certificates: approve on their signer",
    (_CERTIFICATES, "certificatesigningrequests/status"): "it signs certificates: sign on their signer",
    (_CERTIFICATES, "clustertrustbundles"): "it writes trust bundles: attest on their signer",
    **{
        ("admissionregistration.k8s.io", name): "it writes admission policies: get on the kind of their parameters"
        for name in _POLICIES
    },
}
_ROUTES = ("route.openshift.io", "routes")
_OF_KUBERNETES = ".k8s.io"


class Completed(Struct):
    """``rules`` with what their requests need besides; ``added`` says what that is, ``missing`` what is not there."""

    rules: list[Rule] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def completed(observed: Iterable[Rule]) -> Completed:
    """The rules that a log shows, with those that the same requests need; each is of one group and one resource."""
    found = Completed()
    for rule in observed:
        if rule.urls:
            found.rules.append(rule)
            continue
        group, resource = rule.groups[0], rule.resources[0]
        if BIND in rule.verbs and (resource in BINDINGS or not rule.names):
            found.missing.append(
                "it binds roles that the log does not name: bind on them, or every right that they hold"
            )
            rule = Rule(rule.groups, rule.resources, tuple(verb for verb in rule.verbs if verb != BIND), rule.names)
        if rule.verbs:
            found.rules.append(rule)
        for other, text in _besides(rule, group, resource):
            found.rules.append(other)
            found.added.append(text)
        if _WRITING.intersection(rule.verbs) and (group, resource) in _MISSING:
            found.missing.append(_MISSING[group, resource])
    found.added, found.missing = list(dict.fromkeys(found.added)), list(dict.fromkeys(found.missing))
    return found


def _besides(rule: Rule, group: str, resource: str) -> Iterator[tuple[Rule, str]]:
    parent, _, sub = resource.partition("/")
    seen = set(rule.verbs)
    if not group and resource in _STREAMS and seen.intersection(_BY_EITHER) and not seen.issuperset(_BY_EITHER):
        by = "get, and create since 1.35" if "get" in seen else "create, of other clients get too"
        yield Rule(rule.groups, rule.resources, _BY_EITHER, rule.names), f"{resource} asks for {by}: both are given"
    if BIND in seen and resource in _ROLES:
        yield rule, f"who binds a role needs its rights, or bind on it: {', '.join(rule.names)}"
    if (group, resource) == _ROUTES and seen & _WRITING:
        host = Rule(rule.groups, ("routes/custom-host",), ("create", "update"))
        yield host, "a Route with a host of its own asks for routes/custom-host"
    if sub == "status" and "." in group and not group.endswith(_OF_KUBERNETES) and seen & _WRITING:
        owner = Rule(rule.groups, (f"{parent}/finalizers",), ("update",))
        yield owner, f"whoever makes objects that belong to {parent} is asked for update on {parent}/finalizers"


def is_unlogged(rule: Rule) -> bool:
    """Whether ``rule`` gives rights that are used without a request to the API server of the account: of kubelets, of
    paths of other servers, and by admission (``use``)."""
    if rule.urls or "use" in rule.verbs:
        return True
    return "" in rule.groups and any(resource.startswith("nodes/") for resource in rule.resources)


def is_tokenless(rule: Rule) -> bool:
    """Whether ``rule`` counts for an account whose pods hold no token: admission asks whether it may ``use``."""
    return "use" in rule.verbs


def makes_objects(rule: Rule) -> bool:
    """Whether an account with this rule of a log writes objects, of which programs tell by events."""
    written = any("/" not in name or name.endswith("/status") for name in rule.resources)
    return written and bool(_WRITING.union(("delete", "deletecollection")).intersection(rule.verbs))
