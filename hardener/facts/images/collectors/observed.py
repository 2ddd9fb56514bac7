"""What ``harden observe`` saw of a container, as facts about its image.

It saw one start: the user that its first process had then, the ports that it listened on, and the folders that it wrote
to. Who the image runs as for a kubelet is said by its config alone, as an entrypoint may become another user.
"""

from __future__ import annotations

from hardener.authoring.known import Known, KnownBy, joined
from hardener.facts.images.ledger import ImageLedger, Number
from hardener.facts.images.observations import seen
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.kubernetes.images.config import SOME_NUMBER
from hardener.lock.observed import Observation
from hardener.tree.core_views import Container

_SAW = f"{KnownBy.LOCK.label}: {KnownBy.OBSERVED.label} saw it"


def put_observation(ledger: ImageLedger, container: Container, run: Observation) -> None:
    """Put in what was seen of ``container``; nothing where it did not come up."""
    if not run.came_up:
        return
    place = f"{KnownBy.OBSERVED.label} ({seen(run)})"
    if run.user == 0:
        if ledger.user is None and container.tree.ask(WrittenContexts).number(container) is None:
            ledger.user = Known("root", KnownBy.OBSERVED, place, sure=True)
    elif run.user is not None and _is_its_number(ledger, container, run.user):
        ledger.number = Known(_number(ledger, run, run.user), KnownBy.OBSERVED, place, sure=_has_left_root(ledger))
    _put_ports(ledger, run, place)
    if run.saw_files:
        _put_paths(ledger, run)


def _is_its_number(ledger: ImageLedger, container: Container, uid: int) -> bool:
    """Whether ``uid`` tells more than what is known."""
    # Beside another number nobody can tell which of them it ran as then.
    if container.effective("runAsUser") not in (None, uid):
        return False
    if ledger.kind_of_user == "number" and ledger.user_name not in (SOME_NUMBER, str(uid)):
        return False
    return not (ledger.uid == uid and ledger.is_sure_of_number)  # where it is from says more


def _number(ledger: ImageLedger, run: Observation, uid: int) -> Number:
    if len(run.groups) == 1:
        return Number(uid, run.groups[0])
    return Number(uid, ledger.gid if ledger.uid == uid else None)


def _has_left_root(ledger: ImageLedger) -> bool:
    """Whether it is not root from its start on: an image of root may need to begin as root to become another user."""
    return ledger.kind_of_user in ("number", "name")


def _put_ports(ledger: ImageLedger, run: Observation, place: str) -> None:
    listens = {int(number) for number, _, _ in (port.partition("/") for port in run.listens) if number.isdecimal()}
    if not listens:
        return
    if ledger.ports is not None and not listens >= set(ledger.ports.value):
        place = f"{_SAW}, or {ledger.ports.place}"  # one that was not opened in so short a time
    ledger.ports = joined(ledger.ports, Known(tuple(sorted(listens)), KnownBy.OBSERVED, place))


def _put_paths(ledger: ImageLedger, run: Observation) -> None:
    found = {path: Known(path, KnownBy.OBSERVED, _SAW, text=_wrote(path, run)) for path in run.wrote}
    free = tuple(known for path, known in found.items() if _obstacle(path, run) is None)
    # A volume there hides nothing, and lives as long as what would be written there without it.
    ready = (path for path in run.prepared if ":" not in path and not any(is_at(path, each) for each in run.wrote))
    kept = tuple(Known(path, KnownBy.OBSERVED, _SAW, text=f"{_SAW} keep {path} for its user") for path in ready)
    ledger.writable = (*free, *kept, *ledger.writable)
    ledger.hiding = tuple(known for path, known in found.items() if _obstacle(path, run) is not None)
    text = f"{KnownBy.OBSERVED.label}: in {run.seconds} s it wrote nowhere else ({seen(run)})"
    ledger.paths = Known(tuple(run.wrote), KnownBy.OBSERVED, _SAW, text=text)


def is_at(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _wrote(path: str, run: Observation) -> str:
    obstacle = _obstacle(path, run)
    return f"{_SAW} write to {path}" + (f", where {obstacle}" if obstacle is not None else "")


def _obstacle(path: str, run: Observation) -> str | None:
    """Why no volume is mounted at ``path``; None where one hides nothing."""
    if ":" in path:
        return "no volume can be mounted"
    return "its image has files" if path in (*run.occupied, "/") else None
