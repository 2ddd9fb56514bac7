"""Volumes that another container of a pod gives to a number, as init containers do before the program starts."""

from collections.abc import Iterator

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.kubernetes.pods.command_evidence import below, given_away
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

from ._volumes import mounts

_MOST = 4  # owners of one volume that are told apart
_MOST_GIVEN = 100  # paths of one container that are looked at


class Owner(Struct, frozen=True):
    """The number that a volume is given to, by which container, and that for people."""

    uid: int
    by: Container
    text: str

    def says(self, more: str) -> Evidence:
        """Return the fact that goes on with ``more``, what follows from it."""
        return self.by.fact(f"{self.text}, {more}", "command" if self.by.has("command") else "args")


_NOTHING: dict[str | None, list[Owner]] = {}  # what most pods give


def owner_of_volumes(container: Container) -> Owner | None:
    """Return the number that other containers of the pod give a volume which ``container`` writes to; None where they
    give none, and where they give it to several."""
    kept = container.pod.__dict__
    if "_given" not in kept:  # each container asks
        kept["_given"] = _given(container.pod)
    given: dict[str | None, list[Owner]] = kept["_given"]
    own = mounts(container)
    if not given or not own:
        return None
    writable = {mount.view.text("name") for mount in own if mount.writable}
    found = [owner for volume in sorted(filter(None, writable)) for owner in given.get(volume, ())]
    found = [owner for owner in found if owner.by.path != container.path]
    return found[0] if len({owner.uid for owner in found}) == 1 else None


def _given(pod: PodTemplate) -> dict[str | None, list[Owner]]:
    """By the name of a volume; of many that it is given to the first."""
    found: dict[str | None, list[Owner]] = {}
    for container in pod.containers:
        try:
            for volume, owner in _given_by(container):
                owners = found.setdefault(volume, [])
                if len(owners) < _MOST and all((owner.uid, owner.by) != (each.uid, each.by) for each in owners):
                    owners.append(owner)
        except (OpaqueError, WrongShapeError):
            continue  # filled in later
    return found or _NOTHING


def _given_by(container: Container) -> Iterator[tuple[str | None, Owner]]:
    given = given_away(container.words)[:_MOST_GIVEN]
    for mount in mounts(container) if given else ():
        for each in given:
            if mount.path and (below(each.path, mount.path) or (each.whole and below(mount.path, each.path))):
                volume = mount.view.text("name")
                text = f"container {container.name} gives volume {volume} to user {each.uid}"
                yield volume, Owner(each.uid, container, text)
