"""Who a container runs as, and who it shall run as: the one decision behind the transforms of the stage "user"."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from hardener.authoring.edits import Basis, Evidence, Grade, WrongShapeError
from hardener.facts.images.container_commands import own_command
from hardener.facts.kustomize.overlays.states import signs, states
from hardener.kubernetes.image_config import LOCK
from hardener.support.fast_dataclass import dataclass
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

from ._need import root_evidence
from ._ports import low_ports
from ._volumes import Mount, keeps_others_out, mounts

User = Literal["non-root", "root", "unknown"]

NOBODY_ELSE = 65532
"""The number that images without a user of their own get: high enough to be no user of the node, within the range of
user namespaces, and what distroless images call nonroot."""

_POSTGRES = re.compile(r"(^|[-_.])(postgres|postgresql|postgis|timescaledb(-ha)?|pgvector|spilo)([-_.0-9]|$)")
# Their servers refuse files that a group may read or write, which an fsGroup makes of them.
_EXACT_MODES = re.compile(r"(^|[-_.])(rabbitmq|mongo|mongodb|etcd|sshd|openssh(-server)?|sftp)([-_.0-9]|$)")
_KEY_FILES = re.compile(r"/\.ssh(/|$)|id_(rsa|dsa|ecdsa|ed25519)|ssh[-_]?key|key-?file|\.erlang\.cookie|\.pgpass", re.I)
_PGDATA = "/var/lib/postgresql/data"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOptions:
    """``explicit``: every container names its user and group by number."""

    GROUP: ClassVar[str] = "user"
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The numbers that a container shall get; None where none is written."""

    container: Container
    uid: int | None
    gid: int | None
    grade: Grade
    basis: Basis
    evidence: list[Evidence]


def final_user(container: Container) -> User:
    """Who ``container`` runs as by the data as it is now, else by what is known of its image; where kustomizations
    make several of it, the worst."""
    users = final_users(container)
    return "root" if "root" in users else "unknown" if "unknown" in users else "non-root"


def final_users(container: Container) -> set[User]:
    """Whom ``container`` runs as, as it is written and as kustomizations patch it."""
    found = {_final_user(container)}
    for state in states(container)[1:]:
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
    """Who the image runs as by itself, as far as harden.lock or the image table know."""
    user = container.facts.user
    if user is None:
        return "unknown"
    return "root" if user == "root" else "non-root"


def image_user_is_name(container: Container) -> bool:
    """Whether the image names its user by a word, which the kubelet cannot tell from root."""
    return image_user(container) == "non-root" and not str(container.facts.user).isdecimal()


def decide(pod: PodTemplate, *, explicit: bool = False) -> list[Choice]:
    """The containers of ``pod`` that shall get numbers; those graded breaking show why they may need what they have."""
    return [choice for container in pod.containers if (choice := _choose(container, explicit)) is not None]


def _choose(container: Container, explicit: bool) -> Choice | None:
    number = container.effective("runAsUser")
    if number is not None and number != 0:
        return _group_of(container, number) if explicit and container.effective("runAsGroup") is None else None
    claimed = container.effective("runAsNonRoot") is True
    user: User = "root" if number == 0 else image_user(container)
    if user == "root" and not (claimed and number is None):
        return _instead_of_root(container, explicit)
    if user == "non-root" and (explicit or (image_user_is_name(container) and not claimed)):
        return _own_user(container)
    return _invented(container) if explicit and user == "unknown" else None


def _instead_of_root(container: Container, explicit: bool) -> Choice:
    row, facts = container.row, container.facts
    known = facts.uid is not None
    own = known and image_user(container) == "non-root"
    uid = facts.uid if facts.uid is not None else NOBODY_ELSE
    gid = (facts.gid if known else None) or (uid if explicit and not known else None)
    gid = gid if container.effective("runAsGroup") is None else None
    against = [*root_evidence(container), *user_evidence(container)]
    if container.pod.partial:
        against += low_ports(container).values()  # the setting that gives them back is one of the pod
    written = container.effective("runAsUser") == 0
    if not written and container.effective("runAsNonRoot") is False:
        against.append(Evidence("runAsNonRoot: false is written"))
    basis = Basis.INFERRED if known or against else Basis.ASSUMED
    about = f"no user of the image's own is known, so it gets {uid}"
    if image_user_is_name(container) and not known:
        about = f"the number of its own user, {facts.user}, is not known, so it gets {uid}"
    elif known:
        about = f"{facts.user_source}: its own user is {uid}" if own else f"image table: its service runs as {uid}"
    evidence = [*against, container.fact(about, "image")]
    if facts.proved and image_user(container) == "root" and not written:
        evidence.insert(len(against), container.fact(f"{facts.user_source}: its image runs as root", "image"))
    grade = Grade.BREAKING if against else Grade.REVIEW
    # The table speaks of the image's own command, and of files that everyone may read.
    plain = not written and own_command(container) and not any(map(_may_shut_out, mounts(container)))
    if known and row is not None and row.verified and plain and not against:
        grade = Grade.SAFE
    return Choice(container, uid, gid, grade, basis, evidence)


def _may_shut_out(mount: Mount) -> bool:
    return keeps_others_out(mount) or mount.persistent or mount.source == "hostPath"


def _own_user(container: Container) -> Choice | None:
    """The number of the user that the image runs as anyway."""
    facts, row = container.facts, container.row
    if facts.uid is None:
        return None
    gid = facts.gid if container.effective("runAsGroup") is None else None
    if facts.user == str(facts.uid):
        evidence = [container.fact(f"{facts.user_source}: its user is {facts.uid}", "image")]
        basis, sure = (Basis.PROVED if facts.proved else Basis.INFERRED), facts.sure
    elif facts.uid_source == LOCK:
        text = f"{LOCK}: its user is {facts.user}, which is {facts.uid} in /etc/passwd of the image"
        evidence, basis, sure = [container.fact(text, "image")], Basis.PROVED, True
    else:
        # The number of a name is in the image's passwd file; without harden lock --deep only the table has looked.
        evidence = [container.fact(f"image table: its user is {facts.user}, which is {facts.uid}", "image")]
        basis, sure = Basis.INFERRED, row is not None and row.verified is not None
    return Choice(container, facts.uid, gid, Grade.SAFE if sure else Grade.REVIEW, basis, evidence)


def _invented(container: Container) -> Choice:
    against = [*root_evidence(container), *user_evidence(container)]
    gid = NOBODY_ELSE if container.effective("runAsGroup") is None else None
    evidence = against or [container.fact(f"the user of its image is not known, so {NOBODY_ELSE} is taken", "image")]
    grade, basis = (Grade.BREAKING, Basis.INFERRED) if against else (Grade.REVIEW, Basis.ASSUMED)
    return Choice(container, NOBODY_ELSE, gid, grade, basis, evidence)


def _group_of(container: Container, number: int) -> Choice | None:
    facts = container.facts
    known = facts.uid == number
    gid = facts.gid if known else number
    if gid is None:
        return None
    text = f"{facts.user_source}: its group" if known else "no group is written, so it gets the number of its user"
    evidence = [container.fact(text, *(("image",) if known else ()))]
    return Choice(container, None, gid, Grade.REVIEW, Basis.INFERRED if known else Basis.ASSUMED, evidence)


def user_evidence(container: Container) -> Iterator[Evidence]:
    """Signs that the files of ``container`` belong to the user that it runs as now."""
    yield from signs(container, _user_evidence)


def _user_evidence(container: Container) -> Iterator[Evidence]:
    found = mounts(container)
    name = (container.image.name if container.image else None) or ""
    kept = [mount for mount in found if mount.persistent and mount.writable]
    for mount in kept:
        if container.row is None or container.row.pvc != "ok":
            yield mount.view.fact(f"files at {mount.path} belong to the user that wrote them", "mountPath")
        elif _EXACT_MODES.search(name) or _POSTGRES.search(name):
            yield mount.view.fact("its server refuses files whose modes an fsGroup has changed", "mountPath")
    if _POSTGRES.search(name):
        yield from _database_root(container, found)
    for mount in found:
        if _KEY_FILES.search(mount.path) and mount.source in ("secret", "projected"):
            yield mount.view.fact("keys there must be readable by their owner alone, who is root", "mountPath")
        elif keeps_others_out(mount) and not container.pod.has("securityContext", "fsGroup"):
            yield from _group_in_reach(container.pod, mount)


def _database_root(container: Container, found: list[Mount]) -> Iterator[Evidence]:
    row = container.row
    default = _PGDATA if row is None or not row.writable or _PGDATA in row.writable else ""
    folder = posixpath.normpath(container.env.get("PGDATA") or default)
    for mount in found:
        if folder == posixpath.normpath(mount.path):
            text = f"PGDATA is the root of a volume, which belongs to root; {folder}/pgdata would be the server's own"
            yield mount.view.fact(text, "mountPath")


def _group_in_reach(pod: PodTemplate, secret: Mount) -> Iterator[Evidence]:
    """Root alone may read a file; an fsGroup would help, if it did not rewrite a volume of the pod as well."""
    for container in pod.containers:
        for mount in mounts(container):
            if mount.persistent and mount.writable:
                yield secret.view.fact("only root may read it, and an fsGroup would also rewrite a volume", "mountPath")
                return
