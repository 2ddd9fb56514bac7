"""The Pod Security levels of the pods of the tree, at the Kubernetes version of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hardener.kubernetes import pod_security
from hardener.namespaces import namespace_of
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
    """Where every pod of the files that may be edited stands now, in the order of files and lines."""
    found = []
    for pod in workspace.targets(PodTemplate):
        if "patch" in pod.object.classes:
            continue  # a part of a pod has no level
        level = level_of(pod)
        missing = None if level == "restricted" else next_violation(pod)
        found.append(Standing(pod, namespace_of(workspace, pod.object), level, missing))
    return found


def level_of(pod: PodTemplate) -> str:
    """The highest level that ``pod`` reaches as it is now: "privileged", "baseline" or "restricted"."""
    return pod_security.level_of(_template(pod), pod.tree.settings.kubernetes_version)


def next_violation(pod: PodTemplate) -> str:
    """The first thing that keeps ``pod`` from the level above its own, in the words of Kubernetes."""
    following = "baseline" if level_of(pod) == "privileged" else "restricted"
    found = pod_security.evaluate(_template(pod), following, pod.tree.settings.kubernetes_version)
    return found[0].message if found else "nothing"


def _template(pod: PodTemplate) -> dict[str, Any]:
    return {"metadata": pod.metadata.data, "spec": pod.data}
