from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Edit, Evidence
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.facts.images.container_commands import spoken
from hardener.facts.images.known_image import known_image, unknown_image
from hardener.facts.images.what_starts import unknown_start
from hardener.facts.objects.config_data import ConfigIoUring
from hardener.facts.objects.hardened_by_hand import hardened_beside
from hardener.kubernetes.pods.command_evidence import seccomp_sensitive
from hardener.kubernetes.pods.io_uring import io_uring_flags, io_uring_programs, io_uring_variables
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View
from hardener.tree.pod_fragments import written_containers

from ._need import added_capabilities, hardened_in, purpose

_PROFILE = ("securityContext", "seccompProfile")
_RARE = "it makes calls that the default profile refuses"
_STRICT = ("RuntimeDefault", "Localhost")
_FIELD_ALONE = (1, 27)  # since then no annotation counts
_POD_KEY = "seccomp.security.alpha.kubernetes.io/pod"
_CONTAINER_KEY = "container.seccomp.security.alpha.kubernetes.io/"
# What the values of the annotations are called in the field.
_AS_FIELD = {"runtime/default": "RuntimeDefault", "docker/default": "RuntimeDefault", "unconfined": "Unconfined"}


@transform(
    each=PodTemplate, stage="seccomp", pss="restricted", cis="5.7.2",
    classes=("node-agent", "control-plane", "partial"), any_image=True,
    peers=("checkov:CKV_K8S_31", "polaris:linuxHardening", "kubescape:C-0210"),
)  # fmt: skip
def seccomp_runtime_default(pod: PodTemplate) -> Steps:
    """Set the seccomp profile RuntimeDefault.

    Problem: the pod has no seccomp profile, or a weaker one.

    Result: The container runtime blocks rarely used system calls.

    Why: most vulnerabilities of the Linux kernel are reached through system calls that no ordinary program makes; the
    profile of the container runtime blocks these calls.

    May break: tracers, browsers with a sandbox of their own, container builders and programs that ask for io_uring
    (TigerBeetle; PostgreSQL, Redpanda and Node.js if configured) make such calls and get EPERM.
    """
    if "node-agent" in pod.classes and any(container.privileged for container in _containers(pod)):
        return
    if _is_strict(pod):
        yield from _drop_contradictions(pod)
    elif pod.partial:
        yield from _of_each_container(pod)
    elif custom := [key for key, value in _annotations(pod).items() if value.startswith("localhost/")]:
        text = "an annotation names the seccomp profile, and Kubernetes no longer reads it since 1.27"
        advice = "name it in securityContext.seccompProfile (type: Localhost) and remove the annotation"
        yield pod.metadata.finding(text, "annotations", custom[0], advice=advice)
    else:
        yield from _of_whole_pod(pod)


def _containers(pod: PodTemplate) -> tuple[Container, ...]:
    """The containers of ``pod``; without those that a program takes from elsewhere: one that needs another profile
    brings it along."""
    try:
        return pod.containers
    except OpaqueError:
        written = tuple(written_containers(pod))
        if not written:
            raise
        return written


def _is_strict(pod: PodTemplate) -> bool:
    """Whether a profile applies to every container already."""
    own, types = _type(pod), [_type(container) for container in _containers(pod)]
    if own in _STRICT:
        return all([each in (None, *_STRICT) for each in types])
    return own is None and bool(types) and all([each in _STRICT for each in types])


def _of_each_container(pod: PodTemplate) -> Steps:
    """The profile for each container of a pod that is made elsewhere."""
    for container in [each for each in _containers(pod) if _effective(each) not in _STRICT]:
        if (opaque := _unknown(container)) is not None:
            yield opaque
        elif needs := _kept(container):
            yield list(_to_default(container, verdict(against=needs)))
        else:
            found = verdict(known=_judged(pod).evidence, effect=Effect.WATCHED)
            yield list(_to_default(container, found))


def _is_unconfined(pod: PodTemplate) -> bool:
    """Whether something is written that switches the profile off."""
    written = (_type(pod), *map(_type, _containers(pod)))
    return "Unconfined" in written or bool(_annotations(pod))


def _unconfined(pod: PodTemplate, exempt: list[Container]) -> tuple[list[Container], list[Container]]:
    """The containers that run without a profile and need to, and those of which that is not known."""
    others = [container for container in _containers(pod) if container not in exempt]
    needy = [container for container in others if _effective(container) == "Unconfined" and _kept(container)]
    return needy, [container for container in others if container not in needy and _unknown(container) is not None]


def _of_whole_pod(pod: PodTemplate) -> Steps:
    """The profile for a pod and its containers, those left out that need to stay as they are."""
    loose = [container for container in _containers(pod) if _effective(container) not in _STRICT]
    exempt = [c for c in pod.exempt("seccomp-runtime-default", *_PROFILE) if _effective(c) not in _STRICT]
    needy, unclear = _unconfined(pod, exempt) if _is_unconfined(pod) else ([], [])
    yield from filter(None, map(_unknown, unclear))
    taken = (*needy, *exempt, *unclear)
    needy += [container for container in loose if container not in taken and _io_uring(container)]
    found = _judged(pod)
    edits = list(_edits(pod, [*needy, *exempt, *unclear], found))
    if edits:
        yield from edits
        yield from _held(pod, needy)
    else:
        # Only what has a need is left: here is the patch, and the reason why it is not made.
        against = [fact for container in needy for fact in _io_uring(container)]
        yield from _edits(pod, [*exempt, *unclear], verdict(against=against or found.evidence))
    for container in exempt:
        yield list(_to_default(container, found))


def _held(pod: PodTemplate, needy: list[Container]) -> Steps:
    """What stays unconfined has a step of its own, as the next run would propose it."""
    for container in needy:
        if _type(container) is not None:
            yield list(_to_default(container, verdict(against=_kept(container))))
    inherits = [fact for container in needy if _type(container) is None for fact in _kept(container)]
    if inherits:
        yield list(_to_default(pod, verdict(against=inherits)))


def _unknown(container: Container) -> OpaqueError | None:
    """The expression that decides what starts in ``container``, where no profile applies to it as it is written."""
    written = _effective(container) == "Unconfined" or _annotations(container.pod)
    return unknown_start(container) if written and not _kept(container) else None


def _edits(pod: PodTemplate, kept: list[Container], found: Verdict) -> Iterator[Edit]:
    """The profile once for the pod, or for its other containers where one has to inherit the weaker value."""
    names = {container.name for container in kept}
    others = [(container, _type(container)) for container in _containers(pod) if container.name not in names]
    inherits = any([_type(container) is None for container in kept])
    silent = any([written is None for _, written in others])
    own = _type(pod)
    weak: list[View] = [pod] if own not in _STRICT and not inherits and (own is not None or silent) else []
    for container, written in others:
        # A weak value of its own is corrected where it stands: that is the smallest change.
        if inherits if written is None else written not in _STRICT:
            weak.append(container)
    for view in weak:
        yield from _to_default(view, found)
    if weak:
        yield from _drop_annotations(pod, found)


def _to_default(view: View, found: Verdict) -> Iterator[Edit]:
    yield view.set(*_PROFILE, "type", to="RuntimeDefault", **found.words)
    if view.has(*_PROFILE, "localhostProfile"):
        yield view.drop(*_PROFILE, "localhostProfile", **found.words)


def _type(view: View) -> str | None:
    value = view.get(*_PROFILE, "type")
    return str(value) if value is not None else None


def _effective(container: Container) -> str | None:
    return _type(container) or _type(container.pod)


def _needs(container: Container) -> list[Evidence]:
    found = []
    if (rare_calls := known_image(container).makes_rare_calls) is not None:
        found.append(rare_calls.fact(container, None if rare_calls.text else _RARE))
    for name, speaker in spoken(container, seccomp_sensitive, probes=True):
        found.append(speaker.says(f"runs {name}"))
    return found + _io_uring(container)


def _io_uring(container: Container) -> list[Evidence]:
    """What shows that it asks the kernel for io_uring, which the profile of current runtimes refuses."""
    found = [speaker.says(f"asks for io_uring: {flag}") for flag, speaker in spoken(container, io_uring_flags)]
    image = container.image.name if container.image is not None and container.image.name else ""
    for name in io_uring_programs([image]):
        found.append(container.fact(f"its image is {name}, which does not start without io_uring", "image"))
    for variable in io_uring_variables(container.env):
        found.append(container.fact(f"container {container.name} asks for io_uring: {variable}", "env"))
    found += container.tree.ask(ConfigIoUring).asked(container)
    return found[:2]


def _kept(container: Container) -> list[Evidence]:
    """Why it stays unconfined: what it needs, and where that is written, what says that it is meant."""
    found = _needs(container)
    if _effective(container) == "Unconfined":
        found += hardened_in(container.pod) if _type(container) is None else hardened_beside(container)
        found += purpose(container.pod)
    return list({fact.text: fact for fact in found}.values())


def _judged(pod: PodTemplate) -> Verdict:
    """Return how sure it is that no container of ``pod`` makes a call that the profile refuses."""
    if recorded := list(_recorded(pod)):
        return verdict(against=recorded)
    if doubts := _doubts(pod):
        return verdict(doubts=doubts)
    for container in _containers(pod):
        if (unknown := unknown_image(container)) is not None:
            return verdict(doubts=[unknown])
    return verdict(known=[Evidence("nothing in its images or commands makes calls that the default profile refuses")])


def _recorded(pod: PodTemplate) -> Iterator[Evidence]:
    """The calls that a cluster saw it make, and that the profile refuses."""
    for container in _containers(pod):
        rare_calls = known_image(container).makes_rare_calls
        if rare_calls is not None and rare_calls.sure:
            yield rare_calls.fact(container)


def _doubts(pod: PodTemplate) -> list[Evidence]:
    found = list({fact.text: fact for container in _containers(pod) for fact in _kept(container)}.values())
    for view in (pod, *_containers(pod)):
        if _type(view) == "Unconfined":
            found.append(view.fact("the manifest says Unconfined", *_PROFILE, "type"))
    for key, value in _annotations(pod).items():
        if value == "unconfined":
            found.append(pod.metadata.fact("an annotation asks for unconfined", "annotations", key))
    for container in _containers(pod):
        if any(added_capabilities(container)):
            text = "a container with added capabilities may make unusual system calls"
            found.append(container.fact(text, "securityContext", "capabilities", "add"))
    if sign := pod.classes.get("node-agent"):
        found.append(Evidence(sign))
    return found


def _annotations(pod: PodTemplate) -> dict[str, str]:
    try:
        if not pod.metadata.has("annotations"):
            return {}
        written = pod.metadata.keys("annotations")
    except OpaqueError:
        if pod.tree.settings.kubernetes_version < _FIELD_ALONE:
            raise
        return {}
    keys = [k for k in written if k == _POD_KEY or k.startswith(_CONTAINER_KEY)]
    return {key: pod.metadata.text("annotations", key) or "" for key in keys}


def _drop_contradictions(pod: PodTemplate) -> Iterator[Edit]:
    fields = {_POD_KEY: _type(pod), **{_CONTAINER_KEY + c.name: _type(c) for c in _containers(pod)}}
    for key, value in _annotations(pod).items():
        field, said = fields.get(key), "Localhost" if value.startswith("localhost/") else _AS_FIELD.get(value)
        if field is not None and field != said:
            yield from _drop_annotations(pod, verdict(effect=Effect.WATCHED))
            return


def _drop_annotations(pod: PodTemplate, found: Verdict) -> Iterator[Edit]:
    gone = list(_annotations(pod))
    along = found.along(Evidence("the field replaces it; where the two differ, the API server refuses the Pod"))
    if gone and len(gone) == len(pod.metadata.keys("annotations")):
        yield pod.metadata.drop("annotations", **along.words)
        return
    for key in gone:
        yield pod.metadata.drop("annotations", key, **along.words)
