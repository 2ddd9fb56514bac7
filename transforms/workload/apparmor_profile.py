from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, verdict
from hardener.facts.kustomize.overlays.states import states
from hardener.tree.core_views import PodTemplate, View

from ._need import pod_needs

_PROFILE = ("securityContext", "appArmorProfile")
_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
# What an API server takes: pkg/apis/core/validation, validateAppArmorProfileField and ValidateAppArmorPodAnnotations.
_TYPES = ("RuntimeDefault", "Localhost", "Unconfined")
_VALUES = ("", "runtime/default", "unconfined")
_LOCALHOST = "localhost/"
_NO_TYPE = "the type is {}, and the API server accepts only RuntimeDefault, Localhost and Unconfined"
_BESIDE = "localhostProfile is set beside type {}, so the API server refuses the pod"
_NO_VALUE = "the value is {}, and the API server accepts only runtime/default, localhost/NAME and unconfined"


# RuntimeDefault is never written: a kubelet without AppArmor rejects the pod, and where there is AppArmor it is the
# default anyway (VictoriaMetrics/operator#1120, rancher/rke2#483).
@transform(
    each=PodTemplate, stage="seccomp", pss="baseline", after=("seccomp-runtime-default",),
    peers=("polaris:linuxHardening", "kubeaudit:allow-disabled-apparmor"),
)  # fmt: skip
def apparmor_profile(pod: PodTemplate) -> Steps:
    """Set the AppArmor profile RuntimeDefault.

    Problem: the pod weakens or misnames its AppArmor profile.

    Result: AppArmor confines every container on nodes that have it.

    Why: the profile of the container runtime refuses mounts, writes to the kernel's settings and the tracing of other
    processes, which container escapes use.

    May break: programs that mount file systems or trace processes are refused on nodes with AppArmor. Where the
    manifest names a profile that the API server does not accept, the profile that was meant does not apply.
    """
    views = (pod, *pod.containers)
    weak = [view for view in views if view.get(*_PROFILE, "type") == "Unconfined"]
    keys = [key for key in pod.metadata.keys("annotations") if key.startswith(_ANNOTATION)]
    unknown = [view for view in views if view.has(*_PROFILE) and view.get(*_PROFILE, "type") not in _TYPES]
    refused = [key for key in keys if not _is_value(pod.metadata.text("annotations", key))]
    open_keys = [key for key in keys if pod.metadata.text("annotations", key) == "unconfined"]
    yield from _edits(pod, weak, open_keys, unknown, refused)
    for view in views:
        yield from _of_the_node(view)
    yield from _of_no_container(pod, keys)


def _edits(
    pod: PodTemplate, weak: list[View], open_keys: list[str], unknown: list[View], refused: list[str]
) -> Iterator[Edit]:
    """The profiles ``weak`` and the annotations ``open_keys``, which confine nothing, go, and with them those that no
    API server takes. Fields and annotations in one step: where they differ, the API server refuses the Pod."""
    if not (weak or open_keys or unknown or refused):
        return
    types = [(view, view.get(*_PROFILE, "type")) for view in unknown]
    values = [(key, pod.metadata.text("annotations", key)) for key in refused]
    against = [view.fact(_NO_TYPE.format(f"type {kind}" if kind else "no type"), *_PROFILE) for view, kind in types]
    against += [
        pod.metadata.fact(_NO_VALUE.format("no text" if value is None else value), "annotations", key)
        for key, value in values
    ]
    against += [view.fact(_BESIDE.format("Unconfined"), *_PROFILE) for view in weak if _names_one(view)]
    against += pod_needs(pod)
    nothing = Evidence("unconfined is set, and nothing in the manifest shows a need for it")
    found = verdict(against=against, absent=[nothing])
    for view in (*weak, *unknown):
        path = _PROFILE if len(view.keys("securityContext")) > 1 else _PROFILE[:1]
        yield view.drop(*path, **found.words)
    yield from _without(pod.metadata, [*open_keys, *refused], found)


def _is_value(value: str | None) -> bool:
    return value in _VALUES or (value is not None and (value.startswith(_LOCALHOST) or "$" in value))


def _of_the_node(view: View) -> Iterator[Finding]:
    """A profile of the node that is not named, or named beside another type."""
    kind = view.get(*_PROFILE, "type")
    if kind == "Localhost" and not str(view.get(*_PROFILE, "localhostProfile") or "").strip():
        text = "its AppArmor profile has type Localhost and no name, so the API server refuses the pod"
        advice = "name it (localhostProfile), or remove appArmorProfile: the profile of the runtime then applies"
        yield view.finding(text, *_PROFILE, advice=advice)
    elif kind == "RuntimeDefault" and _names_one(view):  # of Unconfined it is said where that goes
        advice = "write type: Localhost where that profile is meant, else remove its name"
        yield view.finding(_BESIDE.format(kind), *_PROFILE, advice=advice)


def _names_one(view: View) -> bool:
    return view.get(*_PROFILE, "localhostProfile") is not None


def _of_no_container(pod: PodTemplate, keys: list[str]) -> Iterator[Finding]:
    """Annotations of containers that nothing shows: the API server refuses those of none."""
    if not keys:
        return
    known = {container.name for state in states(pod) for container in state.containers}
    for key in keys:
        name = key.removeprefix(_ANNOTATION)
        if name not in known and "$" not in name:
            text = f"an AppArmor profile is set for container {name or 'without a name'}, which the pod does not show"
            advice = "name a container of the pod, unless something adds this one when the pod is made"
            yield pod.metadata.finding(text, "annotations", key, severity=Severity.LOW, advice=advice)


def _without(metadata: View, keys: list[str], found: Verdict) -> Iterator[Edit]:
    whole = len(keys) == len(metadata.keys("annotations"))
    for path in [("annotations",)] if keys and whole else [("annotations", key) for key in keys]:
        yield metadata.drop(*path, **found.words)
