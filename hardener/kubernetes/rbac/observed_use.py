"""What a request that was seen says about the rule that allows it.

Sources: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (system:discovery, system:public-info-viewer,
system:basic-user); apimachinery pkg/util/rand (the letters of generated names).
"""

from __future__ import annotations

import re
from collections.abc import Collection

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
