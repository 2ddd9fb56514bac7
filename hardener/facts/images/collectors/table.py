"""What a row of the image table says of an image."""

from __future__ import annotations

from hardener.authoring.known import Known, KnownBy, joined
from hardener.facts.images.ledger import Asked, Command, ImageLedger, Number
from hardener.kubernetes.images.config import ROOT_NAMES
from hardener.kubernetes.images.table import ImageRow


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in what the image table says, where no row of ``.harden.yaml`` is joined to it."""
    if asked.row is not None and not asked.row.is_own:
        put_row(ledger, asked.row)


def put_row(ledger: ImageLedger, row: ImageRow) -> None:
    """Put in what ``row`` says, which is one of the table or of the configuration."""
    by = KnownBy.CONFIGURED if row.is_own else KnownBy.TABLE
    _put_user(ledger, row, by)
    _put_needs(ledger, row, by)
    if row.ports:
        ledger.ports = joined(ledger.ports, Known(row.ports, by, row.origin))
    if row.volumes:
        ledger.volumes = joined(ledger.volumes, Known(tuple(sorted(row.volumes)), by, row.origin))
    writable = (Known(path, by, row.origin, text=f"{row.origin}: it writes to {path}") for path in row.writable)
    ledger.writable = (*writable, *ledger.writable)
    if row.writable or row.rofs is not None:
        ledger.paths = Known(row.writable, by, row.origin)
    if row.sure_of("writable") and ledger.command is None:  # its entrypoint was read; a base that names it says more
        ledger.command = Known(Command(), by, row.origin)


def _put_needs(ledger: ImageLedger, row: ImageRow, by: KnownBy) -> None:
    """Put in what the image needs of who runs it, and works without."""
    yes = Known(True, by, row.origin)
    if row.any_user and not _has_user_of_base(ledger):
        ledger.any_number = yes
    ledger.needs_root = yes if row.root == "required" else ledger.needs_root
    ledger.uses_setuid = yes if row.setuid else ledger.uses_setuid
    ledger.makes_rare_calls = yes if row.seccomp == "sensitive" else ledger.makes_rare_calls
    if row.rofs is not None:
        ledger.read_only = Known(row.rofs == "ok", by, row.origin, sure=row.sure_of("rofs"))
    is_read = row.sure_of("file_caps")
    if row.file_caps or is_read:
        ledger.capabilities = Known(row.file_caps, by, row.origin, sure=is_read, whole=is_read)


def _put_user(ledger: ImageLedger, row: ImageRow, by: KnownBy) -> None:
    is_root = row.user in ROOT_NAMES
    number = None
    if row.uid is not None:
        # As the number of its service a root image starts where its entrypoint takes that, which only it shows.
        number = Known(Number(row.uid, row.gid), by, row.origin, sure=row.sure_of("root" if is_root else "uid"))
    if row.user is not None:
        ledger.put_user(Known("root" if is_root else row.user, by, row.origin, sure=row.sure_of("user")), number)
    elif number is not None and not _has_user_of_base(ledger):
        ledger.number = number


def _has_user_of_base(ledger: ImageLedger) -> bool:
    """Whether the user is that of the base: a row without a user says no number of it."""
    return ledger.user is not None and ledger.user.by is KnownBy.BASE
