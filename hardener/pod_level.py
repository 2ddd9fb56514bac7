"""The Pod Security levels of the pods of the tree, at the Kubernetes version of the run."""

from __future__ import annotations

from typing import Any

from hardener.kubernetes import pod_security
from hardener.kubernetes.pod_security import LEVELS
from hardener.records import dataclass
from hardener.views import PodTemplate
from hardener.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Standing:
    """The level of one pod template, and what costs it the next one, in the words of Kubernetes (None at the top)."""

    pod: PodTemplate
    namespace: str | None
    level: str
    missing: str | None


def standings(workspace: Workspace) -> list[Standing]:
    """Where every pod of the files that may be edited stands now, in the order of files and lines; one that comes out
    in several namespaces stands in each."""
    found = []
    for pod in workspace.targets(PodTemplate):
        if "patch" in pod.object.classes:
            continue  # a part of a pod has no level
        level, missing = "", None
        for namespace in workspace.builds.namespaces(pod.object):
            if not level or len(pod.states) > 1:  # as it is written it stands everywhere as high
                level = level_of(pod, namespace)
                missing = None if level == "restricted" else next_violation(pod, namespace)
            found.append(Standing(pod, namespace, level, missing))
    return found


def level_of(pod: PodTemplate, namespace: str | None) -> str:
    """The highest level that ``pod`` reaches as it is now in ``namespace``: "privileged", "baseline" or "restricted";
    where kustomizations make several of it there, that of the worst."""
    return _level(_worst(pod, namespace))


def next_violation(pod: PodTemplate, namespace: str | None) -> str:
    """The first thing that keeps ``pod`` from the level above its own, in the words of Kubernetes."""
    state = _worst(pod, namespace)
    following = "baseline" if _level(state) == "privileged" else "restricted"
    found = pod_security.evaluate(_template(state), following, pod.tree.settings.kubernetes_version)
    if not found:
        return "nothing"
    return found[0].message if state is pod else f"{found[0].message}, as {_patch(state, found[0])} patches it"


def beyond(state: PodTemplate, pod: PodTemplate) -> list[pod_security.Violation]:
    """What keeps ``state`` from level restricted, and not ``pod``."""
    version = pod.tree.settings.kubernetes_version
    found: dict[object, pod_security.Violation] = {}
    for level in LEVELS[1:]:
        known = {broken.check for broken in pod_security.evaluate(_template(pod), level, version)}
        for broken in pod_security.evaluate(_template(state), level, version):
            if broken.check not in known:
                # What breaks a check of baseline often breaks one of restricted as well.
                found.setdefault(broken.paths[0][:2] if broken.paths else broken.check, broken)
    return list(found.values())


def _worst(pod: PodTemplate, namespace: str | None) -> PodTemplate:
    states = pod.states_in(namespace)
    return pod if len(states) == 1 else min(states, key=lambda state: LEVELS.index(_level(state)))


def _level(pod: PodTemplate) -> str:
    return pod_security.level_of(_template(pod), pod.tree.settings.kubernetes_version)


def _patch(state: PodTemplate, broken: pod_security.Violation) -> str:
    path = broken.paths[0] if broken.paths else ()
    return state.object.place((*state.path, *path))[0].file.name


def _template(pod: PodTemplate) -> dict[str, Any]:
    return {"metadata": pod.metadata.data, "spec": pod.data}
