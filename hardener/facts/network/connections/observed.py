"""Whom a workload was seen to connect to by ``harden observe``, as harden.lock has it."""

from collections.abc import Collection, Iterator

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.observations import observations, seen
from hardener.facts.kustomize.overlays.states import states
from hardener.kubernetes.network.addresses import Address, Form
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import OpaqueError, PodTemplate

_SERVICE = "Service"


class SeenText(Struct, frozen=True):
    """A connection that was seen, in the form in which connections are made of texts."""

    when: str
    piece: Piece
    path: Path
    key: str = ""
    form: Form = Form.TEXT
    port: int | None = None
    secret: bool = False

    def evidence(self, what: str) -> Evidence:
        return Evidence(f"harden observe saw it connect to {what} ({self.when})", self.piece, self.path)


def connections_seen(pod: PodTemplate, services: Collection[str]) -> Iterator[tuple[SeenText, Address]]:
    """The Services of the tree, by the names ``services``, that ``pod`` was seen to connect to, each once."""
    lock = pod.tree.lock
    if lock is None or not lock.is_observed:
        return
    said: set[str] = set()
    try:
        for state in states(pod):
            for container in state.containers:
                for run in filter(None, observations(container)):
                    for name in run.connects:
                        address = _address(name, services)
                        if address is not None and name not in said:
                            said.add(name)
                            yield SeenText(seen(run), *pod.object.place(pod.path)), address
    except (OpaqueError, WrongShapeError):
        return


def _address(said: str, services: Collection[str]) -> Address | None:
    """The address of "Service/cache:6379", of the namespace of who connects, or "Service/data/cache:6379"."""
    kind, *names = said.split("/")
    if kind != _SERVICE or not 1 <= len(names) <= 2:
        return None
    name, _, port = names[-1].partition(":")
    if name not in services:
        return None
    host = name if len(names) == 1 else f"{name}.{names[0]}"
    return Address(host, int(port) if port.isdecimal() else None, firm=True, known=True)
