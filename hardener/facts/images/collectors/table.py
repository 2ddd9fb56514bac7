"""What a row of the image table says of an image."""

from __future__ import annotations

import posixpath

from hardener.authoring.known import Known, KnownBy, joined
from hardener.facts.images.ledger import Asked, Command, ImageLedger, Number, RootStart
from hardener.kubernetes.images.config import ROOT_NAMES
from hardener.kubernetes.images.table import ImageRow


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in what the image table says, where no row of ``.harden.yaml`` is joined to it."""
    if asked.row is not None and not asked.row.is_own:
        put_row(ledger, asked.row, own_program=runs_its_program(asked))


def runs_its_program(asked: Asked) -> bool:
    """Whether what is run is the program of the image, of which a row tells where it writes: its own command, or the
    program that has its name (`mysqld`, `redis-server`)."""
    if not asked.command:
        return True
    program, name = posixpath.basename(asked.command[0]), asked.image.name or ""
    return program in (name, f"{name}d", f"{name}-server")


def put_row(ledger: ImageLedger, row: ImageRow, *, own_program: bool = True) -> None:
    """Put in what ``row`` says, which is one of the table or of the configuration. ``own_program``: what is run is the
    program of the image."""
    by = KnownBy.CONFIGURED if row.is_own else KnownBy.TABLE
    _put_user(ledger, row, by)
    _put_needs(ledger, row, by)
    if row.ports:
        ledger.ports = joined(ledger.ports, Known(row.ports, by, row.origin))
    if row.volumes:
        ledger.volumes = joined(ledger.volumes, Known(tuple(sorted(row.volumes)), by, row.origin))
    writable = (Known(path, by, row.origin, text=f"{row.origin}: it writes to {path}") for path in row.writable)
    ledger.writable = (*writable, *ledger.writable)
    ledger.filled += tuple(Known(path, by, row.origin) for path in row.filled)
    if row.writable or row.writes_complete or row.rofs is not None:
        whole = row.writes_complete and own_program
        ledger.paths = Known(row.writable, by, row.origin, sure=whole and row.sure_of("writes_complete"), whole=whole)
    if row.sure_of("writable") and ledger.command is None:  # its entrypoint was read; a base that names it says more
        ledger.command = Known(Command(), by, row.origin)


def _put_needs(ledger: ImageLedger, row: ImageRow, by: KnownBy) -> None:
    """Put in what the image needs of who runs it, and works without."""
    yes = Known(True, by, row.origin)
    if row.any_user and not _has_user_of_base(ledger):
        ledger.any_number = yes
    ledger.needs_root = yes if row.root == "required" else ledger.needs_root
    if row.root_start is not None and row.root != "required":
        required = row.root_start == "required"
        turned_by = row.root_start_unless if required else row.root_start_required_with
        ledger.root_start = Known(RootStart(required, turned_by), by, row.origin, sure=row.sure_of("root_start"))
    ledger.uses_setuid = yes if row.setuid else ledger.uses_setuid
    ledger.makes_rare_calls = yes if row.seccomp == "sensitive" else ledger.makes_rare_calls
    if row.rofs is not None:
        ledger.read_only = Known(row.rofs == "ok", by, row.origin, sure=row.sure_of("rofs"))
        ledger.read_only_with = row.rofs_ok_with
    is_read = row.sure_of("file_caps")
    if row.file_caps or is_read:
        ledger.capabilities = Known(row.file_caps, by, row.origin, sure=is_read, whole=is_read)


def _put_user(ledger: ImageLedger, row: ImageRow, by: KnownBy) -> None:
    is_root = row.user in ROOT_NAMES
    number = _number(row, by)
    if row.user is not None:
        ledger.put_user(Known("root" if is_root else row.user, by, row.origin, sure=row.sure_of("user")), number)
    elif number is not None and not _has_user_of_base(ledger):
        ledger.number = number


def _number(row: ImageRow, by: KnownBy) -> Known[Number] | None:
    """The number that its service runs as, else the one that its maintainers run it as."""
    if row.uid is not None:
        # As the number of its service a root image starts where its entrypoint takes that, which only it shows.
        copes = row.root_start == "copes" and row.sure_of("root_start")
        is_sure = copes if row.user in ROOT_NAMES else row.sure_of("uid")
        return Known(Number(row.uid, row.gid), by, row.origin, sure=is_sure)
    if row.shipped_uid is None or (row.user or "").isdecimal():
        return None
    text = f"{row.origin}: the manifests of its maintainers run it as {row.shipped_uid}"
    return Known(Number(row.shipped_uid, row.shipped_gid), by, row.origin, text=text)


def _has_user_of_base(ledger: ImageLedger) -> bool:
    """Whether the user is that of the base: a row without a user says no number of it."""
    return ledger.user is not None and ledger.user.by is KnownBy.BASE
