from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Grade, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.images.known_image import known_image
from hardener.facts.images.what_starts import unknown_start
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

from ._need import root_evidence
from ._user import image_user_is_name, may_gain_containers, user_evidence

_FIELD = ("securityContext", "runAsNonRoot")
_NOT_KNOWN = "the user of its image is not known"
_Reason = tuple[Grade, Basis, list[Evidence]]


@transform(
    each=PodTemplate, stage="user", pss="restricted", cis="5.2.7", classes=("windows", "partial"),
    after=("run-as-user",), any_image=True,
    peers=(
        "kube-linter:run-as-non-root", "checkov:CKV_K8S_23", "polaris:runAsRootAllowed", "kubeaudit:allow-run-as-root",
        "kubescape:C-0013",
    ),
)  # fmt: skip
def run_as_non_root(pod: PodTemplate) -> Steps:
    """The kubelet refuses to start a container as root.

    Why: a process that is root in its container is one hole in the kernel away from root on the node; with this a new
    version of the image cannot bring root back.

    May break: an image that runs as root, or as a user with a name only, does not start (CreateContainerConfigError);
    pods that run keep running until then.
    """
    strict: list[tuple[Container, _Reason | None]] = []
    loose: list[tuple[Container, _Reason | None]] = []
    exempt = pod.exempt("run-as-non-root", *_FIELD)
    for container in pod.containers:
        if container.effective("runAsNonRoot") is not True:
            reason = _reason(container)
            if (opaque := _unknown(container, reason)) is not None:
                yield opaque
                reason = None
            stays = reason is None or reason[0] is Grade.BREAKING or container in exempt
            (loose if stays else strict).append((container, reason))
    kept = [container for container, _ in loose]
    added = list(_added(pod))
    yield from _edits(pod, [(each, reason) for each, reason in strict if reason is not None], [*kept, *added])
    held = [(container, reason) for container, reason in loose if reason is not None]
    if len(held) == len(pod.containers) and not exempt:
        yield from _edits(pod, held, added)
        return
    for each in held:
        yield list(_edits(pod, [each], [*kept, *added]))


def _unknown(container: Container, reason: _Reason | None) -> OpaqueError | None:
    """The expression that decides what starts in ``container``, where nothing but that says who it runs as."""
    if reason is None or reason[1] is Basis.PROVED:  # a number is written, or the image has one
        return None
    opaque = unknown_start(container)
    return None if opaque is None or any(root_evidence(container)) or any(user_evidence(container)) else opaque


def _worst(reasons: list[_Reason]) -> _Reason:
    """The reasons of several containers as those of one step; of containers that all comply, their own."""
    if not reasons:
        return Grade.SAFE, Basis.PROVED, [Evidence("every container sets it itself")]
    if len(reasons) == 1 and len(reasons[0][2]) == 1:
        return reasons[0]
    grade = max((grade for grade, _, _ in reasons), key=lambda grade: grade.rank)
    basis = max((basis for _, basis, _ in reasons), key=list(Basis).index)
    # Of facts that read the same the first is enough.
    facts = {fact.text: fact for _, _, several in reversed(reasons) for fact in reversed(several)}
    return grade, basis, list(reversed(facts.values()))


def _edits(pod: PodTemplate, wanted: list[tuple[Container, _Reason]], kept: list[Container]) -> Iterator[Edit]:
    """True once for the pod, or for its other containers where one has to keep the weaker value, each by its reason."""
    grade, basis, evidence = _worst([reason for _, reason in wanted])
    own = [(container, reason) for container, reason in wanted if container.has(*_FIELD)]
    at_pod = pod.get(*_FIELD)
    # A container that a program adds would run as the number of the pod, where one is written.
    shared = not kept and not pod.partial and (pod.get("securityContext", "runAsUser") or not may_gain_containers(pod))
    if shared and (at_pod is False or len(own) < len(wanted)):
        yield pod.set(*_FIELD, to=True, grade=grade, basis=basis, evidence=evidence)
        at_pod = True
    for container, (own_grade, own_basis, facts) in own if at_pod is True else wanted:
        if at_pod is True:
            path = _FIELD if len(container.keys("securityContext")) > 1 else _FIELD[:1]
            yield container.drop(*path, grade=grade, basis=basis, evidence=evidence)
        else:
            yield container.set(*_FIELD, to=True, grade=own_grade, basis=own_basis, evidence=facts)


def _reason(container: Container) -> _Reason | None:
    """Why true may be written, and how sure that is; None where the container could not start with it.

    As kustomizations patch it counts as well.
    """
    own = _reason_of(container)
    if own is None or own[0] is Grade.BREAKING:
        return own
    others = patched(container)
    if against := list(_against(others)):
        return Grade.BREAKING, Basis.INFERRED, against
    if own[0] is Grade.SAFE and (unclear := list(_unclear(others))):
        return Grade.REVIEW, Basis.INFERRED, [*own[2], *unclear]
    return own


def _against(states: tuple[Container, ...]) -> Iterator[Evidence]:
    """Signs that a container could not start with it as a kustomization patches it."""
    for state in states:
        try:
            reason = _reason_of(state, patched=True)
            if reason is None:
                user = "runAsUser is 0" if state.effective("runAsUser") == 0 else "the user of its image is root"
                if user != "runAsUser is 0" and image_user_is_name(state):
                    name = known_image(state).user_name
                    user = f"its image runs as {name}, a name that the kubelet cannot tell from root"
                yield state.fact(f"as it is patched, {user}", *_place(state))
            elif reason[0] is Grade.BREAKING:
                yield from reason[2]
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


def _reason_of(container: Container, *, patched: bool = False) -> _Reason | None:
    number = container.effective("runAsUser")
    written = container.get(*_FIELD) is False or container.effective("runAsNonRoot") is False
    if number == 0:
        return None
    if number is not None:
        if container.tree.ask(WrittenContexts).number(container) != number:
            return _of_new_number(container, number)
        facts = [container.fact(f"runAsUser is {number}", *_place(container))]
        return Grade.REVIEW if written else Grade.SAFE, Basis.PROVED, facts
    if "windows" in container.pod.classes:
        return Grade.REVIEW, Basis.ASSUMED, [Evidence(_NOT_KNOWN)]
    known = known_image(container)
    assigned = container.tree.ask(Platforms).of(container.object) == "openshift"
    accepted = ("number", "name") if assigned else ("number",)
    if known.user is not None and known.kind_of_user in accepted:
        facts = [known.user.fact(container, f"its user is {known.user.value}")]
        # Of a name the cluster has to be OpenShift, which objects beside it do not prove.
        accepted_for_sure = known.kind_of_user == "number" or container.tree.ask(Platforms).is_configured
        sure = known.user.sure and not written and accepted_for_sure
        return Grade.SAFE if sure else Grade.REVIEW, known.user.basis, facts
    if not assigned and known.kind_of_user != "unknown":
        return None  # run-as-user has the number, or says that there is none
    if against := root_evidence(container):
        return Grade.BREAKING, Basis.INFERRED, against
    if assigned:
        return Grade.REVIEW, Basis.INFERRED, [Evidence("OpenShift assigns a number from the range of the namespace")]
    if patched:  # whether a number comes to stand beside it shows in the manifest that is patched
        return Grade.REVIEW, Basis.ASSUMED, [container.fact(_NOT_KNOWN, "image")]
    # With a number beside it, it starts; alone it stops every image that is root, or a user with a name.
    against = [*user_evidence(container), container.fact(f"{_NOT_KNOWN}, and no number is written", "image")]
    return Grade.BREAKING, Basis.INFERRED, against


def _of_new_number(container: Container, number: int) -> _Reason:
    """Beside a number that this run wrote: what is known of the image, and nothing of that number."""
    known = known_image(container)
    if known.number is not None and known.uid == number:
        sure = known.number.sure and "run-as-user" in container.pod.changed_by
        fact = known.number.fact(container, f"it can run as user {number}")
        return Grade.SAFE if sure else Grade.REVIEW, Basis.INFERRED, [fact]
    if known.user is None:
        return Grade.REVIEW, Basis.ASSUMED, [container.fact(_NOT_KNOWN, "image")]
    fact = known.user.fact(container, f"its image runs as {known.user.value}")
    return Grade.REVIEW, Basis.INFERRED, [fact]


def _place(container: Container) -> tuple[str, ...]:
    return ("securityContext", "runAsUser") if container.has("securityContext", "runAsUser") else ()
