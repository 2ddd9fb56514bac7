from __future__ import annotations

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.images.files import ImageFiles
from hardener.tree.core_views import Container, PodTemplate

_FIELD = "supplementalGroupsPolicy"
_FIRST_VERSION = (1, 33)  # on by default since then (KEP-3619); stable in 1.35
_MOST = 5
_RUNTIMES = Evidence("the runtimes of the nodes are not known: older ones refuse the pod")


@transform(each=PodTemplate, stage="user", severity=Severity.LOW, after=("fs-group", "run-as-user"))
def supplemental_groups_strict(pod: PodTemplate) -> Steps:
    """Set supplementalGroupsPolicy: Strict.

    Problem: the group file of the image adds groups to the processes of the pod.

    Result: The processes have only the groups that the manifest names.

    Why: by default the group file of an image adds groups: whoever builds the image decides which files of a volume or
    of the node its processes may read, and no admission policy can check it.

    May break: files that only such a group may read are out of reach. It needs containerd 2.0 or CRI-O 1.31: a node
    with an older runtime refuses the pod.
    """
    if pod.get("securityContext", _FIELD) is not None or pod.tree.settings.kubernetes_version < _FIRST_VERSION:
        return
    known, against, unknown = [], [], []
    for container in pod.containers:
        groups = _groups(container)
        if groups is None:
            unknown.append(f"container {container.name}")
        elif groups:
            against.append(Evidence(f"the image of container {container.name} puts its user into {_named(groups)}"))
        else:
            known.append(Evidence(f"the image of container {container.name} puts its user into no other group"))
    named = ", ".join(unknown[:_MOST])
    open_ = [Evidence(f"what the group file of the image adds is not known: {named}")] if unknown else []
    found = verdict(against=against, known=known, unknown=open_, doubts=[_RUNTIMES])
    yield pod.set("securityContext", _FIELD, to="Strict", **found.words)


def _groups(container: Container) -> tuple[int, ...] | None:
    """The groups that the image adds to the user of ``container``; None where that is not known."""
    known = known_image(container)
    files: ImageFiles | None = known.files.value if known.files is not None else None
    user = container.effective("runAsUser")
    if files is None or files.groups is None or user not in (None, files.uid):
        return None
    return files.groups


def _named(groups: tuple[int, ...]) -> str:
    return f"group{'s' if len(groups) > 1 else ''} {', '.join(map(str, groups[:_MOST]))}"
