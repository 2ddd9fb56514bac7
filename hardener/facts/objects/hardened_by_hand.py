"""Hardened values that a person wrote beside a weak one: who hardened a part of a security context meant the rest.

What harden writes as `safe` says nothing of a person, seccomp RuntimeDefault first of all: a run that is kept to `safe`
and then a plain one have to end where a plain run ends. What this run has written says nothing either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import signs
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.kubernetes.images.config import NOBODY_ELSE
from hardener.kubernetes.pods.capabilities import plain
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

_CONTEXT = "securityContext"


def hardened_beside(container: Container) -> Iterator[Evidence]:
    """Values that a person hardened in the security context of ``container``, then in that of its pod."""
    yield from signs(container, _hardened)


def hardened_beside_root(container: Container) -> Iterator[Evidence]:
    """The same where nothing but root is weak there. A run that leaves root for want of a number writes
    ``allowPrivilegeEscalation: false`` all the same, and a read-only root where somebody tells of all places that are
    written, so these say nothing of a person then."""
    leaves_root = known_image(container).number is None and known_image(container).any_number is None
    yield from signs(container, _hardened_beside_guess if leaves_root else _hardened)


def _hardened(container: Container) -> Iterator[Evidence]:
    yield from _seen(container, (_user, _claim, _profile, _escalation, _capabilities, _root_filesystem))


def _hardened_beside_guess(container: Container) -> Iterator[Evidence]:
    yield from _seen(container, (_user, _claim, _profile, _capabilities))
    if not known_image(container).tells_all_places:
        yield from _seen(container, (_root_filesystem,))


def _seen(container: Container, looks: Iterable[Callable[[Container], Iterator[Evidence]]]) -> Iterator[Evidence]:
    """What ``looks`` see; what of a program is filled in later says nothing."""
    for look in looks:
        try:
            yield from look(container)
        except (OpaqueError, WrongShapeError):
            continue


def _user(container: Container) -> Iterator[Evidence]:
    number = container.tree.ask(WrittenContexts).number(container)
    if type(number) is int and number > 0 and number != NOBODY_ELSE and not _is_own(container, number):
        yield _beside(_holder(container, "runAsUser"), f"runAsUser: {number}", "runAsUser")


def _claim(container: Container) -> Iterator[Evidence]:
    written = container.tree.ask(WrittenContexts)
    if written.claims(container) and not written.number(container) and not _has_number(container):
        yield _beside(_holder(container, "runAsNonRoot"), "runAsNonRoot: true", "runAsNonRoot")


def _holder(container: Container, key: str) -> Container | PodTemplate:
    return container if container.has(_CONTEXT, key) else container.pod


def _profile(container: Container) -> Iterator[Evidence]:
    for view in (container, container.pod):
        if view.get(_CONTEXT, "seccompProfile", "type") == "Localhost":
            yield _beside(view, "a seccomp profile of its own", "seccompProfile", "type")


def _escalation(container: Container) -> Iterator[Evidence]:
    if container.get(_CONTEXT, "allowPrivilegeEscalation") is False and _may_be_root(container):
        if _is_as_read(container, "no-privilege-escalation", "allowPrivilegeEscalation"):
            yield _beside(container, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation")


def _capabilities(container: Container) -> Iterator[Evidence]:
    # NET_RAW alone is what the profile baseline drops.
    dropped = {plain(name) for name in container.strings(_CONTEXT, "capabilities", "drop")} - {"NET_RAW"}
    if dropped and _is_as_read(container, "drop-capabilities", "capabilities", "drop"):
        if "ALL" not in dropped or _may_be_root(container):
            yield _beside(container, f"drop of {', '.join(sorted(dropped))}", "capabilities", "drop")


def _root_filesystem(container: Container) -> Iterator[Evidence]:
    if container.get(_CONTEXT, "readOnlyRootFilesystem") is not True:
        return
    read_only = known_image(container).read_only
    tried = read_only is not None and read_only.value and read_only.sure
    is_known = tried or known_image(container).files is not None or known_image(container).tells_all_places
    if not is_known and _is_as_read(container, "read-only-root-filesystem", "readOnlyRootFilesystem"):
        yield _beside(container, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem")


def _beside(view: Container | PodTemplate, what: str, *path: str) -> Evidence:
    where = f"container {view.name}" if isinstance(view, Container) else "the pod"
    return view.fact(
        f"{what} is set for {where}, so the weak settings beside it are taken as intended", _CONTEXT, *path
    )


def _is_own(container: Container, number: int) -> bool:
    """Whether it is the number of the image's own user, which is written as `safe`."""
    return known_image(container).uid == number and known_image(container).is_sure_of_number


def _has_number(container: Container) -> bool:
    """Whether its image is known to run as a number, so that runAsNonRoot is written as `safe`."""
    return known_image(container).is_sure_of_user and known_image(container).kind_of_user == "number"


def _is_as_read(container: Container, id: str, *path: str) -> bool:
    """Whether a person wrote what stands at ``path``, and not the transform ``id`` of this run."""
    return id not in container.changed_by and container.tree.ask(WrittenContexts).is_as_read(container, *path)


def _may_be_root(container: Container) -> bool:
    """Whether it may run as root by what a person wrote and is known: then what is held from root is no `safe` change.

    A number that a run chooses is none of a person, and one that is known for sure makes what goes with it `safe`: else
    a second run would say something else.
    """
    written, known = container.tree.ask(WrittenContexts), known_image(container)
    number = written.number(container)
    if number == 0:
        return True
    if number is None and written.claims(container):
        return False
    if number is not None and number != NOBODY_ELSE and (number != known.uid or known.is_sure_of_number):
        return False
    return known.user_name in (None, "root") and not known.is_sure_of_number
