"""What people wrote for an image elsewhere in the tree: a container that runs so shows how the image can run.

Only what was read counts, and of a container without a read-only root no path: what it writes to its image shows
nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.ledger import Asked, ImageLedger, Number
from hardener.facts.images.observations import observation
from hardener.facts.images.programs import Program, program_of
from hardener.kubernetes.images.config import NOBODY_ELSE, SOME_NUMBER
from hardener.kubernetes.images.general_purpose import is_general_purpose
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.pods.command_evidence import below, given_away
from hardener.kubernetes.pods.configured_paths import may_be_mounted
from hardener.tree.core_views import Container, OpaqueError, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

Whose = str | Program
"""The repository of an image, or a program."""

_HIGHEST = 2**31 - 1  # the API server refuses a higher one
_OURS = "harden-"  # how the volumes begin that a run adds
# What Kubernetes writes there itself is no need of the program.
_GIVEN = frozenset({"configMap", "secret", "projected", "downwardAPI", "image"})


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in the number that most of them have, and where they write."""
    if asked.program is None:
        return
    same = asked.tree.ask(SameImages)
    whose = _whose(asked.image, asked.program)
    _put_user(ledger, same.number(whose), same.non_root(whose))
    shown = same.read_only(asked.program)
    if shown is not None and shown.writable is not None:
        ledger.writable = (*shown.writable, *ledger.writable)
        if ledger.paths is None or not ledger.paths.whole:  # who read all of them knows more
            ledger.paths = Known(tuple(path.value for path in shown.writable), KnownBy.SAME_IMAGE, shown.where)


def _put_user(ledger: ImageLedger, number: SameImage | None, claim: SameImage | None) -> None:
    """Put in the ``number`` of another container, and the ``claim`` of one that it is a number."""
    # The number of the image's own user, or one that was looked up, says more.
    is_own = ledger.number is not None and (ledger.number.sure or ledger.kind_of_user in ("number", "name"))
    if number is not None and number.uid is not None and not is_own:
        place = f"{number.where} has the same image"
        text = f"{place}, and runs as {number.uid}"
        ledger.number = Known(Number(number.uid), KnownBy.SAME_IMAGE, place, text=text)
    if claim is not None and ledger.user is None:
        # Its kubelet refuses root, and a user that is a name only.
        ledger.user = Known(SOME_NUMBER, KnownBy.SAME_IMAGE, f"{claim.where} has the same image")


def _whose(image: ImageReference, program: Program) -> Whose:
    """Whose number that of a container is: of its image, and of an image that does nothing by itself that of what it is
    told to run."""
    return program if is_general_purpose(image) else program[0]


class SameImage(Struct, frozen=True):
    """How one container of an image runs.

    - `where`: the object and its file, for people.
    - `uid`: its number, None where none is written. `non_root`: it has none, is refused as root, and starts.
    - `writable`: what is mounted writable over its read-only root; None where its root is not read-only.
    """

    where: str
    uid: int | None
    non_root: bool
    writable: tuple[Known[str], ...] | None


class SameImages(AsRead):
    """The containers that say something of their image: by its repository spelled out, or by their program."""

    def __init__(self, tree: Tree) -> None:
        self._with_number: dict[Whose, list[SameImage]] = {}
        self._number: dict[Whose, SameImage] = {}  # as far as somebody asked
        self._non_root: dict[Whose, SameImage] = {}
        self._read_only: dict[Program, SameImage] = {}
        for pod in tree.pod_templates:
            try:
                for container in pod.containers:
                    self._add(container)
            except (OpaqueError, WrongShapeError):
                continue

    def _add(self, container: Container) -> None:
        if "securityContext" not in container.data and "securityContext" not in container.pod.data:
            return  # it says nothing of its image
        program = program_of(container)
        if program is None or container.image is None:
            return
        try:
            found = _of(container)
        except (OpaqueError, WrongShapeError):
            return
        if found is None:
            return
        whose = _whose(container.image, program)
        if found.uid:
            self._with_number.setdefault(whose, []).append(found)
        if found.non_root:
            self._non_root.setdefault(whose, found)
        if found.writable is not None:
            self._read_only.setdefault(program, found)

    def number(self, whose: Whose) -> SameImage | None:
        """A container with the number that most containers of ``whose`` run as; None where none is written."""
        found = self._with_number.get(whose)
        if found is not None and whose not in self._number:
            often = Counter(each.uid for each in found)
            self._number[whose] = max(found, key=lambda each: often[each.uid])  # of equals the first
        return self._number.get(whose)

    def non_root(self, whose: Whose) -> SameImage | None:
        """A container of ``whose`` that is refused as root and names no number; None where there is none."""
        return self._non_root.get(whose)

    def read_only(self, program: Program) -> SameImage | None:
        """A container with a read-only root that runs ``program``; None without one."""
        return self._read_only.get(program)


def _of(container: Container) -> SameImage | None:
    number = container.effective("runAsUser")
    uid = number if type(number) is int and 0 < number <= _HIGHEST and number != NOBODY_ELSE else None
    if uid is not None and _is_known_of_it_alone(container, uid):
        uid = None
    says_non_root = number is None and container.effective("runAsNonRoot") is True
    non_root = says_non_root and not _is_locked(container)
    read_only = container.get("securityContext", "readOnlyRootFilesystem") is True and not container.privileged
    if uid is None and not non_root and not read_only:
        return None
    file = container.object.piece.file.name
    where = f"container {container.name} of {container.object} in {file}"
    writable = tuple(_mounted(container, where)) if read_only else None
    return SameImage(where, uid, non_root, writable)


def _is_locked(container: Container) -> bool:
    """Whether the lock tells the user of the very image, so that a run writes runAsNonRoot by that alone: a second run
    would take it for what a person wrote, and another digest of the repository may have another user."""
    return container.locked is not None and container.locked.config.user is not None


def _is_known_of_it_alone(container: Container, uid: int) -> bool:
    """Whether a run writes ``uid`` by what is known of ``container`` and no other: it was seen to run so, or its pod
    gives it a volume. A second run would take that for something that a person wrote."""
    seen = observation(container)
    if seen is not None and seen.user == uid:
        return True
    if container.row is not None and container.row.uid == uid:  # which may be that of its tag alone
        return True
    own = {mount.text("name") for mount in container.items("volumeMounts") if mount.get("readOnly") is not True}
    others = (other for other in container.pod.containers if other.path != container.path)
    return any(uid in _given_by(other, own) for other in others)


def _given_by(container: Container, volumes: set[str | None]) -> Iterator[int]:
    """The users that ``container`` gives some of ``volumes`` to."""
    given = given_away(container.words)
    for mount in container.items("volumeMounts") if given else ():
        path = mount.text("mountPath")
        if path and mount.text("name") in volumes:
            yield from (each.uid for each in given if below(each.path, path) or (each.whole and below(path, each.path)))


def _mounted(container: Container, where: str) -> Iterator[Known[str]]:
    """Places that are mounted to be written to. One where an image may hold files counts only where the volume is the
    container's alone: what others put there first would be missing in a volume that is empty."""
    filled = _filled(container.pod)
    volumes = {volume.text("name"): volume for volume in container.pod.items("volumes")}
    for mount in container.items("volumeMounts"):
        volume, path = volumes.get(mount.text("name")), mount.text("mountPath")
        if (
            path
            and not (mount.text("name") or "").startswith(_OURS)
            and mount.get("readOnly") is not True
            and not (volume and _GIVEN.intersection(volume.keys()))
            and (mount.text("name") not in filled or may_be_mounted(path))
        ):
            text = f"{where} has the same image and a writable volume at {path}"
            yield Known(path, KnownBy.SAME_IMAGE, where, text=text)


def _filled(pod: PodTemplate) -> frozenset[str | None]:
    """The volumes of ``pod`` that hold files of the node, and those that several of its containers mount."""
    found: frozenset[str | None] | None = pod.__dict__.get("_filled")
    if found is None:  # each container asks
        names = Counter(
            name for each in pod.containers for name in {mount.text("name") for mount in each.items("volumeMounts")}
        )
        of_node = {volume.text("name") for volume in pod.items("volumes") if volume.has("hostPath")}
        found = pod.__dict__["_filled"] = frozenset({name for name, count in names.items() if count > 1} | of_node)
    return found
