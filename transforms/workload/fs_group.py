from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Evidence
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import signs
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.tree.core_views import Container, PodTemplate

from ._user import against_group
from ._volumes import keeps_others_out, mounts


@transform(each=PodTemplate, stage="user", after=("run-as-user", "run-as-non-root"))
def fs_group(pod: PodTemplate) -> Steps:
    """Set fsGroup for volumes of non-root pods.

    Problem: the non-root user of the pod has no group that can use its volumes.

    Result: The volumes of the pod are accessible to the user that its containers run as.

    Why: without a group for the volumes, the new user cannot open files that only root could read and write.

    May break: programs that refuse files which a group may read, such as ssh or PostgreSQL. The group and the modes of
    files on a persistent volume change, and reverting the manifest does not change them back.
    """
    if (
        "run-as-user" not in pod.changed_by
        or pod.tree.ask(Platforms).of(pod.object) == "openshift"
        or pod.has("securityContext", "fsGroup")
    ):
        return
    asking = [
        (container, fact) for container in pod.containers if _is_new(container) for fact in signs(container, _asks)
    ]
    if not asking:
        return
    why = [fact for _, fact in asking]
    found = verdict(why=why, against=signs(pod, _shut), effect=Effect.WATCHED, basis=Basis.INFERRED)
    group = _group(asking[0][0])
    for key, value in (("fsGroup", group), ("fsGroupChangePolicy", "OnRootMismatch")):
        yield pod.set("securityContext", key, to=value, **found.words)


def _is_new(container: Container) -> bool:
    """Whether this run gave the container another user."""
    facts, number = known_image(container), container.effective("runAsUser")
    if number == container.tree.ask(WrittenContexts).number(container):
        return False
    return not (facts.kind_of_user in ("number", "name") and number == facts.uid)


def _group(container: Container) -> int:
    facts, number = known_image(container), container.effective("runAsUser")
    return facts.gid if facts.gid and facts.uid == number else int(number)


def _asks(container: Container) -> Iterator[Evidence]:
    for mount in mounts(container):
        if keeps_others_out(mount):
            yield mount.view.fact(f"only root may read what is mounted at {mount.path}", "mountPath")
        elif mount.writable and mount.of_one_pod:
            yield mount.view.fact(f"the volume at {mount.path} belongs to root", "mountPath")


def _shut(pod: PodTemplate) -> Iterator[Evidence]:
    """Volumes that it would not open to the new user."""
    for container in pod.containers:
        for mount in mounts(container):
            if mount.persistent and mount.writable and (text := against_group(container, mount)):
                yield mount.view.fact(text, "mountPath")
