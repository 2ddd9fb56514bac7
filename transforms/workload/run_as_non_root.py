from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, WrongShapeError
from hardener.authoring.known import Known
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, Verdict, together, verdict
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.images.known_image import known_image
from hardener.facts.images.what_starts import unknown_start
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

from ._need import root_evidence
from ._user import (
    image_user_is_name,
    is_guess,
    may_gain_containers,
    owner_of_volumes,
    sibling_evidence,
    unknown_user,
    unnumbered_evidence,
    user_evidence,
)

_FIELD = ("securityContext", "runAsNonRoot")
_NOT_KNOWN = "the user of its image is not known"
_Judged = tuple[Container, Verdict]


@transform(
    each=PodTemplate, stage="user", pss="restricted", cis="5.2.7", classes=("windows", "partial"),
    after=("run-as-user",), any_image=True,
    peers=(
        "kube-linter:run-as-non-root", "checkov:CKV_K8S_23", "polaris:runAsRootAllowed", "kubeaudit:allow-run-as-root",
        "kubescape:C-0013",
    ),
)  # fmt: skip
def run_as_non_root(pod: PodTemplate) -> Steps:
    """Require a non-root user.

    Problem: {container} may start as root.

    Result: The kubelet refuses to start the container as root.

    Why: a process that is root in its container needs only one kernel vulnerability to become root on the node; with
    this setting a new version of the image cannot run as root again.

    May break: an image that runs as root, or as a user with a name only, does not start (CreateContainerConfigError);
    pods that run keep running until then.
    """
    good: list[_Judged] = []
    apart: list[_Judged] = []
    kept: list[Container] = []
    exempt = pod.exempt("run-as-non-root", *_FIELD)
    for container in pod.containers:
        if container.effective("runAsNonRoot") is True:
            continue
        found = _judged(container)
        if (opaque := _unknown(container, found)) is not None:
            yield opaque
            found = None
        if found is not None and not found.waits and container not in exempt:
            good.append((container, found))
            continue
        kept.append(container)
        if found is not None:
            apart.append((container, found))
    added = list(_added(pod))
    yield from _edits(pod, good, [*kept, *added])
    if len(apart) == len(pod.containers) and not exempt and len({found.grade for _, found in apart}) == 1:
        yield from _edits(pod, apart, added)
        return
    for each in apart:
        yield list(_edits(pod, [each], [*kept, *added]))


def _unknown(container: Container, found: Verdict | None) -> OpaqueError | None:
    """The expression that decides what starts in ``container``, where nothing but that says who it runs as."""
    if found is None or found.basis is Basis.PROVED:  # a number is written, or the image has one
        return None
    opaque = unknown_start(container)
    return None if opaque is None or any(root_evidence(container)) or any(user_evidence(container)) else opaque


def _edits(pod: PodTemplate, wanted: list[_Judged], kept: list[Container]) -> Iterator[Edit]:
    """True once for the pod, or for its other containers where one has to keep the weaker value, each by its reason."""
    if wanted:
        whole = together(found for _, found in wanted)
    else:
        whole = verdict(known=[Evidence("every container sets it itself")], basis=Basis.PROVED)
    own = [(container, found) for container, found in wanted if container.has(*_FIELD)]
    at_pod = pod.get(*_FIELD)
    # A container that a program adds would run as the number of the pod, where one is written.
    shared = not kept and not pod.partial and (pod.get("securityContext", "runAsUser") or not may_gain_containers(pod))
    if shared and (at_pod is False or len(own) < len(wanted)):
        yield pod.set(*_FIELD, to=True, **whole.words)
        at_pod = True
    for container, found in own if at_pod is True else wanted:
        if at_pod is True:
            path = _FIELD if len(container.keys("securityContext")) > 1 else _FIELD[:1]
            yield container.drop(*path, **whole.words)
        else:
            yield container.set(*_FIELD, to=True, **found.words)


def _judged(container: Container) -> Verdict | None:
    """Return how sure it is that true may be written; None where the container could not start with it.

    As kustomizations patch it counts as well.
    """
    own = _judged_alone(container)
    if own is None or own.breaks:
        return own
    others = patched(container)
    if against := list(_against(others)):
        return verdict(against=against)
    if own.is_safe and (unclear := list(_unclear(others))):
        return verdict(known=own.evidence, doubts=unclear)
    return own


def _against(states: tuple[Container, ...]) -> Iterator[Evidence]:
    """Signs that a container could not start with it as a kustomization patches it."""
    for state in states:
        try:
            found = _judged_alone(state, patched=True)
            if found is None:
                user = "runAsUser is 0" if state.effective("runAsUser") == 0 else "the user of its image is root"
                if user != "runAsUser is 0" and image_user_is_name(state):
                    name = known_image(state).user_name
                    user = f"its image runs as {name}, a name that the kubelet cannot tell from root"
                yield state.fact(f"as it is patched, {user}", *_place(state))
            elif found.breaks:
                yield from found.evidence
        except (OpaqueError, WrongShapeError):
            continue


def _unclear(states: tuple[Container, ...]) -> Iterator[Evidence]:
    """States with an image of which the user is not known, and no number."""
    for state in states:
        try:
            if state.effective("runAsUser") is None and known_image(state).user is None:
                yield state.fact(f"as it is patched, {_NOT_KNOWN}", "image")
        except (OpaqueError, WrongShapeError):
            continue


def _added(pod: PodTemplate) -> Iterator[Container]:
    """The containers that a kustomization adds and that could not start with what the pod says for all."""
    for state in patched(pod):
        try:
            others = [container for container in state.containers if pod.counterpart(container) is None]
            yield from (each for each in others if each.get(*_FIELD) is None and any(_against((each,))))
        except (OpaqueError, WrongShapeError):
            continue


def _judged_alone(container: Container, *, patched: bool = False) -> Verdict | None:
    """Return the verdict on ``container`` as it is written, or, ``patched``, as a kustomization makes it."""
    number = container.effective("runAsUser")
    weak = container.get(*_FIELD) is False or container.effective("runAsNonRoot") is False
    if number == 0:
        return None
    if number is not None:
        if container.tree.ask(WrittenContexts).number(container) != number:
            return _of_new_number(container, number)
        fact = container.fact(f"runAsUser is {number}", *_place(container))
        return verdict(known=[fact], sure=not weak, basis=Basis.PROVED)
    if "windows" in container.pod.classes:
        return verdict(unknown=[container.fact(_NOT_KNOWN, "image")])
    known = known_image(container)
    assigned = container.tree.ask(Platforms).of(container.object) == "openshift"
    if known.user is not None and known.kind_of_user in (("number", "name") if assigned else ("number",)):
        return _of_own_user(container, known.user, weak)
    if not assigned and known.kind_of_user != "unknown":
        return None  # run-as-user has the number, or says that there is none
    if against := root_evidence(container):
        return verdict(against=against)
    if assigned:
        by_platform = Evidence("OpenShift assigns a number from the range of the namespace")
        return verdict(known=[by_platform], effect=Effect.WATCHED)
    if patched:  # whether a number comes to stand beside it shows in the manifest that is patched
        return verdict(unknown=[container.fact(_NOT_KNOWN, "image")])
    return _of_unknown_user(container)


def _of_unknown_user(container: Container) -> Verdict:
    # With a number beside it, it starts; alone it stops every image that is root, or a user with a name.
    alone = container.fact(f"{_NOT_KNOWN}, and no number is written", "image")
    against = [*user_evidence(container), *unnumbered_evidence(container)]
    if against or _gets_no_number(container):
        return verdict(against=[*against, alone])
    return verdict(unknown=[alone])


def _gets_no_number(container: Container) -> bool:
    """Whether no number comes to stand beside it: one is not wanted, or cannot be told from what is written."""
    is_exempt = container in container.pod.exempt("run-as-user", "securityContext", "runAsUser")
    return is_exempt or unknown_user(container) is not None


def _of_own_user(container: Container, user: Known[str], weak: bool) -> Verdict:
    """Return the verdict on a container whose image says who it runs as; ``weak``: the manifest allows root."""
    # Of a name the cluster has to be OpenShift, which objects beside it do not prove.
    by_number = known_image(container).kind_of_user == "number" or container.tree.ask(Platforms).is_configured
    fact = user.fact(container, f"its user is {user.value}")
    if against := list(sibling_evidence(container)):
        return verdict(against=against, known=[fact])
    return verdict(known=[fact], sure=user.sure and not weak and by_number, basis=user.basis)


def _of_new_number(container: Container, number: int) -> Verdict:
    """Return the verdict beside a number that this run wrote: by what is known of the image, if anything is."""
    known = known_image(container)
    if known.number is not None and known.uid == number:
        sure = known.number.sure and "run-as-user" in container.pod.changed_by
        return verdict(known=[known.number.fact(container, f"it can run as user {number}")], sure=sure)
    owner = owner_of_volumes(container)
    if owner is not None and owner.uid == number:
        return verdict(known=[owner.says("so it runs as that number")], sure=False)
    if is_guess(container):  # the guess is the number, and it was taken: beside it any image starts
        return verdict(known=[container.fact(f"runAsUser is {number}", *_place(container))], basis=Basis.PROVED)
    user = container.fact(_NOT_KNOWN, "image")
    if known.user is not None:
        user = known.user.fact(container, f"its image runs as {known.user.value}")
    return verdict(known=[user], sure=False)


def _place(container: Container) -> tuple[str, ...]:
    return ("securityContext", "runAsUser") if container.has("securityContext", "runAsUser") else ()
