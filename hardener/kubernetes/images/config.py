"""What the config of an image says of it, and how that goes together with the image table.

Source of the config: github.com/opencontainers/image-spec, config.md; of what a USER means: the kubelet, which refuses
a name under `runAsNonRoot` (pkg/kubelet/kuberuntime/security_context_others.go).
"""

from __future__ import annotations

import posixpath
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from hardener.kubernetes.images.table import TABLE, ImageRow

if TYPE_CHECKING:
    from hardener.kubernetes.images.files import ImageFiles

_ROOT = frozenset({"", "0", "root"})
LOCK = "harden.lock"
OBSERVED = "harden observe"
SOME_NUMBER = "a number"
"""The user of an image that runs under `runAsNonRoot`, where nothing says which number it is."""
NOBODY_ELSE = 65532
"""The number that images without a user of their own get: high enough to be no user of the node, within the range of
user namespaces, and what distroless images call nonroot."""
UserKind = Literal["root", "number", "name", "unknown"]


class KnownBy(StrEnum):
    """Where a fact about an image is from, the strongest first."""

    OBSERVED = OBSERVED
    LOCK = LOCK
    DOCKERFILE = "Dockerfile"
    SAME_IMAGE = "same image"
    TABLE = TABLE
    BASE = "Dockerfile and its base"


class ImageConfig(Struct, frozen=True):
    """The parts of an image's config that decide something; None where it is not known.

    - `user`: USER as it stands there, "" when the image names none.
    - `exposed_ports`: "80/tcp", "53/udp" or "80". `volumes`: the paths of its VOLUMEs.
    - `created`: when it was made, as RFC 3339 writes it; a build that is to be reproducible names a day long ago.
    - `entrypoint`, `cmd`: the words that it runs by itself; () where they are not known, or there are none.
    """

    user: str | None = None
    exposed_ports: tuple[str, ...] | None = None
    volumes: tuple[str, ...] | None = None
    created: str | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


UNKNOWN = ImageConfig()


class ImagePath(Struct, frozen=True):
    """A folder of an image, and how that is known: ``source`` for people, and whether a container shows it."""

    path: str
    source: str
    shown: bool = False


class ImageFacts(Struct, frozen=True):
    """What is known of an image; None and () mean that nobody knows.

    - `user`: who it runs as by itself, "root" for root under each of its names, without a group. `user_by`: where that
      is from.
    - `uid`, `gid`: the numbers that its service runs with. `uid_by`: where they are from.
    - `ports`: their numbers, of each protocol. `volumes`: VOLUMEs by its config or its Dockerfile.
    - `user_source`, `uid_source`, `ports_source`, `volumes_source`: the same for people, as "web/Dockerfile:12".
    - `sure`: the user is proved, or looked up where the image is made. `sure_of_number`: the same of `uid`.
    - `any_number`: it runs as any user, too.
    - `files`: what its files say, None where nobody read them; with their numbers of a named user `uid_source` is
      "harden.lock".
    - `entrypoint`, `cmd`: what it runs by itself. `command_by`: where that is from.
    - `workdir`: the folder that it starts in.
    - `writable`: folders that it writes to. `filled`: places with files of the image. `owned`: those of them that its
      user may change. `written`: what its entrypoint writes. `paths_by`: where it is from what it writes; None where
      that is not known.
    - `root_commands`: what its entrypoint does that needs root, for people.
    - `carried`: file capabilities of its programs, without CAP_, and where that is said.
    - `hiding`: folders that it was seen to write to and in which it has files, so that a volume there would hide them.
      `seen_for`: for how long nothing else was seen, in words; None where nobody looked.
    """

    user: str | None = None
    uid: int | None = None
    gid: int | None = None
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    user_source: str = TABLE
    ports_source: str = TABLE
    volumes_source: str = TABLE
    sure: bool = False
    files: ImageFiles | None = None
    uid_source: str = TABLE
    user_by: KnownBy | None = None
    uid_by: KnownBy | None = None
    sure_of_number: bool = False
    any_number: bool = False
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    command_by: KnownBy | None = None
    command_source: str = LOCK
    workdir: str | None = None
    writable: tuple[ImagePath, ...] = ()
    filled: tuple[ImagePath, ...] = ()
    owned: tuple[ImagePath, ...] = ()
    written: tuple[ImagePath, ...] = ()
    root_commands: tuple[str, ...] = ()
    carried: tuple[tuple[str, str], ...] = ()
    paths_by: KnownBy | None = None
    hiding: tuple[ImagePath, ...] = ()
    seen_for: str | None = None

    @property
    def proved(self) -> bool:
        """Whether the user is read from the image's own config."""
        return self.user_by is KnownBy.LOCK

    @property
    def kind_of_user(self) -> UserKind:
        """What a kubelet makes of the user: it starts no "root" under `runAsNonRoot`, and no "name" either."""
        if self.user is None:
            return "unknown"
        if self.user == "root":
            return "root"
        return "number" if self.user.isdecimal() or self.user == SOME_NUMBER else "name"


NOTHING = ImageFacts()
"""What is known of an image that nobody knows: one value, since most of a tree's own images are such."""


def merge(config: ImageConfig, row: ImageRow | None, files: ImageFiles | None = None) -> ImageFacts:
    """The config where it says something, else the row of the table; of numbers ``files`` know best."""
    return with_config(of_row(row), config, files)


def of_row(row: ImageRow | None) -> ImageFacts:
    """What the image table says."""
    if row is None:
        return NOTHING
    root = row.user in _ROOT
    # As the number of its service a root image starts where its entrypoint takes that, which only it shows.
    sure_of_number = row.uid is not None and row.sure_of("root" if root else "uid")
    sure_of_paths = row.sure_of("writable")
    return ImageFacts(
        "root" if root else row.user,
        row.uid,
        row.gid,
        row.ports,
        tuple(sorted(row.volumes)),
        user_source=row.origin,
        ports_source=row.origin,
        volumes_source=row.origin,
        uid_source=row.origin,
        sure=row.user is not None and row.sure_of("user"),
        any_number=row.any_user,
        user_by=KnownBy.TABLE if row.user is not None else None,
        uid_by=KnownBy.TABLE if row.uid is not None else None,
        sure_of_number=sure_of_number,
        writable=tuple(ImagePath(path, f"{row.origin}: it writes to {path}") for path in row.writable),
        paths_by=KnownBy.TABLE if row.writable or row.rofs is not None else None,
        command_by=KnownBy.TABLE if sure_of_paths else None,  # its entrypoint was read
    )


def with_config(known: ImageFacts, config: ImageConfig, files: ImageFiles | None = None) -> ImageFacts:
    """``known``, and over it what the config of the image says, and its files."""
    changed: dict[str, Any] = {"files": files}
    if config.user is not None:
        changed |= _of_user(known, plain_user(config.user), config.user.strip().partition(":")[2], files)
    if config.exposed_ports is not None:
        changed["ports"] = tuple(sorted(filter(None, {_number(port) for port in config.exposed_ports})))
        changed["ports_source"] = LOCK
    if config.volumes is not None:
        paths = {posixpath.normpath(path) for path in config.volumes if path.startswith("/")}
        changed |= {"volumes": tuple(sorted(paths - {"/"})), "volumes_source": LOCK}
    if config.entrypoint or config.cmd:
        changed |= {"entrypoint": config.entrypoint, "cmd": config.cmd}
        changed |= {"command_by": KnownBy.LOCK, "command_source": LOCK}
    if files is not None:
        changed["paths_by"] = KnownBy.LOCK
    return replace(known, **changed)


def _of_user(known: ImageFacts, named: str, group: str, files: ImageFiles | None) -> dict[str, Any]:
    """What a config with the user ``named`` changes in what is known."""
    uid, gid = known.uid, known.gid
    changed: dict[str, Any] = {"user_source": LOCK, "user_by": KnownBy.LOCK, "sure": True}
    if named.isdecimal():
        of_row = gid if uid == int(named) else None
        uid, gid = int(named), int(group) if group.isdecimal() else of_row
        changed |= {"uid_by": KnownBy.LOCK, "uid_source": LOCK, "sure_of_number": True}
    elif named not in ("root", known.user) and known.uid_by is not KnownBy.SAME_IMAGE:
        uid = gid = None  # the numbers are those of another user
        changed |= {"uid_by": None, "sure_of_number": False}
    if files is not None and files.uid == 0:
        named = "root"
    elif files is not None and files.uid is not None and named != "root":
        uid, gid = files.uid, files.gid
        changed |= {"uid_source": LOCK, "uid_by": KnownBy.LOCK, "sure_of_number": True}
    return changed | {"user": named, "uid": uid, "gid": gid}


def plain_user(user: str) -> str:
    """USER without its group: "1000:1000" -> "1000", "nginx" unchanged; root under any of its names -> "root"."""
    name = user.strip().partition(":")[0]
    return "root" if name in _ROOT or (name.isdecimal() and int(name) == 0) else name


def _number(port: str) -> int | None:
    # The kernel keeps the low ports of UDP and SCTP to root as well.
    number, _, protocol = port.partition("/")
    return int(number) if number.isdecimal() and protocol.lower() in ("", "tcp", "udp", "sctp") else None
