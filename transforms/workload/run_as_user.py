from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, together, verdict
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import patched
from hardener.kubernetes.images.config import NOBODY_ELSE
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View

from ._need import root_evidence
from ._user import Choice, UserOptions, decide, image_user_is_name, may_gain_containers, unknown_user, user_evidence

_USER = ("securityContext", "runAsUser")
_GROUP = ("securityContext", "runAsGroup")
_LOWEST_OWN = 10000


@transform(
    each=PodTemplate, stage="user", pss="restricted", cis="5.2.7", options=UserOptions, classes=("partial",),
    any_image=True,
    peers=(
        "kube-linter:run-as-non-root", "checkov:CKV_K8S_23", "checkov:CKV_K8S_40", "polaris:runAsRootAllowed",
        "kubeaudit:allow-run-as-root", "kubeaudit:allow-not-overridden-non-root-user", "kubescape:C-0013",
    ),
)  # fmt: skip
def run_as_user(pod: PodTemplate, options: UserOptions) -> Steps:
    """Set a numeric runAsUser.

    Problem: {container} runs as root, or as a user that only has a name.

    Result: The container runs as a numeric user that is not root.

    Why: a process that is root in its container needs only one kernel vulnerability to become root on the node, and the
    kubelet cannot tell from a name that the user is not root.

    May break: files of the image or of a volume that only root may read or write are out of reach.
    """
    if pod.tree.ask(Platforms).of(pod.object) == "openshift":
        yield from _without_root(pod)
        return
    exempt = pod.exempt("run-as-user", *_USER)
    choices: list[Choice] = []
    waived: list[Choice] = []
    for choice in decide(pod, explicit=options.explicit):
        opaque = None if choice.verdict.breaks else unknown_user(choice.container)
        if opaque is not None:
            yield opaque
        else:
            (waived if choice.container in exempt else choices).append(choice)
    good = [choice for choice in choices if not choice.verdict.waits]
    guesses = [choice for choice in choices if choice.verdict.waits and not choice.verdict.breaks]
    yield from [*_edits(pod, good, exempt), *_group_of_volumes(pod, good)]
    yield from _apart(pod, guesses, good, exempt)
    yield from _apart(pod, [choice for choice in choices if choice.verdict.breaks], good, exempt)
    for choice in waived:
        yield list(_numbers(choice.container, choice))
    yield from _unsolved(pod, options, good)


def _apart(pod: PodTemplate, held: list[Choice], good: list[Choice], exempt: list[Container]) -> Iterator[list[Edit]]:
    """Steps for ``held``, choices of one grade that are not made with the ``good`` ones.

    What inherits number 0 from the pod is decided together, and so is a pod of which all is held back alike.
    """
    inheriting = [choice for choice in held if not choice.container.has(*_USER)] if pod.get(*_USER) == 0 else []
    alike = held if len(held) == len(pod.containers) and _is_uniform(held) else inheriting
    if alike:
        yield [*_edits(pod, alike, exempt, settled=good), *_group_of_volumes(pod, alike, good)]
    apart = [choice for choice in held if choice not in alike]
    for choice in apart:
        steps = [*_numbers(choice.container, choice), *_group_of_volumes(pod, [choice], good)]
        if choice is apart[-1] and not _left_out(pod, [*held, *good]) and _is_moot(pod, [*held, *good]):
            steps.append(_forget(pod, choice.verdict))
        yield steps


def _edits(
    pod: PodTemplate, choices: list[Choice], exempt: list[Container], settled: Sequence[Choice] = ()
) -> Iterator[Edit]:
    """Numbers where the weak one stands; new ones once for the pod where they hold for all that inherit from it.

    An ``exempt`` container with a user of its own would still inherit the group.
    """
    others = _left_out(pod, [*choices, *settled])
    inheriting = [choice for choice in choices if not choice.container.has(*_USER)]
    shared = bool(inheriting) and not others and not exempt and _holds_for_all(pod, inheriting)
    for choice in choices:
        if choice not in inheriting or not shared:
            yield from _numbers(choice.container, choice)
    if shared:
        found = together(choice.verdict for choice in inheriting)
        yield from _numbers(pod, replace(inheriting[0], verdict=found))
    elif not others and _is_moot(pod, [*choices, *settled]):
        own = pod.fact("every container has a user of its own", *_USER)
        yield _forget(pod, together(choice.verdict for choice in choices).along(own, basis=Basis.INFERRED))


def _is_moot(pod: PodTemplate, choices: list[Choice]) -> bool:
    """Whether number 0 of the pod says nothing any more once all ``choices`` are made: it stays while a container that
    is none of them says 0 itself."""
    chosen = [choice.container for choice in choices]
    stays = any(each.get(*_USER) == 0 and each not in chosen for each in pod.containers)
    return pod.get(*_USER) == 0 and bool(pod.containers) and not stays


def _holds_for_all(pod: PodTemplate, inheriting: list[Choice]) -> bool:
    """Whether one number is right for all that inherit that of ``pod``."""
    return _is_uniform(inheriting) and not _may_gain(pod)


def _left_out(pod: PodTemplate, choices: list[Choice]) -> list[Container]:
    """The containers that inherit the user of the pod and are none of ``choices``."""
    chosen = [choice.container for choice in choices]
    return [each for each in pod.containers if not each.has(*_USER) and each not in chosen]


def _may_gain(pod: PodTemplate) -> bool:
    """Whether containers that nobody sees here may inherit what is written for the whole pod."""
    return pod.partial or _gains_containers(pod) or may_gain_containers(pod)


def _gains_containers(pod: PodTemplate) -> bool:
    """Whether a kustomization adds a container that would inherit the number, though nobody knows what it needs."""
    for state in patched(pod):
        try:
            added = [container for container in state.containers if pod.counterpart(container) is None]
            if any(not container.has(*_USER) for container in added):
                return True
        except (OpaqueError, WrongShapeError):
            continue
    return False


def _numbers(view: View, choice: Choice) -> Iterator[Edit]:
    for path, number in ((_USER, choice.uid), (_GROUP, choice.gid)):
        if number is not None:
            yield view.set(*path, to=number, impact="user-by-number", **choice.verdict.words)


def _group_of_volumes(pod: PodTemplate, choices: list[Choice], settled: Sequence[Choice] = ()) -> Iterator[Edit]:
    """The group that opens what another user wrote to volumes that outlive the pod, unless ``settled`` ones have it."""
    asking = [choice for choice in choices if choice.volumes]
    has_group = pod.has("securityContext", "fsGroup") or any(choice.volumes for choice in settled)
    if not asking or pod.partial or has_group:
        return
    facts = [fact for choice in asking for fact in choice.volumes]
    found = together(choice.verdict for choice in asking).along(*facts, basis=Basis.INFERRED)
    first = min(asking, key=lambda choice: choice.uid == NOBODY_ELSE)  # the user of an image says more
    group = known_image(first.container).gid if known_image(first.container).uid == first.uid else None
    yield pod.set("securityContext", "fsGroup", to=group or first.uid, impact="group-of-volumes", **found.words)
    if not pod.has("securityContext", "fsGroupChangePolicy"):
        yield pod.set("securityContext", "fsGroupChangePolicy", to="OnRootMismatch", **found.words)


def _is_uniform(choices: list[Choice]) -> bool:
    return len({(choice.uid, choice.gid) for choice in choices}) <= 1


def _without_root(pod: PodTemplate) -> Iterator[Edit | list[Edit] | OpaqueError]:
    """OpenShift gives every namespace numbers of its own and refuses others."""
    roots = [container for container in pod.containers if container.effective("runAsUser") == 0]
    unknown = [opaque for container in roots if (opaque := unknown_user(container)) is not None]
    if unknown:
        yield from unknown
        return
    against = [fact for container in roots for fact in (*root_evidence(container), *user_evidence(container))]
    assigned = Evidence("OpenShift assigns a number from the range of the namespace")
    found = verdict(against=against, absent=[assigned], basis=Basis.INFERRED)
    views: list[View] = [container for container in roots if container.has(*_USER)]
    if pod.get(*_USER) == 0:
        views.append(pod)
    for view in views:
        yield _forget(view, found)


def _forget(view: View, found: Verdict) -> Edit:
    path = _USER if len(view.keys("securityContext")) > 1 else _USER[:1]
    return view.drop(*path, **found.words)


def _unsolved(pod: PodTemplate, options: UserOptions, good: list[Choice]) -> Iterator[Finding]:
    numbered = [choice.container for choice in good]
    for container in pod.containers:
        facts, number = known_image(container), container.effective("runAsUser")
        if facts.uid is None and number is None and image_user_is_name(container) and container not in numbered:
            deep = ", and harden lock --deep reads it from the image" if facts.files is None else ""
            yield container.finding(
                f"its image runs as {facts.user_name}, a name that the kubelet cannot tell from root",
                "image",
                advice=f"write the number of that user as runAsUser; id prints it inside the container{deep}",
            )
        if options.explicit:
            yield from _not_explicit(container, number)


def _not_explicit(container: Container, number: object) -> Iterator[Finding]:
    """What keeps a user from being one of its own, by number and with its group."""
    if isinstance(number, int) and 0 < number < _LOWEST_OWN and not _is_own(container):
        yield container.finding(
            f"user {number} may also be a user of the node",
            *(_USER if container.has(*_USER) else ()),
            advice="take a number from 10000 on, and give its files to it",
            severity=Severity.LOW,
        )
    facts = known_image(container)
    group_is_open = facts.uid is not None and facts.gid is None and container.effective("runAsGroup") is None
    if group_is_open and number in (None, facts.uid):
        yield container.finding(
            f"the group of user {facts.uid} is not known",
            "image",
            advice="write its number as runAsGroup; id prints it inside the container",
            severity=Severity.LOW,
        )


def _is_own(container: Container) -> bool:
    return bool(known_image(container).uid == container.effective("runAsUser"))
