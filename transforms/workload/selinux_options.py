from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Edit, Evidence
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.kubernetes.pod_security import allowed_se_linux_types
from hardener.tree.core_views import PodTemplate, View

_OPTIONS = ("securityContext", "seLinuxOptions")


@transform(each=PodTemplate, stage="seccomp", pss="baseline")
def selinux_options(pod: PodTemplate) -> Steps:
    """Remove SELinux options that lift confinement.

    Problem: the pod lifts the SELinux rules for containers.

    Result: SELinux confines every container.

    Why: another type, user or role lifts the rules that protect the node's files from a process that escapes its
    container.

    May break: programs that need files of the node which containers may not touch are refused on nodes with SELinux.
    """
    allowed = allowed_se_linux_types(pod.tree.settings.kubernetes_version)
    for view in (pod, *pod.containers):
        edits = list(_edits(view, allowed))
        if edits:
            yield edits


def _edits(view: View, allowed: tuple[str, ...]) -> Iterator[Edit]:
    type_name = view.get(*_OPTIONS, "type")
    chosen = bool(type_name) and type_name not in allowed
    gone = [key for key in ("user", "role", "type") if view.get(*_OPTIONS, key) and (key != "type" or chosen)]
    if not gone:
        return
    against = []
    if chosen:
        # User, role and type are one label: without its type the rest of it may be none that the policy knows.
        against = [view.fact(f"type {type_name} is set, which is no type for containers", *_OPTIONS, "type")]
    found = verdict(against=against, absent=[Evidence("the runtime sets the user and role of containers")])
    for path in _places(view, gone):
        yield view.drop(*path, **found.words)


def _places(view: View, gone: list[str]) -> list[tuple[str, ...]]:
    """What is removed, with the mappings that would be left empty."""
    if set(view.keys(*_OPTIONS)) - set(gone):
        return [(*_OPTIONS, key) for key in gone]
    return [_OPTIONS if len(view.keys("securityContext")) > 1 else _OPTIONS[:1]]
