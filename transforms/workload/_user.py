"""Who a container runs as, and who it shall run as: the one decision behind the transforms of the stage "user"."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from msgspec import Struct

from hardener.authoring.edits import Basis, Evidence, WrongShapeError
from hardener.authoring.known import Known
from hardener.authoring.verdict import Verdict, verdict
from hardener.facts.images.container_commands import own_command
from hardener.facts.images.known_image import known_image
from hardener.facts.images.ledger import ImageLedger
from hardener.facts.images.products import has_image_of_data_store, product_row
from hardener.facts.images.root_starts import root_start
from hardener.facts.images.what_starts import unknown_start
from hardener.facts.kustomize.overlays.states import patched, signs
from hardener.facts.objects.volume_claims import OF_ONE_NODE, VolumeClaims
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.kubernetes.images.config import NOBODY_ELSE
from hardener.kubernetes.pods.command_evidence import below, given_away
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

from ._data_folders import is_database_root, is_its_own, refuses_group
from ._need import root_evidence
from ._ports import likely_low_ports, low_ports
from ._products import product_evidence
from ._volumes import Mount, keeps_others_out, mounts
from ._writable import out_of_reach

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


User = Literal["non-root", "root", "unknown"]

_KEY_FILES = re.compile(r"/\.ssh(/|$)|id_(rsa|dsa|ecdsa|ed25519)|ssh[-_]?key|key-?file|\.erlang\.cookie|\.pgpass", re.I)
# What an image runs as by itself, of which no number is known.
_UNNUMBERED = {
    "name": "its image runs as {}, whose number is not known",
    "root": "its image runs as root, and no other user of it is known",
    "number": "its image runs as a number that is not known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOptions:
    """``explicit``: every container names its user and group by number."""

    GROUP: ClassVar[str] = "user"
    explicit: bool = False


class Choice(Struct, frozen=True):
    """The numbers that a container shall get; None where none is written.

    ``volumes``: those that outlive the pod and whose files were written by another user, each as a fact.
    """

    container: Container
    uid: int | None
    gid: int | None
    verdict: Verdict
    volumes: Sequence[Evidence] = ()


def final_user(container: Container) -> User:
    """Who ``container`` runs as by the data as it is now, else by what is known of its image; where kustomizations
    make several of it, the worst."""
    if not container.tree.kustomizations:
        return _final_user(container)
    users = final_users(container)
    return "root" if "root" in users else "unknown" if "unknown" in users else "non-root"


def final_users(container: Container) -> set[User]:
    """Whom ``container`` runs as, as it is written and as kustomizations patch it."""
    found = {_final_user(container)}
    for state in patched(container):
        try:
            found.add(_final_user(state))
        except (OpaqueError, WrongShapeError):
            found.add("unknown")
    return found


def _final_user(container: Container) -> User:
    number = container.effective("runAsUser")
    if number is not None:
        return "root" if number == 0 else "non-root"
    if container.effective("runAsNonRoot") is True:
        return "non-root"
    return image_user(container)


def image_user(container: Container) -> User:
    """Who the image runs as by itself, as far as that is known."""
    kind = known_image(container).kind_of_user
    return "root" if kind == "root" else "unknown" if kind == "unknown" else "non-root"


def image_user_is_name(container: Container) -> bool:
    """Whether the image names its user by a word, which the kubelet cannot tell from root."""
    return known_image(container).kind_of_user == "name"


def decide(pod: PodTemplate, *, explicit: bool = False) -> list[Choice]:
    """The containers of ``pod`` that shall get numbers; those graded breaking show why they may need what they have."""
    return [choice for container in pod.containers if (choice := _choose(container, explicit)) is not None]


def _choose(container: Container, explicit: bool) -> Choice | None:
    number = container.effective("runAsUser")
    if number is not None and number != 0:
        return _group_of(container, number) if explicit and container.effective("runAsGroup") is None else None
    kind = known_image(container).kind_of_user
    if number is None:
        if kind == "number":
            return _own_user(container, explicit) if explicit else None
        # A kubelet that starts it shows that its user is a number, whichever that is.
        if container.effective("runAsNonRoot") is True and not explicit:
            return None
        if kind == "name" and known_image(container).uid is not None:
            return _own_user(container, explicit)
    return _instead(container, explicit)


def _own_user(container: Container, explicit: bool) -> Choice | None:
    """The number of the user that the image runs as anyway."""
    known = known_image(container)
    if known.number is None:
        return None
    number = known.number.value
    gid = number.gid if explicit and container.effective("runAsGroup") is None else None
    origin: Known[Any] = known.number
    if known.user is not None and known.user.value == str(number.uid):
        origin, fact = known.user, known.user.fact(container, f"its user is {number.uid}")
    elif known.number.text is not None:
        fact = known.number.fact(container)
    else:
        # The number of a name is in the image's passwd file.
        text = f"its user is {known.user_name}, which is {number.uid}{number.listed or ''}"
        fact = known.number.fact(container, text)
    found = verdict(known=[fact], sure=origin.sure, basis=origin.basis)
    return Choice(container, number.uid, gid, found)


def _instead(container: Container, explicit: bool) -> Choice:
    """A number in the place of root, of a user that is a name, or of one that nobody knows."""
    facts = known_image(container)
    owner = owner_of_volumes(container)
    if facts.number is not None:
        uid, group, why = facts.number.value.uid, facts.gid, _why(container)
    elif owner is not None:
        uid, group, why = owner.uid, owner.uid, owner.says("so it gets that number")
    else:
        uid, group, why = NOBODY_ELSE, NOBODY_ELSE, _why(container)
    gid = group if explicit and container.effective("runAsGroup") is None else None
    against = [*root_evidence(container), *user_evidence(container), *sibling_evidence(container)]
    against += out_of_reach(container, uid)
    is_known = not is_guess(container)
    if not is_known:
        against += unnumbered_evidence(container)
    elif container.pod.partial:
        against += low_ports(container).values()  # the setting that gives them back is one of the pod
    found = verdict(
        against=against,
        known=[why] if is_known else (),
        unknown=() if is_known else [why],
        doubts=[
            *([owner.says(f"and not to {uid}")] if owner is not None and owner.uid != uid else ()),
            *_used_as_root(container),
        ],
        sure=not against and _is_sure(container),
    )
    return Choice(container, uid, gid, found, list(signs(container, _kept_volumes)))


def _used_as_root(container: Container) -> Iterator[Evidence]:
    """What it was recorded to do as root, and would do without as another user."""
    used = known_image(container).used_capabilities
    if used is not None and used.value:
        yield used.fact(container, f"it used {', '.join(used.value)}, which another user does not have")


def is_guess(container: Container) -> bool:
    """Whether nothing tells which number other than root ``container`` could run as; see docs/design/decisions.md 9."""
    known = known_image(container)
    return known.number is None and known.any_number is None and owner_of_volumes(container) is None


def runs_as_known_user(container: Container) -> bool:
    """Whether ``container`` does not run as root, by what a person wrote or by what is known of its image."""
    number = container.effective("runAsUser")
    if number is not None:
        # An earlier run may have written 65532 as a guess: for an image that nobody knows it stays one.
        is_written = number != NOBODY_ELSE and container.tree.ask(WrittenContexts).number(container) == number
        return bool(number != 0 and (is_written or not is_guess(container)))
    if container.effective("runAsNonRoot") is True:
        return True
    return known_image(container).kind_of_user in ("number", "name")


def sibling_evidence(container: Container) -> Iterator[Evidence]:
    """What an author wrote for ``container``, where nothing but another container with its image shows that it may be
    otherwise."""
    if not known_image(container).user_shows_elsewhere:
        return
    for written, is_set in (
        ("runAsUser: 0", container.effective("runAsUser") == 0),
        ("runAsNonRoot: false", container.effective("runAsNonRoot") is False),
    ):
        if is_set:
            key = written.partition(":")[0]
            holder = container if container.has("securityContext", key) else container.pod
            text = f"{written} is set, and what another container does with its image is no reason to take it away"
            yield holder.fact(text, "securityContext", key)


def unnumbered_evidence(container: Container) -> Iterator[Evidence]:
    """Signs that a number which says nothing of the image of ``container`` is not the one that it needs."""
    yield from likely_low_ports(container).values()
    yield from product_evidence(container)


def _is_sure(container: Container) -> bool:
    """Whether what is known of the image shows that it runs as the number that is known for it."""
    # The table speaks of the image's own command, and of files that everyone may read.
    if not known_image(container).is_sure_of_number or not own_command(container):
        return False
    return container.effective("runAsUser") != 0 and not any(map(_may_shut_out, mounts(container)))


def _why(container: Container) -> Evidence:
    """Why it gets the number that it gets."""
    known, is_root = known_image(container), container.effective("runAsUser") == 0
    if known.number is None:
        return _why_another(container, known)
    number, kind = known.number, known.kind_of_user
    if number.text is not None:
        return number.fact(container)
    if known.user is not None and kind == "number":
        return known.user.fact(container, f"its own user is {number.value.uid}")
    serves = number.says(f"its service runs as {number.value.uid}")
    if known.user is not None and kind == "root" and known.user.by.proves and not is_root:
        return known.user.fact(container, f"its image runs as root; {serves}")
    return container.fact(serves, "image")


def _why_another(container: Container, known: ImageLedger) -> Evidence:
    """Why it gets a number that says nothing of its image."""
    text, is_root = f"so it gets {NOBODY_ELSE}", container.effective("runAsUser") == 0
    if known.any_number is not None:
        return known.any_number.fact(container, f"it works as any user, {text}")
    if known.user is None or (known.kind_of_user == "root" and is_root):
        return container.fact(f"the user of its image is not known, {text}", "image")
    return known.user.fact(container, f"{_UNNUMBERED[known.kind_of_user].format(known.user.value)}, {text}")


def unknown_user(container: Container) -> OpaqueError | None:
    """What keeps it from being known whether ``container`` can run as another user: an expression decides what starts,
    or the pod that holds its volumes is made elsewhere."""
    opaque = unknown_start(container)
    if opaque is None and container.pod.is_fragment and container.pod.partial:
        mount = next((mount for mount in mounts(container) if mount.volume is None and mount.writable), None)
        if mount is not None:
            return OpaqueError(
                "a volume of a pod that is made elsewhere",
                mount.view.path[1:],
                "mounts",
                "set the user where the pod is made: whom the files of the volume belong to shows there",
            )
    return opaque


def may_gain_containers(pod: PodTemplate) -> bool:
    """Whether a program may add containers that would inherit what is written for the whole pod."""
    for key in ("initContainers", "containers"):
        try:
            pod.check_whole(key)
        except OpaqueError:
            return True
        except WrongShapeError:
            continue  # the API server refuses it
    return False


def _may_shut_out(mount: Mount) -> bool:
    return keeps_others_out(mount) or mount.persistent or mount.source == "hostPath"


def _group_of(container: Container, number: int) -> Choice | None:
    facts = known_image(container)
    known = facts.uid == number
    gid = facts.gid if known else number
    if gid is None:
        return None
    if known and facts.number is not None:
        return Choice(container, None, gid, verdict(known=[facts.number.fact(container, "its group")], sure=False))
    fact = container.fact("no group is written, so it gets the number of its user")
    return Choice(container, None, gid, verdict(doubts=[fact], basis=Basis.ASSUMED))


def user_evidence(container: Container) -> Iterator[Evidence]:
    """Signs that ``container`` starts as the user that it runs as now alone, or that its files belong to that user."""
    yield from signs(container, _user_evidence)


def _user_evidence(container: Container) -> Iterator[Evidence]:
    if (needs_root := root_start(container)) is not None:
        yield needs_root
    found = mounts(container)
    kept = [mount for mount in found if mount.persistent and mount.writable]
    shut = [mount.view.fact(text, "mountPath") for mount in kept if (text := against_group(container, mount))]
    yield from shut
    if kept and not shut and not container.pod.has("securityContext", "fsGroup"):
        text = f"files at {kept[0].path} need an fsGroup, which reaches every volume of the pod:"
        yield from _group_in_reach(container.pod, kept[0], text)
    yield from _database_root(container, found)
    for mount in found:
        if _KEY_FILES.search(mount.path) and mount.source in ("secret", "projected"):
            yield mount.view.fact("keys there must be readable by their owner alone, who is root", "mountPath")
        elif keeps_others_out(mount) and not container.pod.has("securityContext", "fsGroup"):
            yield from _group_in_reach(container.pod, mount, "only root may read it, and with an fsGroup,")


def against_group(container: Container, mount: Mount) -> str | None:
    """Why an fsGroup does not open the files of a volume that is kept to a new user; None where it does."""
    row = product_row(container)
    if refuses_group(container, mount):
        return "its server refuses files whose modes an fsGroup changed"
    takes_group = (row is not None and row.pvc == "ok") or container.pod.get("securityContext", "fsGroup")
    if takes_group or is_its_own(container, mount):
        return None
    if has_image_of_data_store(container):  # a Job may work on the files of one
        reason: str | None = "a data store may refuse to share them with a group"
    else:
        reason = _against_sharing(container, mount)
    return f"files at {mount.path} belong to the user that wrote them, and {reason}" if reason is not None else None


def _against_sharing(container: Container, mount: Mount) -> str | None:
    """Why the volume may be in use by pods that an fsGroup does not reach; None for a claim of one node."""
    if mount.source != "persistentVolumeClaim":
        return "an fsGroup may not open them"
    modes = container.tree.ask(VolumeClaims).access_modes(container.pod, mount.view.text("name") or "")
    if modes is None:
        return "the tree does not show whether other pods share the claim"
    if not modes <= OF_ONE_NODE:
        return f"pods of other nodes may share the claim ({', '.join(sorted(modes))})"
    return None


def _kept_volumes(container: Container) -> Iterator[Evidence]:
    for mount in mounts(container):
        if mount.persistent and mount.writable:
            text = f"an fsGroup opens volume {mount.view.text('name')} at {mount.path}; its files keep that group"
            yield mount.view.fact(text, "mountPath")


def _database_root(container: Container, found: list[Mount]) -> Iterator[Evidence]:
    for mount in found:
        if is_database_root(container, mount.path):
            folder = posixpath.normpath(mount.path)
            text = f"PGDATA is the root of a volume, which belongs to root; {folder}/pgdata would be the server's own"
            yield mount.view.fact(text, "mountPath")


def _group_in_reach(pod: PodTemplate, asking: Mount, text: str) -> Iterator[Evidence]:
    """``text`` says why ``asking`` needs an fsGroup; it would help, if it did not shut a volume of the pod."""
    against: tuple[frozenset[str], str | None] | None = pod.__dict__.get("_shut")
    if against is None or against[0] != pod.changed_by:  # each container asks
        against = pod.__dict__["_shut"] = pod.changed_by, next(_shut(pod), None)
    if against[1] is not None:
        yield asking.view.fact(f"{text} {against[1]}", "mountPath")


def _shut(pod: PodTemplate) -> Iterator[str]:
    for container in pod.containers:
        for mount in mounts(container):
            if mount.persistent and mount.writable and (text := against_group(container, mount)):
                yield text
