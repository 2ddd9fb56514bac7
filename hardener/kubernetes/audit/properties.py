"""What an audit policy must record, checked on requests.

The requests are those of a person, a service account, a node and a nobody, and beside them such that the rules of the
policy single out: users, groups, namespaces and names that it tells apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, product

from msgspec import Struct
from msgspec.structs import replace

from hardener.kubernetes.audit import rules as canonical
from hardener.kubernetes.audit.policy import (
    LEVELS,
    Plain,
    Request,
    Verdict,
    evaluate,
    group_resources,
    matches,
    rules_of,
    strings,
)
from hardener.kubernetes.audit.rules import Rule

_READS = ("get", "list", "watch")
_WRITES = ("create", "update", "patch", "delete", "deletecollection")
_ALL = (*_READS, *_WRITES)
_RBAC = "rbac.authorization.k8s.io"
_MOST = 3  # of each kind that one rule names; more of them say the same
_AUTHENTICATED = "system:authenticated"

# Metadata is rank 1, Request 2.
Test = Callable[[Verdict], bool]


class Violation(Struct, frozen=True):
    """A request that is not recorded as ``property`` wants."""

    property: str
    request: Request
    verdict: Verdict


class Property(Struct, frozen=True):
    """What must hold for each of ``requests``, and the ``rule`` that makes it so. ``nodes``: for kubelets too."""

    name: str
    rule: Rule
    requests: tuple[tuple[Request, Test], ...]
    nodes: bool = False


def _requests(test: Test, verbs: Iterable[str], group: str, resources: Iterable[str]) -> Iterator[tuple[Request, Test]]:
    for verb, resource in product(verbs, resources):
        yield Request(verb, resource, group), test


def _exactly_metadata(verdict: Verdict) -> bool:
    return verdict.rank == 1


def _at_most_metadata(verdict: Verdict) -> bool:
    return verdict.rank <= 1


def _at_least_metadata(verdict: Verdict) -> bool:
    return verdict.rank >= 1


def _at_least_request(verdict: Verdict) -> bool:
    return verdict.rank >= 2


def _whole(verdict: Verdict) -> bool:
    return verdict.rank == LEVELS.index("RequestResponse")


_INTERACTIVE = ("pods/exec", "pods/attach", "pods/portforward")
PROPERTIES = (
    Property(
        "secrets", canonical.SECRETS,
        (
            *_requests(_exactly_metadata, _ALL, "", ["secrets"]),
            *_requests(_at_most_metadata, _ALL, "", ["configmaps"]),
            *_requests(_exactly_metadata, ["create"], "", ["serviceaccounts/token"]),
            *_requests(_at_most_metadata, ["create"], "authentication.k8s.io", ["tokenreviews"]),
        ),
        nodes=True,
    ),
    Property(
        "rbac", canonical.RBAC,
        tuple(_requests(_whole, _WRITES, _RBAC, ["clusterroles", "clusterrolebindings", "roles", "rolebindings"])),
    ),
    Property(
        "exec", canonical.EXEC,
        (
            *_requests(_at_least_request, ["create", "get"], "", _INTERACTIVE),
            *_requests(_at_least_request, ["update", "patch"], "", ["pods/ephemeralcontainers"]),
        ),
    ),
    Property("pods", canonical.PODS, tuple(_requests(_at_least_request, ["create"], "", ["pods"]))),
    Property(
        "admission", canonical.ADMISSION,
        (
            *_requests(
                _at_least_request, _WRITES, "admissionregistration.k8s.io",
                ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
            ),
            *_requests(
                _at_least_request, ["update", "patch"], "certificates.k8s.io", ["certificatesigningrequests/approval"]
            ),
        ),
    ),
    Property(
        "default", canonical.DEFAULT,
        (
            *_requests(_at_least_metadata, _WRITES, "apps", ["deployments"]),
            *_requests(_at_least_metadata, _WRITES, "example.com", ["widgets"]),
            *_requests(_at_least_metadata, _WRITES, "", ["nodes", "services"]),
            (Request("get", path="/metrics"), _at_least_metadata),
        ),
    ),
)  # fmt: skip
BY_NAME = {item.name: item for item in PROPERTIES}

NAMESPACE = "shop"  # of the requests that no rule singles out
CALLERS = {
    "alice": "a person", "system:serviceaccount:shop:app": "a service account", "system:anonymous": "nobody known",
    "system:node:node-1": "a kubelet",
}  # fmt: skip
"""Who sends them, in words."""
_CALLERS = (
    ("alice", (_AUTHENTICATED,)),
    ("system:serviceaccount:shop:app", ("system:serviceaccounts", "system:serviceaccounts:shop", _AUTHENTICATED)),
    ("system:anonymous", ("system:unauthenticated",)),
)
_NODE = ("system:node:node-1", ("system:nodes", _AUTHENTICATED))
_CLUSTER_SCOPED = {
    "nodes",
    "clusterroles",
    "clusterrolebindings",
    "admissionregistration.k8s.io",
    "certificates.k8s.io",
    "authentication.k8s.io",
}  # resources, and groups that have no others


def violations(policy: Plain, property: Property) -> list[Violation]:
    """The requests that ``policy`` does not record as ``property`` wants; none where it holds."""
    found = []
    for template, test in property.requests:
        for request in _variants(policy, template, property):
            verdict = evaluate(policy, request)
            # What components do all day is left out of logs by intent; that bodies of theirs are recorded is none.
            violation = Violation(property.name, request, verdict)
            if not test(verdict) and (is_leak(violation) or not _is_quiet(request)):
                found.append(violation)
    return found


def _is_quiet(request: Request) -> bool:
    return request.user != _NODE[0] and any(map(is_component, (request.user, *request.groups)))


def omitting(policy: Plain) -> list[Violation]:
    """Of shells and tunnels, those whose start is left out, with what leaves it out."""
    return [
        Violation("exec", request, verdict)
        for template, _ in BY_NAME["exec"].requests[: 2 * len(_INTERACTIVE)]
        for request in _variants(policy, template, BY_NAME["exec"])
        if "ResponseStarted" in (verdict := evaluate(policy, request)).omitted and verdict.rank > 0
    ]


def is_leak(violation: Violation) -> bool:
    """Whether a body is recorded that must not be."""
    return violation.property == "secrets" and violation.verdict.rank > 1


def place(found: list[Violation]) -> int | None:
    """Before which rule the one that heals ``found`` goes; None is the end."""
    rules = [violation.verdict.rule for violation in found if violation.verdict.rule is not None]
    return min(rules, default=None)


def shadowed(found: list[Violation]) -> list[int]:
    """The rules that record nothing by intent, of violations of "default": they stay, and are said."""
    return sorted({violation.verdict.rule for violation in found if violation.verdict.rule is not None})


def _variants(policy: Plain, template: Request, property: Property) -> list[Request]:
    """``template`` as everybody may send it, then as the rules of ``policy`` tell callers and objects apart."""
    plain = replace(template, namespace=_namespace_of(template), name="thing" if _has_name(template) else "")
    found = [replace(plain, user=user, groups=groups) for user, groups in (*_CALLERS, *([_NODE] * property.nodes))]
    for rule in rules_of(policy):
        if _speaks_of(rule, plain):
            found += _singled_out(rule, plain)
    return list(dict.fromkeys(found))


def _has_name(request: Request) -> bool:
    """Whether the server knows the name of the object before it has read the body."""
    return request.verb in ("get", "update", "patch", "delete") or "/" in request.resource


def _namespace_of(request: Request) -> str:
    main = request.resource.partition("/")[0]
    return "" if not main or main in _CLUSTER_SCOPED or request.group in _CLUSTER_SCOPED else NAMESPACE


def _speaks_of(rule: Plain, request: Request) -> bool:
    """Whether ``rule`` matches ``request`` for some caller, namespace and name."""
    free = {key: value for key, value in rule.items() if key not in ("users", "userGroups", "namespaces")}
    if request.resource:
        free["resources"] = [
            {key: value for key, value in entry.items() if key != "resourceNames"} for entry in group_resources(rule)
        ]
    return matches(free, request) and bool(request.resource or not rule.get("namespaces"))


def _singled_out(rule: Plain, plain: Request) -> Iterator[Request]:
    """``plain`` from the callers, in the namespaces and of the objects that ``rule`` names."""
    callers = list(islice(_callers(rule), _MOST))
    lists = plain.verb in ("list", "watch", "deletecollection")
    namespaces = [space for space in strings(rule, "namespaces") if space or lists] if plain.namespace else []
    names = (name for entry in group_resources(rule) for name in strings(entry, "resourceNames"))
    named = list(islice(names, _MOST)) if plain.name else []
    if callers or namespaces or named:
        for (user, groups), namespace, name in product(
            [*callers, *_CALLERS], [plain.namespace, *namespaces[:_MOST]], [plain.name, *named]
        ):
            yield replace(plain, user=user, groups=groups, namespace=namespace, name=name)


def _callers(rule: Plain) -> Iterator[tuple[str, tuple[str, ...]]]:
    groups = strings(rule, "userGroups")
    for user in strings(rule, "users"):
        yield user, (*_groups_of(user), *groups[:1])
    if not rule.get("users"):
        for group in groups:
            yield "somebody", (_AUTHENTICATED, group)


def is_component(name: str) -> bool:
    """Whether a user or group is a part of the cluster, and neither a person nor an application."""
    ordinary = (
        "system:serviceaccount",
        "system:authenticated",
        "system:unauthenticated",
        "system:anonymous",
        "system:masters",
    )
    own = ("system:serviceaccount:kube-system:", "system:serviceaccounts:kube-system")
    return name.startswith(own) or (name.startswith("system:") and not name.startswith(ordinary))


def _groups_of(user: str) -> tuple[str, ...]:
    if user == "system:anonymous":
        return ("system:unauthenticated",)
    parts = user.split(":")
    if len(parts) == 4 and parts[1] == "serviceaccount":
        return "system:serviceaccounts", f"system:serviceaccounts:{parts[2]}", _AUTHENTICATED
    if user.startswith("system:node:"):
        return "system:nodes", _AUTHENTICATED
    return (_AUTHENTICATED,)
