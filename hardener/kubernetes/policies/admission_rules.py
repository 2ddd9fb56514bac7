"""What the admission policies that this program writes refuse: in CEL for the API server, and as plain Python.

Source: the API reference of ValidatingAdmissionPolicy (GA in 1.30). CEL is written with ``has()``, since optional types
(``.?x``) are read by the API server and not by every other implementation, and the tests run every expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

API_SERVER = "system:apiserver"
"""The user as whom an API server asks itself, for the grants that it makes at its start among others. Nobody else has
the token of it, which is made anew at each start (apiserver/pkg/server/config.go, AuthorizeClientBearerToken)."""

_PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
# UPDATE is nothing where a field stays as it was created: all of a pod but its images and its ephemeral containers,
# which have a resource of their own, and the type of a Secret (pkg/apis/core/validation). There it would only refuse a
# new label on what runs.
_DEBUG = _PODS | {"operations": ["UPDATE"], "resources": ["pods/ephemeralcontainers"]}
_POD_RULES = (_PODS, _DEBUG)
_IMAGE_RULES = (_PODS | {"operations": ["CREATE", "UPDATE"]}, _DEBUG)
_BINDINGS = {
    "apiGroups": ["rbac.authorization.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
    "resources": ["clusterrolebindings", "rolebindings"],
}  # fmt: skip
# The lists have items of different types, which the checker of the API server would warn of without ``dyn``.
_ALL_CONTAINERS = (
    "dyn({0}.spec.containers)\n"
    "+ (has({0}.spec.initContainers) ? {0}.spec.initContainers : [])\n"
    "+ (has({0}.spec.ephemeralContainers) ? {0}.spec.ephemeralContainers : [])"
)
_CONTAINERS = ("containers", _ALL_CONTAINERS.format("object"))
# None when a pod is created. A pod that runs keeps the images that it has; only a new one is asked for its digest.
_OLD_CONTAINERS = ("oldContainers", f"oldObject == null ? [] : ({_ALL_CONTAINERS.format('oldObject')})")
PUBLIC_ROLE = "system:public-info-viewer"
"""What an API server lets everybody read: its version, and whether it lives. Only as a ClusterRole, since a Role of
this name may be made in any namespace, with any rules."""

_NOBODY = ("system:anonymous", "system:unauthenticated")

# As whom a service account acts: the user system:serviceaccount:NAMESPACE:NAME, the groups system:serviceaccounts and
# system:serviceaccounts:NAMESPACE, and that of everybody who is known (kubernetes.io, Authenticating).
_ACCOUNTS = "system:serviceaccount"
_EVERY_ACCOUNT = "system:authenticated"

Objects = Iterator[str]


class AdmissionRule(Struct, frozen=True):
    """What one policy refuses.

    ``resources`` are rules of ``matchConstraints``, ``validations`` pairs of expression and message, ``variables`` and
    ``conditions`` pairs of name and expression. ``broken`` gives the messages of those validations that an object
    (plain data, as an API server takes it) of the ``kinds`` fails; a pod template counts as a Pod.
    """

    name: str
    title: str
    kinds: frozenset[str]
    resources: tuple[dict[str, Any], ...]
    validations: tuple[tuple[str, str], ...]
    broken: Callable[[str, Mapping[str, Any]], Objects]
    variables: tuple[tuple[str, str], ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()

    @property
    def namespaced(self) -> tuple[dict[str, Any], ...]:
        """``resources`` without those that live in no namespace, which no namespace selector leaves out."""
        rest = [
            rule | {"resources": [name for name in rule["resources"] if not name.startswith("cluster")]}
            for rule in self.resources
        ]
        return tuple(rest)


def _mappings(value: Any, *path: str) -> list[Mapping[str, Any]]:
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _all_containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = ("containers", "initContainers", "ephemeralContainers")
    return [container for name in lists for container in _mappings(pod, "spec", name)]


_PRIVILEGED = "privileged containers are not allowed (containers, initContainers, ephemeralContainers)"
_HOST = "the namespaces of the node are not allowed (hostPID, hostIPC, hostNetwork)"
_HOST_PATH = "hostPath volumes are not allowed"
_ROOT = "runAsNonRoot must be true for the pod or for every container, and false for none"
_USER_0 = "runAsUser must not be 0"
_DIGEST = "images must be pinned by digest (containers, initContainers, ephemeralContainers)"
_IMAGE_VOLUME = "images that are mounted as volumes must be pinned by digest"
_EXPOSED = "LoadBalancer, NodePort and externalIPs open a Service to the outside"
_TOKEN = "Secrets with a service account token that never expires are not allowed"
_ANONYMOUS = "callers without a login may not be bound to a role"
_ADMIN = "cluster-admin may not be bound to a service account for the whole cluster"


def _isolation(kind: str, pod: Mapping[str, Any]) -> Objects:
    spec = _mapping(pod, "spec")
    if any(_mapping(container, "securityContext").get("privileged") is True for container in _all_containers(pod)):
        yield _PRIVILEGED
    if any(spec.get(name) is True for name in ("hostPID", "hostIPC", "hostNetwork")):
        yield _HOST
    if any(volume.get("hostPath") is not None for volume in _mappings(spec, "volumes")):
        yield _HOST_PATH


def _nonroot(kind: str, pod: Mapping[str, Any]) -> Objects:
    spec = _mapping(pod, "spec")
    own = _mapping(spec, "securityContext")
    contexts = [_mapping(container, "securityContext") for container in _all_containers(pod)]
    windows = _mapping(spec, "os").get("name") == "windows"
    inherited = own.get("runAsNonRoot") is True
    if not windows and not all(
        inherited if context.get("runAsNonRoot") is None else context["runAsNonRoot"] is True for context in contexts
    ):
        yield _ROOT
    if any(context.get("runAsUser") == 0 for context in (own, *contexts)):
        yield _USER_0


def _digest(kind: str, pod: Mapping[str, Any]) -> Objects:
    if not all("@sha256:" in str(container.get("image")) for container in _all_containers(pod)):
        yield _DIGEST
    mounted = [volume for volume in _mappings(pod, "spec", "volumes") if volume.get("image") is not None]
    if not all("@sha256:" in str(_mapping(volume, "image").get("reference")) for volume in mounted):
        yield _IMAGE_VOLUME


def _exposure(kind: str, service: Mapping[str, Any]) -> Objects:
    spec = _mapping(service, "spec")
    if spec.get("type") in ("LoadBalancer", "NodePort") or spec.get("externalIPs"):
        yield _EXPOSED


def _token(kind: str, secret: Mapping[str, Any]) -> Objects:
    if secret.get("type") == "kubernetes.io/service-account-token":
        yield _TOKEN


def _guardrails(kind: str, binding: Mapping[str, Any]) -> Objects:
    reference, subjects = _mapping(binding, "roleRef"), _mappings(binding, "subjects")
    role = reference.get("name")
    public = reference.get("kind") == "ClusterRole" and role == PUBLIC_ROLE
    if not public and any(subject.get("name") in _NOBODY for subject in subjects):
        yield _ANONYMOUS
    if kind == "ClusterRoleBinding" and role == "cluster-admin" and any(map(_is_account, subjects)):
        yield _ADMIN


def _is_account(subject: Mapping[str, Any]) -> bool:
    """Whether it is a service account in any spelling: its kind, the user that it acts as, a group that it is in."""
    name = str(subject.get("name"))
    return subject.get("kind") == "ServiceAccount" or name.startswith(_ACCOUNTS) or name == _EVERY_ACCOUNT


_POD = frozenset({"Pod"})
_RULES = (
    AdmissionRule(
        "harden-pod-isolation", "pods that reach their node", _POD, _POD_RULES,
        (
            (
                "variables.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged)\n"
                "|| c.securityContext.privileged == false)",
                _PRIVILEGED,
            ),
            (
                "(!has(object.spec.hostPID) || object.spec.hostPID == false)\n"
                "&& (!has(object.spec.hostIPC) || object.spec.hostIPC == false)\n"
                "&& (!has(object.spec.hostNetwork) || object.spec.hostNetwork == false)",
                _HOST,
            ),
            ("!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))", _HOST_PATH),
        ),
        _isolation, (_CONTAINERS,),
    ),
    AdmissionRule(
        "harden-pod-nonroot", "pods that run as root", _POD, _POD_RULES,
        (
            (
                "variables.windows || variables.containers.all(c,\n"
                "has(c.securityContext) && has(c.securityContext.runAsNonRoot)\n"
                "? c.securityContext.runAsNonRoot == true : variables.podNonRoot)",
                _ROOT,
            ),
            (
                "(!has(object.spec.securityContext) || !has(object.spec.securityContext.runAsUser)\n"
                "|| object.spec.securityContext.runAsUser != 0)\n"
                "&& variables.containers.all(c, !has(c.securityContext) || !has(c.securityContext.runAsUser)\n"
                "|| c.securityContext.runAsUser != 0)",
                _USER_0,
            ),
        ),
        _nonroot,
        (
            _CONTAINERS,
            (
                "podNonRoot",
                "has(object.spec.securityContext) && has(object.spec.securityContext.runAsNonRoot)\n"
                "&& object.spec.securityContext.runAsNonRoot == true",
            ),
            ("windows", "has(object.spec.os) && object.spec.os.name == 'windows'"),
        ),
    ),
    AdmissionRule(
        "harden-rbac-guardrails", "grants of everything, and to everybody",
        frozenset({"ClusterRoleBinding", "RoleBinding"}), (_BINDINGS,),
        (
            (
                "!has(object.subjects) || object.subjects.all(s,\n"
                "s.name != 'system:anonymous' && s.name != 'system:unauthenticated')\n"
                f"|| (object.roleRef.kind == 'ClusterRole' && object.roleRef.name == '{PUBLIC_ROLE}')",
                _ANONYMOUS,
            ),
            (
                "request.resource.resource != 'clusterrolebindings' || object.roleRef.name != 'cluster-admin'\n"
                "|| !has(object.subjects) || object.subjects.all(s, s.kind != 'ServiceAccount'\n"
                f"&& !s.name.startsWith('{_ACCOUNTS}') && s.name != '{_EVERY_ACCOUNT}')",
                _ADMIN,
            ),
        ),
        _guardrails,
        conditions=(("not-made-by-the-api-server", f"request.userInfo.username != '{API_SERVER}'"),),
    ),
    AdmissionRule(
        "harden-image-digest", "images that can change under their tag", _POD, _IMAGE_RULES,
        (
            (
                "variables.containers.all(c, has(c.image) && (c.image.contains('@sha256:')\n"
                "|| variables.oldContainers.exists(o, o.name == c.name && has(o.image) && o.image == c.image)))",
                _DIGEST,
            ),
            (
                # An API server that does not know this field yet would warn of it without ``dyn``.
                "!(oldObject == null) || !has(object.spec.volumes) || dyn(object.spec.volumes).all(v, !has(v.image)\n"
                "|| (has(v.image.reference) && v.image.reference.contains('@sha256:')))",
                _IMAGE_VOLUME,
            ),
        ),
        _digest, (_CONTAINERS, _OLD_CONTAINERS),
    ),
    AdmissionRule(
        "harden-service-exposure", "Services that open ports to the outside", frozenset({"Service"}),
        ({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["services"]},),
        (
            (
                "(!has(object.spec.type) || !(object.spec.type in ['LoadBalancer', 'NodePort']))\n"
                "&& (!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0)",
                _EXPOSED,
            ),
        ),
        _exposure,
    ),
    AdmissionRule(
        "harden-sa-token-secret", "tokens that never expire", frozenset({"Secret"}),
        ({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]},),
        (("!has(object.type) || object.type != 'kubernetes.io/service-account-token'", _TOKEN),),
        _token,
    ),
)  # fmt: skip
RULES: dict[str, AdmissionRule] = {rule.name: rule for rule in _RULES}
"""The rules by name, in the order in which they are written."""
