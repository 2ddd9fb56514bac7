"""What an image that is built from this tree has from the base of its Dockerfile, which harden.lock and the image table
know. What the program of the base writes and carries counts only where that is the program which is started."""

from __future__ import annotations

import posixpath
from typing import Any, TypeVar

from msgspec.structs import replace

from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.collectors.lock import published
from hardener.facts.images.dockerfiles.model import BuiltImage
from hardener.facts.images.ledger import Asked, ImageLedger
from hardener.kubernetes.images.config import UNKNOWN
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.table import ImageRow
from hardener.kubernetes.pods.shell import started

T = TypeVar("T")

# What bases start under another name than their own, beside NAMEd and NAME-server. Source: the CMD of each.
_PROGRAMS = {
    "eclipse-mosquitto": ("mosquitto",),
    "elasticsearch": ("eswrapper",),
    "influxdb": ("influxd",),
    "mariadb": ("mysqld",),
    "mysql-server": ("mysqld",),
    "nginx-unprivileged": ("nginx",),
    "openresty": ("nginx",),
    "percona": ("mysqld",),
    "percona-server": ("mysqld",),
    "pgvector": ("postgres",),
    "php": ("apache2-foreground",),
    "postgis": ("postgres",),
    "timescaledb": ("postgres",),
    "timescaledb-ha": ("postgres",),
    "tomcat": ("catalina.sh",),
    "zookeeper": ("zkServer.sh",),
}
_ENTRYPOINTS = frozenset({"docker-entrypoint.sh", "docker-entrypoint", "docker-php-entrypoint"})  # of official images


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in what the base says where the Dockerfile is silent."""
    built = asked.built
    if built is None or built.base is None:
        return
    said = _Inherited(built, built.base)
    base = _known(Asked(asked.tree, built.base))
    if base.user is not None and built.user is None and built.knows("user") and not _is_configured(asked.row):
        _put_user(ledger, base, said, base.user)
    ledger.ports = _besides(ledger.ports, said.over(base.ports))
    ledger.volumes = _besides(ledger.volumes, said.over(base.volumes))
    if base.command is not None and built.knows("entrypoint") and built.knows("cmd"):
        ledger.command = said.over(base.command)
    ledger.filled += tuple(said.path(path) for path in base.filled)
    if said.runs_base:
        _put_program(ledger, base, said)
        if not _is_general(Asked(asked.tree, built.base).row):
            ledger.started_as = Known(built.base, KnownBy.BASE, said.place.removesuffix(", "))


def _known(asked: Asked) -> ImageLedger:
    row, locked = asked.row, asked.locked
    found = published(row, locked.config if locked is not None else UNKNOWN)
    if row is not None:
        place = f"{row.origin}, of its base {asked.image.text}"
        found.carried = tuple(Known(name, KnownBy.BASE, place) for name in row.file_caps)
    return found


def _besides(
    own: Known[tuple[Any, ...]] | None, inherited: Known[tuple[Any, ...]] | None
) -> Known[tuple[Any, ...]] | None:
    """What a row names for the image itself, and what it has from its base; the row is where it is said."""
    if own is None or inherited is None:
        return inherited if own is None else own
    return replace(own, value=tuple(sorted({*own.value, *inherited.value})))


def _is_configured(row: ImageRow | None) -> bool:
    """Whether a row of ``.harden.yaml`` names the user of the image itself, and so that of its numbers."""
    return row is not None and row.is_own and row.user is not None


def _is_general(row: ImageRow | None) -> bool:
    """Whether an image is one that others put their programs on: a distribution, a language."""
    return row is not None and row.class_ == "base"


class _Inherited:
    """How the Dockerfile of ``built`` names its base."""

    def __init__(self, built: BuiltImage, base: ImageReference) -> None:
        where = built.said_at(built.base_said) if built.base_said is not None else built.dockerfile
        self.place = f"{where}: FROM {base.text}, "
        self.runs_base = _runs_base(built, base)

    def over(self, known: Known[T] | None, **changed: Any) -> Known[T] | None:
        """``known`` of the base, as what is known of the image made from it."""
        if known is None:
            return None
        return replace(known, by=KnownBy.BASE, place=f"{self.place}{known.place}", whole=False, **changed)

    def path(self, known: Known[str]) -> Known[str]:
        """The same of a path that the program of the base writes to, or that the base fills."""
        place = f"{self.place}{known.place}"
        return Known(known.value, KnownBy.BASE, place, text=f"{place}: it writes to {known.value}")


def _put_user(ledger: ImageLedger, base: ImageLedger, said: _Inherited, user: Known[str]) -> None:
    number = None
    if base.kind_of_user in ("number", "name") or said.runs_base:
        number = said.over(base.number, sure=base.is_sure_of_number and user.value != "root")
    if number is not None or (ledger.user_name, user.value) != ("root", "root"):
        ledger.forget_number()
    ledger.any_number = None
    inherited = said.over(user)
    if inherited is not None:
        ledger.put_user(inherited, number)


def _put_program(ledger: ImageLedger, base: ImageLedger, said: _Inherited) -> None:
    """Put in what the program of ``base`` needs, writes and carries."""
    ledger.needs_root = ledger.needs_root or said.over(base.needs_root)
    ledger.uses_setuid = ledger.uses_setuid or said.over(base.uses_setuid)
    ledger.makes_rare_calls = ledger.makes_rare_calls or said.over(base.makes_rare_calls)
    ledger.capabilities = ledger.capabilities or said.over(base.capabilities, sure=False)
    if ledger.read_only is None and base.read_only is not None and not base.read_only.value:
        ledger.read_only = said.over(base.read_only)  # that its base could do without says nothing of what was added
    paths = tuple(said.path(path) for path in base.writable)
    ledger.writable += paths
    ledger.carried += base.carried
    ledger.filled += tuple(said.path(path) for path in base.filled)
    ledger.root_start = said.over(base.root_start) or ledger.root_start
    if paths and ledger.paths is None:
        ledger.paths = Known(tuple(path.value for path in paths), KnownBy.BASE, paths[0].place)


def _runs_base(built: BuiltImage, base: ImageReference) -> bool:
    """Whether the program of ``base`` is started: no other one is named, or an own script hands over to it."""
    if not (built.knows("entrypoint") and built.knows("cmd")):
        return False
    cmd = built.cmd.value if built.cmd is not None else ()
    if built.entrypoint is None and (not cmd or cmd[0].startswith("-")):
        return True
    words = (*built.entrypoint.value, *cmd) if built.entrypoint is not None else cmd
    programs = (*started(words), *(posixpath.basename(said.value) for said in built.starts))
    hands_over = built.entrypoint is not None and not _ENTRYPOINTS.isdisjoint(programs[1:])
    return hands_over or any(_is_program_of(program, base.name) for program in programs)


def _is_program_of(program: str, base: str | None) -> bool:
    """Whether ``program`` is what an image of the name ``base`` starts."""
    if base is None:
        return False
    return program in (base, f"{base}d", f"{base}-server", *_PROGRAMS.get(base, ()))
