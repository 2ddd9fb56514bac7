"""Hardened values that a person wrote beside a weak one: who hardened a part of a security context meant the rest.

What harden writes as `safe` says nothing of a person, seccomp RuntimeDefault first of all: a run that is kept to `safe`
and then a plain one have to end where a plain run ends. What this run has written says nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.capabilities import plain
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

_CONTEXT = "securityContext"
_INVENTED = 65532  # what run-as-user writes where no number is known


def hardened_beside(container: Container) -> Iterator[Evidence]:
    """Values that a person hardened in the security context of ``container``, then in that of its pod."""
    yield from signs(container, _hardened)


def _hardened(container: Container) -> Iterator[Evidence]:
    """What of a program is filled in later says nothing."""
    for look in (_user, _claim, _profile, _escalation, _capabilities, _root_filesystem):
        try:
            yield from look(container)
        except (OpaqueError, WrongShapeError):
            continue


def _user(container: Container) -> Iterator[Evidence]:
    chosen = {_INVENTED, container.facts.uid} if "run-as-user" in container.pod.changed_by else set()
    for view in (container, container.pod):
        number = view.get(_CONTEXT, "runAsUser")
        if type(number) is int and number > 0 and number not in chosen and not _is_own(container, number):
            yield _beside(view, f"runAsUser: {number}", "runAsUser")


def _claim(container: Container) -> Iterator[Evidence]:
    if "run-as-non-root" in container.pod.changed_by or _has_number(container) or container.effective("runAsUser"):
        return
    for view in (container, container.pod):
        if view.get(_CONTEXT, "runAsNonRoot") is True:
            yield _beside(view, "runAsNonRoot: true", "runAsNonRoot")


def _profile(container: Container) -> Iterator[Evidence]:
    for view in (container, container.pod):
        if view.get(_CONTEXT, "seccompProfile", "type") == "Localhost":
            yield _beside(view, "a seccomp profile of its own", "seccompProfile", "type")


def _escalation(container: Container) -> Iterator[Evidence]:
    if container.get(_CONTEXT, "allowPrivilegeEscalation") is False and _may_be_root(container):
        if "no-privilege-escalation" not in container.changed_by:
            yield _beside(container, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation")


def _capabilities(container: Container) -> Iterator[Evidence]:
    # NET_RAW alone is what the profile baseline drops.
    dropped = {plain(name) for name in container.strings(_CONTEXT, "capabilities", "drop")} - {"NET_RAW"}
    if dropped and "drop-capabilities" not in container.changed_by:
        if "ALL" not in dropped or _may_be_root(container):
            yield _beside(container, f"drop of {', '.join(sorted(dropped))}", "capabilities", "drop")


def _root_filesystem(container: Container) -> Iterator[Evidence]:
    if container.get(_CONTEXT, "readOnlyRootFilesystem") is not True:
        return
    row = container.row
    known = container.facts.files is not None or (row is not None and row.rofs == "ok" and row.verified is not None)
    if not known and "read-only-root-filesystem" not in container.changed_by:
        yield _beside(container, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem")


def _beside(view: Container | PodTemplate, what: str, *path: str) -> Evidence:
    where = f"container {view.name}" if isinstance(view, Container) else "the pod"
    return view.fact(f"{what} is written for {where}, so what is left weak there is meant", _CONTEXT, *path)


def _is_own(container: Container, number: int) -> bool:
    """Whether it is the number of the image's own user, which is written as `safe`."""
    row = container.row
    return container.facts.uid == number and (container.facts.sure or (row is not None and row.verified is not None))


def _has_number(container: Container) -> bool:
    """Whether its image is known to run as a number, so that runAsNonRoot is written as `safe`."""
    return container.facts.sure and str(container.facts.user).isdecimal()


def _may_be_root(container: Container) -> bool:
    """Whether it may run as root by what was written and is known: then what is held from root is no `safe` change.

    What this run has written of its user is left out, as everywhere.
    """
    changed = container.pod.changed_by
    number = container.effective("runAsUser") if "run-as-user" not in changed else None
    if number is not None:
        return bool(number == 0)
    claimed = container.effective("runAsNonRoot") is True and "run-as-non-root" not in changed
    return not claimed and container.facts.user in (None, "root")
