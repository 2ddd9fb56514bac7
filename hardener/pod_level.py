"""The Pod Security level of a pod of the tree, at the Kubernetes version of the run."""

from __future__ import annotations

from typing import Any

from hardener.kubernetes import pod_security
from hardener.views import PodTemplate


def level_of(pod: PodTemplate) -> str:
    """The highest level that ``pod`` reaches as it is now: "privileged", "baseline" or "restricted"."""
    return pod_security.level_of(_template(pod), pod.tree.settings.kubernetes_version)


def violations(pod: PodTemplate, level: str) -> list[pod_security.Violation]:
    """What keeps ``pod`` from ``level``."""
    return pod_security.evaluate(_template(pod), level, pod.tree.settings.kubernetes_version)


def next_violation(pod: PodTemplate) -> str:
    """The first thing that keeps ``pod`` from the level above its own, in the words of Kubernetes."""
    reached = level_of(pod)
    following = "baseline" if reached == "privileged" else "restricted"
    found = violations(pod, following)
    return found[0].message if found else "nothing"


def _template(pod: PodTemplate) -> dict[str, Any]:
    return {"metadata": pod.metadata.data, "spec": pod.data}
