from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.images.config import NOBODY_ELSE
from hardener.tree.core_views import Container, PodTemplate

from ._volumes import source

_GROUP = "runAsGroup"
_VOLUMES = "fsGroup"
_MORE = "supplementalGroups"
_LOWEST_OWN = 1000  # numbers below are those of the system in every distribution (SYS_GID_MAX of login.defs is 999)


@transform(
    each=PodTemplate, stage="user", severity=Severity.LOW,
    after=("fs-group", "run-as-non-root", "run-as-user"),
    classes=("node-agent", "control-plane", "partial", "system-namespace"), only_reports=True,
)  # fmt: skip
def root_group(pod: PodTemplate) -> Steps:
    """Replace the root group.

    Problem: the processes or volumes of the pod belong to the root group.

    Result: The processes and volumes of the pod belong to a group other than root.

    Why: files of root are often open to its group, in the image and on the node; as a member of group 0, a user who is
    not root can read and write them. If no group is named, a user that the image does not know is in group 0. A group
    below 1000 is a system group.

    May break: nothing, since it only reports: an image that is made for arbitrary users, as OpenShift runs them, keeps
    its files open to group 0 and needs it, and files on a volume keep the group that they were given.
    """
    fields = [key for key in (_GROUP, _VOLUMES) if _is_root(pod.get("securityContext", key))]
    groups = pod.strings("securityContext", _MORE)
    fields += [_MORE] if "0" in groups else []
    if fields:
        yield _finding(pod, pod, fields)
    for container in pod.containers:
        if _is_root(container.get("securityContext", _GROUP)):
            yield _finding(pod, container, [_GROUP])
    yield from _open_groups(pod)
    yield from _low_groups(pod)


def _open_groups(pod: PodTemplate) -> Iterator[Finding]:
    """The containers that get group 0 because nobody names one: a runtime takes the group from the passwd of the image.

    Source: the API reference (runAsGroup: "uses runtime default if unset"), and the OCI image specification (user: the
    group of it in the passwd of the image, else 0).
    """
    asking = [container for container in pod.containers if _is_open(container)]
    own = [each for each in asking if each.has("securityContext", "runAsUser")]
    views: list[PodTemplate | Container] = [pod, *own] if len(own) < len(asking) else [*own]
    for view in views:
        yield view.finding(
            f"no runAsGroup beside user {NOBODY_ELSE}: where the image does not know that user, its group is 0",
            "securityContext",
            "runAsUser",
            advice=f"write runAsGroup: {NOBODY_ELSE}, unless its image is made for arbitrary users, as OpenShift runs "
            "them: its files are open to group 0",
            severity=Severity.LOW,
            topic="user without runAsGroup",
        )


def _is_open(container: Container) -> bool:
    """Whether it runs as the user that harden takes for an image nobody knows, and no group is named."""
    is_guess = container.effective("runAsUser") == NOBODY_ELSE != known_image(container).uid
    return is_guess and container.effective(_GROUP) is None


def _low_groups(pod: PodTemplate) -> Iterator[Finding]:
    """The groups that may be one of the system, on the node too, and are not that of the image."""
    for view in (pod, *pod.containers):
        number = view.get("securityContext", _GROUP)
        reached = [view] if isinstance(view, Container) else [each for each in pod.containers if not _has_own(each)]
        if not _is_low(number) or any(known_image(container).gid == number for container in reached):
            continue
        yield view.finding(
            f"group {number} may also be a group of the node, where numbers below {_LOWEST_OWN} are of the system",
            "securityContext",
            _GROUP,
            advice=f"write a number from 10000 on as {_GROUP}, and give its files to it; keep it where files of the "
            "image belong to that group",
            severity=Severity.LOW,
            topic="group of the system",
        )


def _is_low(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 < number < _LOWEST_OWN


def _is_root(number: object) -> bool:
    return number == 0 and not isinstance(number, bool)


def _finding(pod: PodTemplate, view: PodTemplate | Container, fields: list[str]) -> Finding:
    names = fields[0] if len(fields) == 1 else f"{', '.join(fields[:-1])} and {fields[-1]}"
    shared = any(source(volume) == "hostPath" for volume in pod.items("volumes"))
    reach = "; it mounts a folder of the node, where files belong to that group" if shared else ""
    return view.finding(
        f"{names} {'names' if len(fields) == 1 else 'name'} group 0, that of root{reach}",
        "securityContext",
        fields[0],
        advice=f"{_advice(pod, view, fields)}; an image that is made for arbitrary users, as OpenShift runs them, "
        "needs group 0: leave it there",
        severity=Severity.MEDIUM if shared else Severity.LOW,
        topic="use of group 0, that of root",
    )


def _advice(pod: PodTemplate, view: PodTemplate | Container, fields: list[str]) -> str:
    parts = []
    if _GROUP in fields:
        reached = [view] if isinstance(view, Container) else [c for c in pod.containers if not _has_own(c)]
        known = {known_image(container).gid for container in reached}
        number = known.pop() if len(known) == 1 else None
        parts.append(
            f"write {number}, the group of its image, as {_GROUP}"
            if number
            else f"give it a group of its own ({_GROUP})"
        )
    if _VOLUMES in fields:
        parts.append(f"give its volumes a group of their own ({_VOLUMES}), which their files then keep")
    if _MORE in fields:
        parts.append(f"take 0 from {_MORE}")
    return ", ".join(parts)


def _has_own(container: Container) -> bool:
    return container.has("securityContext", _GROUP)
