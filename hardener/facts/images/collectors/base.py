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
from hardener.kubernetes.images.table import ImageRow

T = TypeVar("T")


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in what the base says where the Dockerfile is silent."""
    built = asked.built
    if built is None or built.base is None:
        return
    said = _Inherited(built, built.base.text)
    base = _known(Asked(asked.tree, built.base))
    if base.user is not None and built.user is None and built.knows("user") and not _is_configured(asked.row):
        _put_user(ledger, base, said, base.user)
    ledger.ports = _besides(ledger.ports, said.over(base.ports))
    ledger.volumes = _besides(ledger.volumes, said.over(base.volumes))
    if base.command is not None and built.knows("entrypoint") and built.knows("cmd"):
        ledger.command = said.over(base.command)
    if said.runs_base:
        _put_program(ledger, base, said)


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


class _Inherited:
    """How the Dockerfile of ``built`` names its base."""

    def __init__(self, built: BuiltImage, base: str) -> None:
        where = built.said_at(built.base_said) if built.base_said is not None else built.dockerfile
        self.place = f"{where}: FROM {base}, "
        self.runs_base = _runs_base(built)

    def over(self, known: Known[T] | None, **changed: Any) -> Known[T] | None:
        """``known`` of the base, as what is known of the image made from it."""
        if known is None:
            return None
        return replace(known, by=KnownBy.BASE, place=f"{self.place}{known.place}", whole=False, **changed)

    def path(self, known: Known[str]) -> Known[str]:
        """The same of a path that the program of the base writes to."""
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
    """Put in what the program of ``base`` writes and carries."""
    paths = tuple(said.path(path) for path in base.writable)
    ledger.writable += paths
    ledger.carried += base.carried
    if paths and ledger.paths is None:
        ledger.paths = Known(tuple(path.value for path in paths), KnownBy.BASE, paths[0].place)


def _runs_base(built: BuiltImage) -> bool:
    """Whether the program of its base is started: no other one is named."""
    if built.entrypoint is not None or built.base is None or not (built.knows("entrypoint") and built.knows("cmd")):
        return False
    return built.cmd is None or not built.cmd.value or posixpath.basename(built.cmd.value[0]) == built.base.name
