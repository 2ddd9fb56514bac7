"""What the config of an image says of it, and how that goes together with the image table.

Source of the config: github.com/opencontainers/image-spec, config.md; of what a USER means: the kubelet, which refuses
a name under `runAsNonRoot` (pkg/kubelet/kuberuntime/security_context_others.go).
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hardener.kubernetes.image_table import ImageRow
from hardener.support.fast_dataclass import dataclass

if TYPE_CHECKING:
    from hardener.kubernetes.image_files import ImageFiles

_ROOT = frozenset({"", "0", "root"})


@dataclass(frozen=True, slots=True)
class ImageConfig:
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


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image; None and () mean that nobody knows.

    - `user`: who it runs as by itself, "root" for root under each of its names, without a group.
    - `uid`, `gid`: the numbers that its service runs with.
    - `ports`: their numbers, of each protocol. `volumes`: VOLUMEs by its config.
    - `user_source`, `ports_source`: "harden.lock" for the image's own config, which proves it; else "image table".
    - `sure`: the user is proved, or its row of the table was verified.
    - `files`: what its files say, None where nobody read them; with their numbers of a named user `uid_source` is
      "harden.lock".
    """

    user: str | None = None
    uid: int | None = None
    gid: int | None = None
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    user_source: str = "image table"
    ports_source: str = "image table"
    sure: bool = False
    files: ImageFiles | None = None
    uid_source: str = "image table"

    @property
    def proved(self) -> bool:
        """Whether the user is read from the image's own config."""
        return self.user_source == LOCK


LOCK = "harden.lock"


def merge(config: ImageConfig, row: ImageRow | None, files: ImageFiles | None = None) -> ImageFacts:
    """The config where it says something, else the row of the table; of numbers ``files`` know best."""
    user, uid, gid = (row.user, row.uid, row.gid) if row is not None else (None, None, None)
    user = "root" if user in _ROOT else user
    sure = row is not None and row.verified is not None
    sources = {}
    if config.user is not None:
        named = plain_user(config.user)
        sources["user_source"] = LOCK
        if named.isdecimal():
            group = config.user.strip().partition(":")[2]
            of_row = gid if uid == int(named) else None
            uid, gid = int(named), int(group) if group.isdecimal() else of_row
        elif named != "root" and named != user:
            uid = gid = None  # the numbers of the row are those of another user
        if files is not None and files.uid == 0:
            named = "root"
        elif files is not None and files.uid is not None and named != "root":
            uid, gid = files.uid, files.gid
            sources["uid_source"] = LOCK
        user, sure = named, True
    ports = row.ports if row is not None else ()
    if config.exposed_ports is not None:
        ports = tuple(sorted(filter(None, {_number(port) for port in config.exposed_ports})))
        sources["ports_source"] = LOCK
    paths = tuple(sorted({posixpath.normpath(path) for path in config.volumes or () if path.startswith("/")} - {"/"}))
    return ImageFacts(user, uid, gid, ports, paths, sure=sure, files=files, **sources)


def plain_user(user: str) -> str:
    """USER without its group: "1000:1000" -> "1000", "nginx" unchanged; root under any of its names -> "root"."""
    name = user.strip().partition(":")[0]
    return "root" if name in _ROOT or (name.isdecimal() and int(name) == 0) else name


def _number(port: str) -> int | None:
    # The kernel keeps the low ports of UDP and SCTP to root as well.
    number, _, protocol = port.partition("/")
    return int(number) if number.isdecimal() and protocol.lower() in ("", "tcp", "udp", "sctp") else None
