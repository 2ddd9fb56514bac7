"""What an audit log shows that an account did, in the form of a rule of RBAC.

Sources: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (system:discovery, system:public-info-viewer,
system:basic-user); apimachinery pkg/util/rand (the letters of generated names).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Protocol

from msgspec import Struct

MOST_NAMES = 5  # names that still bound a rule; more are a collection
_BOUNDED = frozenset({"get", "update", "patch", "delete"})
_GENERATED = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$|-[0-9a-f]{8,10}-")
_ORDINAL = re.compile(r"-\d+$")
_OPEN_PATHS = ("/api", "/apis", "/openapi")
_OPEN_FILES = ("/healthz", "/livez", "/readyz", "/version", "/version/", "/.well-known/openid-configuration")
_OPEN_REVIEWS = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"), ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
}  # fmt: skip
_SIBLINGS = (("get", "list", "watch"), ("update", "patch"))


class ObservedRule(Struct, frozen=True):
    """Requests that were made and allowed: every one of ``verbs`` on ``resource`` ("pods", "pods/log").

    ``namespace`` is None for requests of no namespace: cluster-scoped resources, lists over all namespaces, and paths
    such as /metrics, which stand in ``non_resource_url`` (then ``api_group`` and ``resource`` are empty).
    ``resource_names`` is empty where the names do not bound the rule. ``verbs`` and ``resource_names`` are sorted.
    """

    namespace: str | None
    api_group: str
    resource: str
    verbs: tuple[str, ...]
    resource_names: tuple[str, ...] = ()
    non_resource_url: str | None = None


class AuditLog(Protocol):
    """What is asked of an audit log; ``tree.ask(GivenLog).log`` is one, or None."""

    @property
    def span(self) -> tuple[str, str] | None:
        """The times of the first and the last event, as in the log (RFC 3339, UTC); None of an empty log."""

    @property
    def seen(self) -> Iterable[tuple[str, str]]:
        """Namespace and name of each service account that the log shows."""

    @property
    def sees_reads(self) -> bool:
        """Whether any event is a read; where none is, reads are not recorded, and rights look smaller."""

    @property
    def sees_events(self) -> bool:
        """Whether any request for an object of the kind Event is recorded."""

    def rules_for(self, namespace: str, account: str, *, expand: bool = False) -> list[ObservedRule] | None:
        """What the account did; None where the log holds no event of it. ``expand`` adds the verbs that usually go
        with those seen."""

    def events(self, namespace: str, account: str) -> int:
        """How many events the log holds of the account."""


def is_granted_to_all(group: str, resource: str, verb: str) -> bool:
    """Whether every account may do this by the roles that come with a cluster; ``resource`` is a path or a resource."""
    if resource.startswith("/"):
        below = any(resource == path or resource.startswith(f"{path}/") for path in _OPEN_PATHS)
        return verb in ("get", "head") and (below or resource in _OPEN_FILES)
    return verb == "create" and (group, resource) in _OPEN_REVIEWS


def names_that_bound(resource: str, verb: str, names: Collection[str] | None) -> tuple[str, ...]:
    """The names that a rule for ``verb`` is bounded to, sorted; none where they are many or made by the cluster."""
    if verb in ("impersonate", "bind"):
        return tuple(sorted(names or ()))
    if not names or len(names) > MOST_NAMES or verb not in _BOUNDED:
        return ()
    if any(map(_GENERATED.search, names)):
        return ()
    if resource.partition("/")[0] == "pods" and any(map(_ORDINAL.search, names)):
        return ()
    return tuple(sorted(names))


def siblings(verb: str) -> tuple[str, ...]:
    """The verbs that usually go with ``verb``, itself included."""
    return next((verbs for verbs in _SIBLINGS if verb in verbs), (verb,))
