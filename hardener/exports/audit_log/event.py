"""One entry of a log as the request that it records: events of audit.k8s.io, CloudWatch around them, entries of GKE.

Sources: k8s.io/apiserver pkg/apis/audit/v1/types.go; Cloud Audit Logs, AuditLog of google.cloud.audit, as GKE fills it.
Bodies of requests and responses are skipped by the decoder: no value of an object ever reaches this program. Of a
binding the role that it names is read, where the log holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from hardener.errors import HardenError
from hardener.kubernetes.rbac.subjects import GROUP
from hardener.kubernetes.rbac.unlogged_rights import BIND, BINDINGS

_STAGES = ("ResponseComplete", "ResponseStarted")
_ACCOUNT = "system:serviceaccount:"
_VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d+)?")
_REFUSED = (401, 403)
_BINDING = ("create", "update", "patch")
# Groups that come with a name of their own accord, and are not asked for.
_IMPLIED = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts")


class Request(Struct, frozen=True):
    """A request of ``user`` that was allowed, or may have been: ``allowed`` False keeps its time only.

    ``resource`` has the subresource ("pods/exec"); a request of a path has a ``url`` and no resource. ``namespace`` is
    None for what lies in none. ``besides``: a right that another request of the same event needs too.
    """

    user: str
    time: str | None
    allowed: bool
    verb: str = ""
    group: str = ""
    resource: str = ""
    namespace: str | None = None
    name: str | None = None
    url: str | None = None
    besides: bool = False


class _User(msgspec.Struct):
    username: str = ""
    groups: list[str] | None = None


class _Reference(msgspec.Struct):
    # Some programs that pass logs on write null for what is empty.
    resource: str | None = None
    subresource: str | None = None
    namespace: str | None = None
    name: str | None = None
    apiGroup: str | None = None


class _RoleReference(msgspec.Struct):
    kind: str = ""
    name: str = ""


class _Body(msgspec.Struct):
    roleRef: _RoleReference | None = None


class _Status(msgspec.Struct):
    code: int | None = None


class _Annotations(msgspec.Struct):
    decision: str | None = msgspec.field(name="authorization.k8s.io/decision", default=None)


class _Identity(msgspec.Struct):
    principalEmail: str = ""


class _Authorization(msgspec.Struct):
    granted: bool | None = None


_ABSENT = msgspec.Raw(b"null")


class _Payload(msgspec.Struct):
    methodName: str = ""
    resourceName: str = ""
    authenticationInfo: _Identity | None = None
    authorizationInfo: list[_Authorization] | None = None
    status: _Status | None = None
    request: msgspec.Raw = _ABSENT
    response: msgspec.Raw = _ABSENT


class _Entry(msgspec.Struct):
    kind: str | None = None
    stage: str | None = None
    verb: str = ""
    user: msgspec.Raw = _ABSENT  # a text in the logs of other programs
    impersonatedUser: _User | None = None
    objectRef: _Reference | None = None
    responseStatus: _Status | None = None
    annotations: msgspec.Raw = _ABSENT
    requestURI: str = ""
    requestObject: msgspec.Raw = _ABSENT
    responseObject: msgspec.Raw = _ABSENT
    stageTimestamp: str | None = None
    requestReceivedTimestamp: str | None = None
    timestamp: str | int | float | None = None
    message: msgspec.Raw = _ABSENT
    insight: msgspec.Raw = msgspec.field(name="@message", default=_ABSENT)
    protoPayload: _Payload | None = None
    items: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None
    logEvents: list[msgspec.Raw] | None = None


_ENTRY = msgspec.json.Decoder(_Entry)
_TEXT = msgspec.json.Decoder(str)
_USER = msgspec.json.Decoder(_User)
_BODY = msgspec.json.Decoder(_Body)
_ANNOTATIONS = msgspec.json.Decoder(_Annotations)
_DEEPEST = 3  # a container, a message, an event


class NotAnEventError(HardenError):
    """JSON that records no request, such as a line of another log."""


def requests(raw: bytes | msgspec.Raw, depth: int = 0) -> Iterator[Request]:
    """The requests that an entry records; none for the first stage of one.

    Raises msgspec.DecodeError (and ValidationError) for what is no JSON or no such entry, NotAnEventError for other
    JSON.
    """
    entry = _ENTRY.decode(raw)
    inner = entry.items or entry.events or entry.logEvents
    if inner is not None and depth < _DEEPEST:
        for item in inner:
            yield from requests(item, depth + 1)
    elif entry.protoPayload is not None:
        yield from _of_payload(entry.protoPayload, entry.timestamp)
    elif entry.stage is not None and entry.user is not _ABSENT:
        yield from _of_event(entry)
    elif (message := _message(entry)) is not None and depth < _DEEPEST:
        yield from requests(_unwrapped(message), depth + 1)
    elif entry.items is None and entry.events is None and entry.logEvents is None:
        raise NotAnEventError


def _message(entry: _Entry) -> bytes | None:
    found = entry.message if entry.message is not _ABSENT else entry.insight
    return None if found is _ABSENT else bytes(found)


def _unwrapped(message: bytes) -> bytes:
    """The object that a CloudWatch message holds, as a text or as it is."""
    if not message.startswith(b'"'):
        return message
    text = _TEXT.decode(message).strip()
    if not text.startswith("{"):
        raise NotAnEventError
    return text.encode()


def _is_refused(entry: _Entry, code: int | None) -> bool:
    """Whether a request was not allowed, or nothing says that it was. A 404 or 409 is the answer to one that was."""
    decision = _ANNOTATIONS.decode(entry.annotations).decision if entry.annotations is not _ABSENT else None
    if code in _REFUSED or decision == "forbid":
        return True
    return decision is None and (code or 0) >= 400


def _of_event(entry: _Entry) -> Iterator[Request]:
    user = _USER.decode(entry.user)
    time = entry.stageTimestamp or entry.requestReceivedTimestamp
    code = entry.responseStatus.code if entry.responseStatus else None
    allowed = entry.stage in _STAGES and not _is_refused(entry, code)
    acting = user.username
    if (other := entry.impersonatedUser) is not None:
        acting = other.username
        if allowed:
            yield from _impersonated(user.username, other, time)
    if entry.objectRef is not None and entry.objectRef.resource:
        yield from _of_object(entry, _written_out(entry.objectRef), acting, time, allowed, code)
        return
    url = entry.requestURI.partition("?")[0]
    yield Request(acting, time, allowed and bool(url), entry.verb, url=url)


class _Target(Struct, frozen=True):
    """What a request is about; a text that is empty is not there."""

    resource: str
    sub: str
    namespace: str
    name: str
    group: str


def _written_out(reference: _Reference) -> _Target:
    fields = (reference.resource, reference.subresource, reference.namespace, reference.name, reference.apiGroup)
    return _Target(*(text or "" for text in fields))


def _of_object(
    entry: _Entry, target: _Target, user: str, time: str | None, allowed: bool, code: int | None
) -> Iterator[Request]:
    """The rights that ``user`` needed for the request of ``entry`` about ``target``."""
    for index, verb in enumerate(_verbs(entry.verb, code)):
        yield _request(
            user, time, allowed, verb, target.group, target.resource, target.sub, target.namespace, target.name,
            besides=index > 0,
        )  # fmt: skip
    if _binds(target.group, target.resource, target.sub, entry.verb):
        role = _role(entry.requestObject) or _role(entry.responseObject)
        yield _bound(user, time, allowed, target.resource, target.namespace, role)


def _binds(group: str, resource: str, sub: str, verb: str) -> bool:
    """Whether a request writes a binding itself, and no part of one."""
    return group == GROUP and not sub and resource in BINDINGS and verb in _BINDING


def _bound(
    user: str, time: str | None, allowed: bool, resource: str, namespace: str, role: _RoleReference | None
) -> Request:
    """What ``user`` needs to write a binding: to bind its role, or where no body names one, something unknown."""
    if role is None:
        return _request(user, time, allowed, BIND, GROUP, resource, "", namespace, "", besides=True)
    kind = "clusterroles" if role.kind == "ClusterRole" else "roles"
    return _request(user, time, allowed, BIND, GROUP, kind, "", namespace, role.name, besides=True)


def _role(body: msgspec.Raw) -> _RoleReference | None:
    try:
        role = _BODY.decode(body).roleRef if body is not _ABSENT else None
    except msgspec.DecodeError:  # of a patch in form of a list
        return None
    return role if role is not None and role.name else None


def _verbs(verb: str, code: int | None) -> tuple[str, ...]:
    # Whoever creates by update or patch (server-side apply) needs both rights: apiserver endpoints/handlers.
    return (verb, "create") if code == 201 and verb in ("update", "patch") else (verb,)


def _request(
    user: str,
    time: str | None,
    allowed: bool,
    verb: str,
    group: str,
    resource: str,
    sub: str,
    namespace: str,
    name: str,
    *,
    besides: bool = False,
) -> Request:
    # A namespace itself lies in none, whatever the reference says. Of what is created the authorizer sees no name.
    own = resource == "namespaces"
    return Request(
        user,
        time,
        allowed,
        verb,
        group,
        f"{resource}/{sub}" if sub else resource,
        None if own or not namespace else namespace,
        None if verb == "create" else (name or None),
        besides=besides,
    )


def _impersonated(user: str, other: _User, time: str | None) -> Iterator[Request]:
    """What ``user`` needs to act as ``other``."""
    name = other.username
    if name.startswith(_ACCOUNT):
        space, _, account = name.removeprefix(_ACCOUNT).partition(":")
        yield Request(user, time, True, "impersonate", "", "serviceaccounts", space, account)
    else:
        yield Request(user, time, True, "impersonate", "", "users", None, name)
    for group in other.groups or []:
        if not group.startswith(_IMPLIED):
            yield Request(user, time, True, "impersonate", "", "groups", None, group, besides=True)


def _is_allowed(payload: _Payload) -> bool:
    code = payload.status.code if payload.status else None
    return not code and all(item.granted is not False for item in payload.authorizationInfo or [])


def _of_payload(payload: _Payload, timestamp: str | int | float | None) -> Iterator[Request]:
    """The request of an entry of Cloud Audit Logs; those of other services of Google are not ours."""
    user = payload.authenticationInfo.principalEmail if payload.authenticationInfo else ""
    time = timestamp if isinstance(timestamp, str) else None
    resource, sub, verb = _method(payload.methodName)
    group, namespace, name = _place(payload.resourceName, resource)
    allowed = _is_allowed(payload)
    yield _request(user, time, allowed, verb, group, resource, sub, namespace, name)
    if _binds(group, resource, sub, verb):
        role = _role(payload.request) or _role(payload.response)
        yield _bound(user, time, allowed, resource, namespace, role)


def _method(name: str) -> tuple[str, str, str]:
    """Resource, subresource and verb of a method: io.k8s.core.v1.pods.exec.create. Raises NotAnEventError."""
    words = name.split(".")
    version = max((i for i, word in enumerate(words) if _VERSION.fullmatch(word)), default=len(words))
    said = words[version + 1 :]
    if len(said) not in (2, 3):
        raise NotAnEventError
    return said[0], said[1] if len(said) == 3 else "", said[-1]


def _place(name: str, resource: str) -> tuple[str, str, str]:
    """Group, namespace and name of what a ``resource`` is: core/v1/namespaces/shop/pods/web. Raises NotAnEventError."""
    path = name.split("/")
    if len(path) < 3:
        raise NotAnEventError
    group = "" if path[0] == "core" else path[0]
    is_namespaced = path[2] == "namespaces" and resource != "namespaces" and len(path) > 4
    rest = path[5:] if is_namespaced else path[3:]
    return group, path[3] if is_namespaced else "", rest[0] if rest else ""
