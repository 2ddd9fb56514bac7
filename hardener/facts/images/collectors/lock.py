"""What ``harden.lock`` has of an image: its config, and what ``harden lock --deep`` read of its files."""

from __future__ import annotations

import posixpath

from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.collectors.table import put_row
from hardener.facts.images.ledger import Asked, Command, ImageLedger, Number
from hardener.kubernetes.images.config import ImageConfig, plain_user
from hardener.kubernetes.images.files import ImageFiles
from hardener.kubernetes.images.table import ImageRow

_PLACE = KnownBy.LOCK.label
_IN_ACCOUNTS = " in /etc/passwd of the image"


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in what the lock says of the very image."""
    if asked.locked is not None:
        put_config(ledger, asked.locked.config, asked.locked.files)


def put_config(ledger: ImageLedger, config: ImageConfig, files: ImageFiles | None = None) -> None:
    """Put in what ``config`` says; of the number of a user that is a name ``files`` know best."""
    if config.user is not None:
        _put_user(ledger, config.user, files)
    if config.exposed_ports is not None:
        ports = sorted(filter(None, {_number(port) for port in config.exposed_ports}))
        ledger.ports = Known(tuple(ports), KnownBy.LOCK, _PLACE, whole=True)
    if config.volumes is not None:
        paths = {posixpath.normpath(path) for path in config.volumes if path.startswith("/")}
        ledger.volumes = Known(tuple(sorted(paths - {"/"})), KnownBy.LOCK, _PLACE, whole=True)
    if config.entrypoint or config.cmd:
        ledger.command = Known(Command(config.entrypoint, config.cmd), KnownBy.LOCK, _PLACE, sure=True)
    if files is not None:
        ledger.files = Known(files, KnownBy.LOCK, _PLACE, sure=True)
        ledger.paths = Known(files.empty, KnownBy.LOCK, _PLACE)


def published(row: ImageRow | None, config: ImageConfig, files: ImageFiles | None = None) -> ImageLedger:
    """What is known of an image by what was looked up of it: its ``row``, and what the lock has."""
    found = ImageLedger()
    if row is not None:
        put_row(found, row)
    put_config(found, config, files)
    return found


def _put_user(ledger: ImageLedger, written: str, files: ImageFiles | None) -> None:
    """Put in USER as it is ``written``: "1000:1000", "nginx", "" for root."""
    named, group = plain_user(written), written.strip().partition(":")[2]
    number = None
    if files is not None and files.uid and named != "root":
        listed = None if named.isdecimal() else _IN_ACCOUNTS
        number = _of_image(Number(files.uid, files.gid, listed))
    elif named.isdecimal():
        known = ledger.gid if ledger.uid == int(named) else None
        number = _of_image(Number(int(named), int(group) if group.isdecimal() else known))
    user = Known(named, KnownBy.LOCK, _PLACE, sure=True)
    ledger.put_user(user, number)
    if files is not None and files.uid == 0:  # root under a name of its own
        ledger.user = Known("root", KnownBy.LOCK, _PLACE, sure=True)


def _of_image(number: Number) -> Known[Number]:
    return Known(number, KnownBy.LOCK, _PLACE, sure=True)


def _number(port: str) -> int | None:
    # The kernel keeps the low ports of UDP and SCTP to root as well.
    number, _, protocol = port.partition("/")
    return int(number) if number.isdecimal() and protocol.lower() in ("", "tcp", "udp", "sctp") else None
