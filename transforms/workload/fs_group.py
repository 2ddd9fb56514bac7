from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Evidence, Grade
from hardener.authoring.transform import Steps, transform
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.kustomize.overlays.states import signs
from hardener.tree.core_views import Container, PodTemplate

from ._user import NOBODY_ELSE, image_user, image_user_is_name
from ._volumes import keeps_others_out, mounts


@transform(each=PodTemplate, stage="user", after=("run-as-user", "run-as-non-root"))
def fs_group(pod: PodTemplate) -> Steps:
    """The volumes of a pod are open to the user that its containers now run as.

    Why: without a group of the volumes' own, what root could read and write is shut to the new user.

    May break: programs that refuse files which a group may read, such as ssh or PostgreSQL. The group and the modes of
    files on a persistent volume change, and reverting the manifest does not change them back.
    """
    if (
        "run-as-user" not in pod.changed_by
        or pod.tree.ask(Platforms).name == "openshift"
        or pod.has("securityContext", "fsGroup")
    ):
        return
    asking = [
        (container, fact) for container in pod.containers if _is_new(container) for fact in signs(container, _asks)
    ]
    if not asking:
        return
    rewritten = list(signs(pod, _rewritten))
    grade = Grade.BREAKING if rewritten else Grade.REVIEW
    evidence = [*(fact for _, fact in asking), *rewritten]
    group = _group(asking[0][0])
    for key, value in (("fsGroup", group), ("fsGroupChangePolicy", "OnRootMismatch")):
        yield pod.set("securityContext", key, to=value, grade=grade, basis=Basis.INFERRED, evidence=evidence)


def _is_new(container: Container) -> bool:
    """Whether this run took root from the container, as far as its number tells."""
    number, row = container.effective("runAsUser"), container.row
    if image_user(container) == "non-root":
        # Its own number is only written where another stood there, which was 0 (or by a profile that writes all).
        return not image_user_is_name(container) and number == container.facts.uid
    return number in {NOBODY_ELSE, row.uid if row is not None else None} - {None}


def _group(container: Container) -> int:
    row, number = container.row, container.effective("runAsUser")
    own = container.facts.gid
    if own and container.facts.uid == number:
        return own
    return row.gid if row is not None and row.gid is not None and row.uid == number else int(number)


def _asks(container: Container) -> Iterator[Evidence]:
    row = container.row
    for mount in mounts(container):
        if keeps_others_out(mount):
            yield mount.view.fact(f"only root may read what is mounted at {mount.path}", "mountPath")
        elif mount.writable and (mount.of_one_pod or (mount.persistent and not (row and row.pvc == "ok"))):
            yield mount.view.fact(f"the volume at {mount.path} belongs to root", "mountPath")


def _rewritten(pod: PodTemplate) -> Iterator[Evidence]:
    for container in pod.containers:
        for mount in mounts(container):
            if mount.persistent and mount.writable and mount.source == "persistentVolumeClaim":
                text = "modes of files on it are rewritten for good, and a revert in Git does not bring them back"
                yield mount.view.fact(text, "mountPath")
