"""Where the user of a container may write in its image, as ``harden lock --deep`` read it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.authoring.known import Known
from hardener.facts.images.container_commands import every_word, own_command
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.images.files import ImageFiles
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Container, OpaqueError

from ._file_capabilities import held, raisers

_TMP = "/tmp"
# Capabilities that lead past the modes of files in no way; with any other a user may write where these forbid it.
_HARMLESS = frozenset({"IPC_LOCK", "NET_ADMIN", "NET_BIND_SERVICE", "NET_RAW", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME"})
_MOUNTABLE = late_pattern(r"[^:\\]+")  # a colon is forbidden, a backslash stands for what the lock cannot hold
# Everybody's, in nearly every image: no sign that this program writes there.
EVERYBODYS = ("/tmp", "/var/tmp", "/run/lock", "/var/lock", "/dev/shm", "/var/mail", "/var/spool/mail")
_HOME = late_pattern(r"/home/[^/]+|/root")
_NAMED = 3  # paths in one line
_MOST = 8  # folders of their own that get a volume each; with more, the image was made to be written to anywhere


class Folders(Struct, frozen=True):
    """What the user of a container may write to in its image, without /tmp.

    - `files`: what its image has, and where that is from. `made`: empty folders, each of which it was given for that.
    - `homes`, `others`: empty folders that are no such sign, or too many. `occupied`: the topmost that hold something.
    """

    files: Known[ImageFiles]
    made: tuple[str, ...]
    homes: tuple[str, ...]
    others: tuple[str, ...]
    occupied: tuple[str, ...]

    def doubts(self, container: Container, mounted: Callable[[str], bool]) -> Iterator[Evidence]:
        """What becomes read-only, without what is ``mounted`` over."""
        for paths, text in (
            (self.homes, "its home is {}, which becomes read-only"),
            (self.others, "until now its user may write to {}"),
            (self.occupied, "until now its user may change files in {}"),
        ):
            left = [path for path in paths if not mounted(path)]
            if left:
                more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
                yield self.files.fact(container, text.format(", ".join(left[:_NAMED]) + more))


def folders(container: Container) -> Folders | None:
    """None where they are not known for the user that ``container`` runs as."""
    known, number = known_image(container), container.effective("runAsUser")
    if known.files is None:
        return None
    files = known.files.value
    its_own = known.uid if known.user_name != "root" else None
    uid = number if number is not None else its_own
    if not isinstance(uid, int) or uid == 0 or not files.about(uid) or _has_other_groups(container):
        return None
    if _passes_modes(container, files):
        return None
    return _sorted(known.files)


def _sorted(files: Known[ImageFiles]) -> Folders:
    """The folders of the image by what they are a sign of."""
    empty = files.value.empty
    homes = tuple(filter(_HOME.fullmatch, empty))
    own = tuple(path for path in empty if path not in homes and _is_its_own(path))
    made = own if len(own) <= _MOST else ()
    others = tuple(path for path in empty if path not in (*homes, *made))
    return Folders(files, made, homes, others, tuple(path for path in files.value.occupied if path != _TMP))


def files_in_tmp(container: Container) -> Known[ImageFiles] | None:
    """The files of an image that has some in /tmp, which an empty volume would hide; None where it has none there."""
    files = known_image(container).files
    return files if files is not None and _TMP in files.value.occupied else None


def empty(container: Container) -> tuple[str, ...]:
    """Folders of the image that hold nothing, so that a volume there hides nothing."""
    files = known_image(container).files
    return files.value.empty if files is not None else ()


def _has_other_groups(container: Container) -> bool:
    """Whether the manifest gives it groups that the folders were not judged for."""
    try:
        group = container.effective("runAsGroup")
        return (group is not None and group != known_image(container).gid) or any(
            container.pod.has("securityContext", key) for key in ("supplementalGroups", "fsGroup")
        )
    except (OpaqueError, WrongShapeError):
        return True


def _passes_modes(container: Container, files: ImageFiles) -> bool:
    """Whether it becomes root, or may get past the modes of files in another way."""
    if files.raised(every_word(container), own_command=own_command(container)):
        return True
    carried = (name for names in held(container).values() for name in names)
    return any(name not in _HARMLESS for name in carried) or any(raisers(container))


def _is_its_own(path: str) -> bool:
    return not _is_everybodys(path) and _MOUNTABLE.fullmatch(path) is not None


def _is_everybodys(path: str) -> bool:
    return any(path == place or posixpath.commonpath((path, place)) == place for place in EVERYBODYS)
