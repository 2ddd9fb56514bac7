from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.kustomize.overlays.patch import Patch
from hardener.facts.kustomize.overlays.patched import PatchedPod
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.kustomize.overlays.variants import patch_of
from hardener.facts.objects.pod_security_levels import beyond
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View

_ON_NODE = ("hostNetwork", "hostPID", "hostIPC")
_HARD = frozenset({"privileged", *_ON_NODE, "hostPathVolumes"})  # what hands over the node
_LIMITS = ("cpu", "memory")
_OPEN_PROFILES = (None, "Unconfined")
# Checks of the Pod Security Standards whose fields are not compared one by one below.
_OTHER_CHECKS = frozenset(
    {"appArmorProfile", "hostPathVolumes", "hostPorts", "hostProbesAndHostLifecycle", "procMount", "seLinuxOptions"}
    | {"procMount_restricted", "restrictedVolumes", "sysctls", "windowsHostProcess"}
)


class _Weakness(Struct, frozen=True):
    """What a patched pod or container has that it has not as it is written, in words; ``path`` is where, ``about`` the
    container."""

    view: View
    path: Path
    field: str
    text: str
    about: str = ""

    @property
    def patch(self) -> Patch:
        return patch_of(self.view, *self.path)


@transform(
    each=PatchedPod, stage="labels", severity=Severity.HIGH, pss="restricted",
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"), only_reports=True,
)  # fmt: skip
def weakened_by_overlay(pod: PodTemplate) -> Steps:
    """Remove patches that undo hardening.

    Problem: the kustomization undoes the hardening of its base.

    Result: The kustomization keeps the hardening of its base.

    Why: the cluster runs what the overlay builds; a patch that sets `privileged: true` or removes a security context
    undoes the base without a warning. So does one that binds `cluster-admin`, deletes a NetworkPolicy or opens a
    Service. harden checks objects of all kinds as kustomize builds them.

    May break: nothing, since it only reports: patches are checked and not edited.
    """
    found: dict[Patch, dict[tuple[str, str], _Weakness]] = {}
    for state in patched(pod):
        for weakness in _weaknesses(pod, state):
            patch = weakness.patch
            if pod.object.editable or patch.editable:
                found.setdefault(patch, {}).setdefault((weakness.about, weakness.text), weakness)
    for patch, several in found.items():
        first, fields = next(iter(several.values())), {each.field for each in several.values()}
        severity = Severity.HIGH if fields & _HARD else Severity.LOW if fields <= {*_LIMITS} else Severity.MEDIUM
        texts = _in_words(several)
        text = f"patch {patch} weakens {pod.object}: {texts}"
        advice = "remove it from the patch, or write there why it is needed"
        yield first.view.finding(
            text, *first.path, severity=severity, advice=advice, once=f"{patch.piece.file.path} {patch.start} {texts}"
        )


def _in_words(several: Iterable[tuple[str, str]]) -> str:
    found: dict[str, list[str]] = {}
    for about, text in several:
        found.setdefault(about, []).append(text)
    parts = (f"container {about}: {', '.join(texts)}" if about else ", ".join(texts) for about, texts in found.items())
    return "; ".join(parts)


def _weaknesses(pod: PodTemplate, state: PodTemplate) -> Iterator[_Weakness]:
    try:
        yield from _of_pod(pod, state)
        for container in state.containers:
            own = pod.counterpart(container)
            if own is None:
                yield from _of_new(container)
            else:
                yield from _of_container(own, container)
    except (OpaqueError, WrongShapeError):
        return  # what it is, nobody can say


def _of_pod(pod: PodTemplate, state: PodTemplate) -> Iterator[_Weakness]:
    for key in _ON_NODE:
        if state.get(key) is True and pod.get(key) is not True:
            yield _Weakness(state, (key,), key, f"{key}: true")
    key = "automountServiceAccountToken"
    if pod.get(key) is False and state.get(key) is not False:
        yield _Weakness(state, (key,), key, f"{key}: true" if state.has(key) else f"no {key}: false")
    for broken in beyond(state, pod):
        if broken.check in _OTHER_CHECKS:
            path = broken.paths[0] if broken.paths and broken.paths[0][:1] != ("metadata",) else ()
            yield _Weakness(state, path, broken.check, broken.message)


def _of_container(own: Container, container: Container) -> Iterator[_Weakness]:
    if container.privileged and not own.privileged:
        yield _weakness(own, container, "privileged", "privileged: true")
    if _is_root(container) and not _is_root(own):
        yield _weakness(own, container, "runAsUser", "runAsUser: 0")
    for key, strict in (("allowPrivilegeEscalation", False), ("readOnlyRootFilesystem", True)):
        value = container.get("securityContext", key)
        if own.get("securityContext", key) is strict and value is not strict:
            yield _weakness(own, container, key, _said(key, value, strict))
    if own.effective("runAsNonRoot") is True and container.effective("runAsNonRoot") is not True:
        text = _said("runAsNonRoot", container.effective("runAsNonRoot"), True)
        yield _weakness(own, container, "runAsNonRoot", text)
    yield from _of_capabilities(own, container)
    yield from _of_seccomp(own, container)
    for resource in _LIMITS:
        if own.has("resources", "limits", resource) and not container.has("resources", "limits", resource):
            path = ("resources", "limits", resource)
            yield _Weakness(container, path, resource, f"no {resource} limit", container.name)


def _of_seccomp(own: Container, container: Container) -> Iterator[_Weakness]:
    before, now = _seccomp(own), _seccomp(container)
    if before not in _OPEN_PROFILES and now in _OPEN_PROFILES:
        text = f"seccompProfile: {now}" if now else f"no seccompProfile: {before}"
        yield _weakness(own, container, "seccompProfile", text)


def _of_capabilities(own: Container, container: Container) -> Iterator[_Weakness]:
    path = ("securityContext", "capabilities")
    added = [name for name in container.strings(*path, "add") if name not in own.strings(*path, "add")]
    if added:
        yield _Weakness(container, (*path, "add"), "capabilities", f"it adds {', '.join(added)}", container.name)
    if "ALL" in own.strings(*path, "drop") and "ALL" not in container.strings(*path, "drop"):
        yield _Weakness(container, (*path, "drop"), "capabilities", "it does not drop ALL", container.name)


def _of_new(container: Container) -> Iterator[_Weakness]:
    """A container that the base does not have: what it should not have, and lacks."""
    if container.privileged:
        yield _weakness(container, container, "privileged", "privileged: true")
    if container.get("securityContext", "runAsUser") == 0:
        yield _weakness(container, container, "runAsUser", "runAsUser: 0")
    lacking = [
        name
        for name, is_there in (
            ("allowPrivilegeEscalation: false", container.get("securityContext", "allowPrivilegeEscalation") is False),
            ("drop ALL", "ALL" in container.strings("securityContext", "capabilities", "drop")),
        )
        if not is_there
    ]
    if lacking:
        yield _Weakness(container, (), "added", f"it is added without {' and '.join(lacking)}", container.name)


def _is_root(container: Container) -> bool:
    return bool(container.effective("runAsUser") == 0)


def _seccomp(container: Container) -> str | None:
    return container.text("securityContext", "seccompProfile", "type") or container.pod.text(
        "securityContext", "seccompProfile", "type"
    )


def _weakness(own: Container, container: Container, key: str, text: str) -> _Weakness:
    path = ("securityContext", key)
    if not container.has(*path) and not own.has(*path):  # it was of the whole pod, and is said once
        return _Weakness(container.pod, path, key, text)
    return _Weakness(container, path, key, text, container.name)


def _said(key: str, value: object, strict: bool) -> str:
    strictly, loosely = str(strict).lower(), str(not strict).lower()
    return f"no {key}: {strictly}" if value is None else f"{key}: {loosely}"
