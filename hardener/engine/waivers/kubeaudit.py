"""The marks of kubeaudit: labels, in every spelling that one of its releases read.

Source: Shopify/kubeaudit, pkg/override/override.go (the prefix kubeaudit.io came in 0.22), and cmd/ of the releases
before it. Annotations are none, and of an object that makes pods only the labels of these are (GetLabels in
pkg/k8s/helpers.go). The first releases counted a label by its reason, so that an empty one was none; the later ones
count one that is there. A capability and a mount are named one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.engine.waivers.annotations import Holder
from hardener.engine.waivers.waiver import Scope, containers_called, containers_of
from hardener.kubernetes.pods.capabilities import plain
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate

_SPELLINGS = tuple(
    re.compile(pattern)
    for pattern in (
        r"container\.kubeaudit\.io/(?P<container>[^./]+)\.(?P<what>allow-.+)",
        r"container\.audit\.kubernetes\.io/(?P<container>[^./]+)[./](?P<what>allow-.+)",
        r"kubeaudit\.io/(?P<what>allow-.+)",
        r"audit\.kubernetes\.io/(?P<of>[^./]+)[./](?P<what>allow-.+)",
    )
)
_BY_REASON = (re.compile(r"audit\.kubernetes\.io/(?P<what>allow-.+)"), re.compile(r"kubeaudit\.allow\.(?P<first>.+)"))
_FIRST = {
    "privilegeEscalation": "allow-privilege-escalation",
    "privileged": "allow-privileged",
    "runAsRoot": "allow-run-as-root",
    "automountServiceAccountToken": "allow-automount-service-account-token",
    "autmountServiceAccountToken": "allow-automount-service-account-token",  # as its documentation spelled it
    "readOnlyRootFilesystemFalse": "allow-read-only-root-filesystem-false",
}
_CAPABILITY, _MOUNT = "allow-capability-", "allow-host-path-mount-"
_APPARMOR = "allow-disabled-apparmor"
_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_ADDED = ("securityContext", "capabilities", "add")


class Override(Struct, frozen=True):
    """What a label allows, in lower case ("allow-privileged"), in one container or, with None, in all of the pod."""

    what: str
    container: str | None
    reason: str


def read(item: Object, name: str, value: str) -> Override | None:
    """The override that the label ``name`` of ``item`` is; None for any other label."""
    reason = name if value.lower() in ("", "true") else value
    for spelling in _SPELLINGS:
        found = spelling.fullmatch(name)
        if found:
            groups = found.groupdict()
            # Of a namespace it once was the name of the namespace that stood there.
            if groups.get("of") not in (None, "pod", "namespace", *([item.name] if item.kind == "Namespace" else [])):
                return None
            return Override(groups["what"].lower(), groups.get("container"), reason)
    for spelling in _BY_REASON:
        found = spelling.fullmatch(name)
        if found and value:
            what = found.groupdict().get("what") or _today(found["first"])
            return Override(what.lower(), None, reason) if what else None
    return None


def _today(first: str) -> str | None:
    kind, dot, capability = first.partition(".")
    return f"{_CAPABILITY}{capability.replace('_', '-')}" if dot and kind == "capability" else _FIRST.get(first)


def scopes(override: Override, item: Object, holder: Holder) -> list[Scope]:
    """What ``override`` speaks of: a container, a pod or an object; of a capability that is added, and of a mount, that
    one alone."""
    if holder.pods and override.what.startswith(_MOUNT):
        return list(_of_mount(override, holder))
    if holder.pods and override.what.startswith(_CAPABILITY):
        return list(_of_capability(override, item, holder))
    if override.container is not None:
        return [*containers_called(holder.pods, override.container), *_of_apparmor(override, holder)]
    return [holder.scope]


def _of_apparmor(override: Override, holder: Holder) -> Iterator[Scope]:
    """The annotation by which older versions name the profile of a container."""
    if override.what == _APPARMOR and override.container is not None:
        for pod in holder.pods:
            path = (*pod.metadata.path, "annotations", f"{_APPARMOR_ANNOTATION}{override.container}")
            yield pod.object.piece, path


def _of_mount(override: Override, holder: Holder) -> Iterator[Scope]:
    name = override.what.removeprefix(_MOUNT)
    for pod in holder.pods:
        try:
            found = [*_named(pod, "volumes", name)] if _containers(pod, override) else []
            for container in _containers(pod, override) if found else ():
                found += _named(container, "volumeMounts", name)
        except (OpaqueError, WrongShapeError):
            found = [pod.path]
        yield from ((pod.object.piece, path) for path in found)


def _named(view: PodTemplate | Container, key: str, name: str) -> Iterator[Path]:
    for item in view.items(key):
        if (item.text("name") or "").lower() == name:
            yield item.path


def _of_capability(override: Override, item: Object, holder: Holder) -> Iterator[Scope]:
    name = _capability(override)
    for pod in holder.pods:
        for container in _containers(pod, override):
            try:
                added = [plain(each) for each in container.strings(*_ADDED)]
            except (OpaqueError, WrongShapeError):
                added = []
            # One that is not added is kept from being dropped, and so all are; where all that are added are allowed,
            # kubeaudit asks for no drop either.
            if name not in added or name == "ALL" or set(added) <= _allowed(item, holder, container):
                yield pod.object.piece, container.path
                continue
            place = (*container.path, *_ADDED)
            yield from ((pod.object.piece, (*place, index)) for index, each in enumerate(added) if each == name)


def _allowed(item: Object, holder: Holder, container: Container) -> set[str]:
    """The capabilities that the labels of ``holder`` allow ``container``."""
    found = (read(item, name, value) for name, value in holder.mapping("labels").items())
    return {
        _capability(each)
        for each in found
        if each is not None and each.what.startswith(_CAPABILITY) and each.container in (None, container.name)
    }


def _capability(override: Override) -> str:
    return plain(override.what.removeprefix(_CAPABILITY).replace("-", "_"))


def _containers(pod: PodTemplate, override: Override) -> list[Container]:
    return [each for each in containers_of(pod) if override.container in (None, each.name)]
