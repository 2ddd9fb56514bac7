"""What a container has to write to under a read-only root, and what speaks against one: from what is known of its
image, from its variables and flags, and from its commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.authoring.known import Known, items
from hardener.facts.images.container_commands import Speaker, every_word, spoken
from hardener.facts.images.image_scripts import writes_by_variables
from hardener.facts.images.known_image import known_image
from hardener.facts.images.ledger import ImageLedger
from hardener.facts.images.products import product_row, runs_data_store
from hardener.facts.kustomize.overlays.states import patched, signs
from hardener.facts.objects.config_data import ConfigFolders
from hardener.kubernetes.images.files import ImageFiles
from hardener.kubernetes.pods.command_evidence import below, writes
from hardener.kubernetes.pods.configured_paths import may_be_mounted, one_run, told_paths
from hardener.tree.core_views import Container, OpaqueError

from ._data_folders import is_database_root
from ._image_folders import EVERYBODYS, empty, files_in_tmp, folders
from ._volumes import mounts

FIELD = ("securityContext", "readOnlyRootFilesystem")
_OF_PROGRAMS = ("/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/app")  # where an image keeps what it runs with


class Needs(Struct):
    """Paths that get a volume, with the reason, and facts against a read-only root. ``inert``: no way of running the
    container lets its user write elsewhere anyway, as each of ``proofs`` says."""

    volumes: dict[str, Evidence]
    against: list[Evidence]
    doubts: list[Evidence]
    inert: bool = True
    proofs: list[Evidence] = []
    _places: set[str] = set()

    def __post_init__(self) -> None:
        self._places = {one_run(path) for path in self.volumes}

    def has_volume(self, path: str) -> bool:
        """Whether ``path`` itself gets a volume, however it is spelled."""
        return one_run(path) in self._places

    def add_volume(self, path: str, reason: Evidence) -> None:
        """Give ``path`` a volume."""
        self.volumes[path] = reason
        self._places.add(one_run(path))


def needs(container: Container) -> Needs:
    """What ``container`` needs as it is written, and as kustomizations patch it."""
    found = Needs({}, [], [])
    _weigh(container, found)
    if container.get(*FIELD) is False and not found.inert:
        # Who wrote it may know of a path that shows nowhere else.
        found.against.append(
            container.fact("false is set, and not every path that the container writes to is known", *FIELD)
        )
    for state in patched(container):
        other = Needs(dict(found.volumes), [], [])
        try:
            if state.get(*FIELD) is not False and not state.privileged:
                _weigh(state, other)
        except (OpaqueError, WrongShapeError):
            found.inert = False
            continue
        found.inert = found.inert and other.inert
        for path, reason in other.volumes.items():
            _place(container, found, path, reason)
        for known, more in ((found.against, other.against), (found.doubts, other.doubts)):
            known += (fact for fact in more if fact.text not in {each.text for each in known})
    return found


def _weigh(container: Container, found: Needs) -> None:
    """What the container, as it is written or as a kustomization patches it, needs."""
    known = known_image(container)
    found.against += _signs_against(container, known)
    if container.row is None or container.row.tmp != "no":
        _place(container, found, "/tmp", Evidence("/tmp is where programs put temporary files"))
    hidden = files_in_tmp(container)
    if "/tmp" in found.volumes and hidden is not None:
        _hide(container, found, hidden)
    for path in known.writable:
        _place(container, found, path.value, path.fact(container))
    for volume in _volumes(container):
        _declared(container, found, volume, known.volumes)
    _of_image(container, found)
    for path in known.owned:
        if not is_mounted(container, path.value):
            found.doubts.append(container.fact(f"{path.text}, which becomes read-only", "image"))
    workdir = _workdir(container, known)
    _told(container, found, workdir)
    _commands(container, found, known, workdir)


def _signs_against(container: Container, known: ImageLedger) -> Iterator[Evidence]:
    """What is known of the image that speaks against a read-only root."""
    if known.read_only is not None and not known.read_only.value:
        yield known.read_only.fact(container, "it does not run with a read-only root")
    yield from _kept_in_image(container, known)
    row = product_row(container)
    if row is not None and row.match == "nginx" and is_mounted(container, "/etc/nginx/templates"):
        yield container.fact("its entrypoint writes /etc/nginx/conf.d from the templates mounted")
    yield from (path.fact(container) for path in known.hiding if not is_mounted(container, path.value))


def _kept_in_image(container: Container, known: ImageLedger) -> Iterator[Evidence]:
    """That a data store of which nobody knows the folder and the number has no volume for its data."""
    is_looked_up = known.number is not None and known.number.by.of_image
    if not runs_data_store(container) or known.says_where_it_writes or is_looked_up:
        return
    if not any(mount.writable for mount in mounts(container)):
        yield container.fact("a data store without a volume writes to its image", "image")


def out_of_reach(container: Container, uid: int) -> Iterator[Evidence]:
    """What ``container`` is seen to write in its image, where user ``uid``, which it shall get, may not: what holds a
    read-only root holds the user as well, unless the place is that user's."""
    yield from signs(container, lambda state: _out_of_reach(state, uid))


def _out_of_reach(container: Container, uid: int) -> Iterator[Evidence]:
    known = known_image(container)
    if known.kind_of_user == "root":  # it belongs to root, or to a number that its entrypoint takes
        yield from _kept_in_image(container, known)
    workdir = _workdir(container, known)
    for path, speaker in spoken(container, lambda words: _written(words, workdir)):
        if path is not None:
            if not _may_write(container, known, path, uid):
                yield speaker.says(f"writes to {path}, where user {uid} may not")
        elif workdir is None or not is_mounted(container, workdir):
            yield speaker.says("installs packages when it starts")
    for path, fact in writes_by_variables(container):
        if not _may_write(container, known, path, uid):
            yield Evidence(f"{fact.text}, where user {uid} may not", fact.piece, fact.path)
    for each in known.written_as_any:
        if not _may_write(container, known, each.value, uid):
            yield each.fact(container, f"it writes to {each.value}, where user {uid} may not")


def _may_write(container: Container, known: ImageLedger, path: str, uid: int) -> bool:
    """Whether user ``uid`` may write to ``path``: in a volume, where everybody may, or in a folder of its own."""
    if is_mounted(container, path) or _root_of(container, path) is not None:
        return True
    if known.files is not None and known.files.value.about(uid):
        own = known.files.value.occupied
    else:
        own = tuple(each.value for each in known.owned) if known.uid == uid else ()
    return any(_below(path, place) for place in (*EVERYBODYS, *own))


def _of_image(container: Container, found: Needs) -> None:
    """What the files of the image show: folders made for its user to write to, and where else that user may write."""
    row, files, known = container.row, folders(container), known_image(container)
    # Who tried a read-only root knows more.
    if files is None or (row is not None and (row.writable or row.rofs == "ok")):
        found.inert = False
        return
    for path in files.made:
        reason = files.files.fact(container, f"its image has the empty folder {path} for its user")
        _place(container, found, path, reason)
    if files.files.value.writer is not None and "run-as-user" in container.pod.changed_by:
        found.inert = False  # whether it works as this user is not proved
    found.doubts += files.doubts(container, lambda path: is_mounted(container, path))
    user = container.effective("runAsUser") or known.uid
    found.proofs.append(files.files.fact(container, f"user {user} may write nowhere else in its image"))


def _hide(container: Container, found: Needs, hidden: Known[ImageFiles]) -> None:
    """Say that the files of the image in /tmp are ``hidden`` by a volume."""
    named = [word for word in every_word(container) if word.startswith("/tmp/")]
    if named:
        text = f"its image has files in /tmp, which a volume hides, and it is told to use {named[0]}"
        found.against.append(hidden.fact(container, text))
    else:
        found.doubts.append(hidden.fact(container, "files that its image has in /tmp are hidden"))


def _volumes(container: Container) -> tuple[str, ...]:
    """The VOLUMEs of the image, where the image table does not know better what it writes to."""
    row, known = container.row, known_image(container)
    knows_better = row is not None and row.writable and not row.volumes
    return items(known.volumes) if known.has_volumes_of_its_build or not knows_better else ()


def _declared(container: Container, found: Needs, path: str, volumes: Known[tuple[str, ...]] | None) -> None:
    """A VOLUME of the image: some runtimes leave it read-only, others put a copy of the image's files there."""
    if found.has_volume(path) or is_mounted(container, path):
        return
    if any(_below(path, root) for root in _OF_PROGRAMS) and path not in empty(container):
        text = (
            f"its volume {path} may hold files that it needs, so nothing is mounted; some runtimes leave it read-only"
        )
        found.doubts.append(container.fact(text, "image"))
        return
    if volumes is not None:
        _place(container, found, path, volumes.fact(container, f"its image declares the volume {path}"))
    if path in found.volumes and path not in empty(container):
        found.doubts.append(container.fact(f"files that the image ships in its volume {path} are hidden", "image"))


def _told(container: Container, found: Needs, workdir: str | None) -> None:
    """Folders that variables and flags name. A home is no sign that something is written there."""
    env = container.env
    program = container.image.name if container.image is not None else None

    def ask(words: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(each.path, each.kind) for each in told_paths(words, env, program=program or "", workdir=workdir)]

    for path, reason in container.tree.ask(ConfigFolders).written(container):
        if _is_writable(container, found, path):
            continue
        if may_be_mounted(path, _known_empty(container), workdir):
            _place(container, found, path, reason)
        else:
            text = f"{reason.text} to write to, where the image may hold files"
            found.against.append(Evidence(text, reason.piece, reason.path))
    for (path, kind), speaker in spoken(container, ask, beside=env):
        if _is_writable(container, found, path):
            continue
        if may_be_mounted(path, _known_empty(container), workdir):
            _place(container, found, path, speaker.says(f"is told to use {path}"))
        elif kind == "written":
            found.against.append(speaker.says(f"is told to write to {path}, where the image may hold files"))
        else:
            found.doubts.append(container.fact(f"its home is {path}, which becomes read-only"))


def _workdir(container: Container, known: ImageLedger) -> str | None:
    written = container.text("workingDir")
    if written and written.startswith("/"):
        return written
    return known.workdir.value if known.workdir is not None else None


def _commands(container: Container, found: Needs, known: ImageLedger, workdir: str | None) -> None:
    """Paths that its commands write to."""
    said: Iterable[tuple[str | None, Speaker]] = spoken(container, lambda words: _written(words, workdir))
    for path, speaker in said:
        if path is None:
            found.against.append(speaker.says("installs packages when it starts"))
        else:
            _write(container, found, path, speaker.says(f"writes to {path}"))
    for path, fact in writes_by_variables(container):
        _write(container, found, path, fact)
    for each in known.written:
        _write(container, found, each.value, each.fact(container))


def _write(container: Container, found: Needs, path: str, fact: Evidence) -> None:
    """``fact`` says that it writes to ``path``, a file or a folder."""
    if _is_writable(container, found, path):
        return
    root = _root_of(container, path)
    if root is None:
        found.against.append(Evidence(f"{fact.text}, where the image may hold files", fact.piece, fact.path))
    else:
        _place(container, found, root, fact)


def _written(words: tuple[str, ...], workdir: str | None) -> list[str | None]:
    """The paths that ``words`` write to; None among them for places that nobody can name."""
    seen = writes(words, workdir)
    return [*([None] if seen.unplaced else []), *seen.paths]


def _is_writable(container: Container, found: Needs, path: str) -> bool:
    """Whether ``path`` lies in a volume of the pod, or in one that it shall get for a folder of the image."""
    known = known_image(container)
    given = (*_volumes(container), *(each.value for each in known.writable))
    planned = (volume for volume in given if volume in found.volumes)
    return is_mounted(container, path) or any(_below(path, volume) for volume in planned)


def _known_empty(container: Container) -> tuple[str, ...]:
    """Folders in which the image holds nothing that it needs."""
    known = known_image(container)
    row = product_row(container)
    table = row.empty if row is not None else ()
    return (*(each.value for each in known.writable), *table, *empty(container))


def _root_of(container: Container, path: str) -> str | None:
    """The directory that makes ``path`` writable: a command may name a file, or make the directory itself."""
    for root in ("/tmp", "/var/tmp", *_known_empty(container)):
        if _below(path, root):
            return root
    cache = re.match(r"/var/cache/[^/]+", path)
    return cache.group() if cache else None


def _place(container: Container, found: Needs, path: str, reason: Evidence) -> None:
    if is_database_root(container, path):
        if not is_mounted(container, path):
            text = f"{path} has to belong to the user of the database, so no empty volume is mounted there"
            found.doubts.append(container.fact(text, "image"))
        return
    if found.has_volume(path) or is_mounted(container, path):
        return
    known = known_image(container)
    if any([_below(hidden.value, path) for hidden in known.hiding]):
        return  # it speaks against a read-only root itself
    for filled in known.filled:
        if _below(filled.value, path):
            text = f"{reason.text}, and a volume at {path} would hide {filled.value} of the image ({filled.place})"
            found.against.append(Evidence(text, reason.piece, reason.path))
            return
    found.add_volume(path, reason)


def is_mounted(container: Container, path: str) -> bool:
    """Whether ``path`` lies in a volume: a read-only root changes nothing there, be it writable or not."""
    places = [mount.get("mountPath") for mount in container.items("volumeMounts")]
    places += [device.get("devicePath") for device in container.items("volumeDevices")]
    return any([isinstance(place, str) and place != "/" and _below(path, place) for place in places])


def _below(path: str, root: str) -> bool:
    return below(one_run(path), one_run(root))
