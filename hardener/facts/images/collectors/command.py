"""What the command of a container shows of it, where that is read whole."""

from __future__ import annotations

from itertools import chain

from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.ledger import Asked, ImageLedger
from hardener.facts.images.told import Told
from hardener.kubernetes.pods.command_evidence import below, writes
from hardener.kubernetes.pods.configured_paths import one_run
from hardener.kubernetes.pods.whole_command import read_whole

_PLACE = "its command, read whole"
_OPEN_TO_ALL = ("/tmp", "/var/tmp")
# Of the image: a mount there is out of reach for others than root, or puts other programs in the place of known ones.
_ROOTS_HOME = "/root"
_PROGRAMS = ("bin", "sbin")


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in every place that it writes to, and of an image that does nothing by itself, that it runs as any user."""
    told = asked.told
    if told is None:
        return
    reading = read_whole((*told.starts, *told.probes), told.workdir)
    is_whole = not told.is_open and reading.open is None and not _hides_programs(told)
    if is_whole:
        _put_places(ledger, told, reading.writes)
    if told.is_all:
        _forget_any_number(ledger)
        if is_whole and asked.built is None and _is_open_to_others(reading.writes, told):
            ledger.any_number = Known(True, KnownBy.COMMAND, _PLACE)


def _put_places(ledger: ImageLedger, told: Told, written: tuple[str, ...]) -> None:
    if ledger.read_only is not None and ledger.read_only.by is not KnownBy.CONFIGURED:
        ledger.read_only = None  # that is said of the program of the image
    said = tuple(known.value for known in ledger.writable)
    # Of the tools of an image that does nothing by itself more may be known, such as where they have a cache.
    paths = tuple(dict.fromkeys((*written, *said))) if told.is_all else written
    ledger.paths = Known(paths, KnownBy.COMMAND, _PLACE, whole=True, text=_where(paths))
    uses_tmp = any(below(path, "/tmp") for path in (*written, *said))
    ledger.uses_tmp = Known(uses_tmp, KnownBy.COMMAND, _PLACE)
    # What the words of the manifest do not show to those who look for writes in them.
    seen = writes(tuple(chain.from_iterable(told.starts)), told.workdir).paths
    ledger.written += tuple(_known(path) for path in written if path not in seen)


def _forget_any_number(ledger: ImageLedger) -> None:
    """Strike that any user will do where a table says so of the image alone: that says nothing of what it is told."""
    if ledger.any_number is not None and ledger.any_number.by is not KnownBy.CONFIGURED:
        ledger.any_number = None


def _where(paths: tuple[str, ...]) -> str:
    return f"{_PLACE}: it writes {'only to ' + ', '.join(paths) if paths else 'nowhere'}"


def _known(path: str) -> Known[str]:
    return Known(path, KnownBy.COMMAND, _PLACE, text=f"{_PLACE}: it writes to {path}")


def _hides_programs(told: Told) -> bool:
    return any(not set(_PROGRAMS).isdisjoint(mount.split("/")) for mount in told.mounts)


def _is_open_to_others(paths: tuple[str, ...], told: Told) -> bool:
    """Whether another user reaches all of ``paths``: in a volume, of which other rules say whom it is for, or where an
    image lets everybody write."""
    if any(below(one_run(mount), _ROOTS_HOME) for mount in told.mounts):
        return False
    places = [one_run(mount) for mount in told.mounts]
    return all(any(below(path, place) for place in (*places, *_OPEN_TO_ALL)) for path in paths)
