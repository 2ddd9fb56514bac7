"""What ``harden observe`` saw of a container that ran, kept in ``harden.lock`` under its image.

It holds for one digest and for one command: what a container runs is its command, arguments and the names of its
variables. Where one of them changes nothing that was seen is taken for knowledge.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from hardener.errors import HardenError
from hardener.kubernetes.images.reference import is_digest
from hardener.kubernetes.pods.capabilities import BASELINE

_RUNS = re.compile(r"[0-9a-f]{16}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Observation(Struct, frozen=True):
    """What was seen of a container, on the day ``on`` (2026-11-28), by ``engine`` ("podman 5.4.2"), for ``seconds``.

    - `digest`: that of the image that ran. `runs`: what ran, by ``runs_of``. `workload`: where it was seen, as
      "Deployment/web", and `container` its name there.
    - `came_up`: whether it came up as it is.
    - `user`: the number of its first process, and `groups` those of that process; None and () where nobody could see.
    - `wrote`: the folders of its image that it wrote to, each so that a volume there takes all of it. `occupied`: those
      of them in which the image has files that such a volume would hide.
    - `listens`: "80/tcp". `capabilities`: those that its processes had, without CAP_, so it may need them or not.
    - `needs`: the capabilities without which it does not come up, found by trial, among those that a runtime gives and
      Pod Security level baseline allows; None where nobody tried.
    - `memory`: the most that it used, in bytes, page cache included; None where the engine does not tell.
      `memory_at`: so many seconds after its start. `cpu`: the most of processors that it kept busy over a second, in
      thousandths of one, and `cpu_at` when. `outside`: names outside of the tree that it asked for.
    - `token`: whether it read the token of its service account; None where it had none, or nobody could see.
    - `connects`: what it connected to: "Service/cache:6379", "kubernetes" for the API server.
    - `prepared`: empty folders of its image that belong to a user of its processes, who is to write there.
    - `shown`: what showed that it does its work, as it is and with the changes that held: "8080/tcp GET / 200".
      `doubts`: what of its work nobody saw all the same.
    - `held`: the changes under which it came up, all together, by transform, each the settings that it makes, in the
      spelling of ``hardener.facts.images.observations.setting``. `failed`: the changes under which it did not,
      likewise, and `because` the reason of each.
    """

    digest: str
    runs: str
    workload: str
    container: str
    on: str
    engine: str
    seconds: int
    came_up: bool = True
    user: int | None = None
    groups: tuple[int, ...] = ()
    wrote: tuple[str, ...] = ()
    occupied: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    memory: int | None = None
    token: bool | None = None
    connects: tuple[str, ...] = ()
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    because: Mapping[str, str] = field(default_factory=dict)
    prepared: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    memory_at: int | None = None
    cpu: int | None = None
    cpu_at: int | None = None
    outside: tuple[str, ...] = ()
    needs: tuple[str, ...] | None = None

    @property
    def saw_files(self) -> bool:
        """Whether the engine tells of files that a container wrote: the API server of a cluster does not."""
        return not self.engine.startswith("kubectl ")


def runs_of(command: Sequence[str], args: Sequence[str], names: Iterable[str]) -> str:
    """What a container runs, as 16 hexadecimal digits: its ``command`` and ``args`` as the manifest has them (() for
    those of the image), and the ``names`` of its variables, in whatever order."""
    told = json.dumps([list(command), list(args), sorted(set(names))], ensure_ascii=True, separators=(",", ":"))
    from hashlib import sha256  # late: it loads OpenSSL, and most locks have nothing that was observed

    return sha256(told.encode()).hexdigest()[:16]


def merged(before: Iterable[Observation], new: Iterable[Observation]) -> tuple[Observation, ...]:
    """``before`` with ``new`` in place of what ran the same, of whatever digest, in the order in which a lock has them:
    by workload, container, and what ran. Several that are new and ran the same are one, with what was seen of each."""
    together: dict[str, Observation] = {}
    for each in sorted(new, key=_order):
        other = together.get(each.runs)
        both = other is not None and other.digest == each.digest
        together[each.runs] = _both(other, each) if other is not None and both else each
    found = {each.runs: each for each in before} | together
    return tuple(sorted(found.values(), key=_order))


def _both(one: Observation, other: Observation) -> Observation:
    """What was seen of two containers that ran the same, called as the first: a sidecar of two workloads."""
    return replace(
        one,
        seconds=min(one.seconds, other.seconds),
        came_up=one.came_up and other.came_up,
        user=one.user if one.user == other.user else None,
        groups=one.groups if one.groups == other.groups else (),
        wrote=_any(one.wrote, other.wrote),
        occupied=_any(one.occupied, other.occupied),
        listens=_any(one.listens, other.listens),
        capabilities=_any(one.capabilities, other.capabilities),
        **peaks(one, other),
        outside=_any(one.outside, other.outside),
        token=_either(one.token, other.token),
        connects=_any(one.connects, other.connects),
        prepared=_any(one.prepared, other.prepared),
        shown=shown_of_both(one, other),
        doubts=_any(one.doubts, other.doubts),
        held=_settings(one.held, other.held),
        failed=_settings(one.failed, other.failed),
        because={**other.because, **one.because},
        needs=None if one.needs is None or other.needs is None else tuple(sorted({*one.needs, *other.needs})),
    )


def shown_of_both(one: Observation, other: Observation) -> tuple[str, ...]:
    """What showed that two that ran the same do their work: nothing where nothing did of one of them."""
    return _any(one.shown, other.shown) if one.shown and other.shown else ()


def peaks(one: Observation, other: Observation) -> dict[str, int | None]:
    """The most that either used, each with its moment."""
    memory = max(one, other, key=lambda each: -1 if each.memory is None else each.memory)
    cpu = max(one, other, key=lambda each: -1 if each.cpu is None else each.cpu)
    return {"memory": memory.memory, "memory_at": memory.memory_at, "cpu": cpu.cpu, "cpu_at": cpu.cpu_at}


def _either(one: bool | None, other: bool | None) -> bool | None:
    """True where one is, False where both are known not to be."""
    return True if one or other else None if None in (one, other) else False


def _any(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _settings(one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: _any(one.get(name, ()), other.get(name, ())) for name in sorted({*one, *other})}


def _order(observation: Observation) -> tuple[str, str, str]:
    return observation.workload, observation.container, observation.runs


class NoObservationError(HardenError):
    """An entry of a lock is no observation. The message is what is wrong, ``index`` which entry it is."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def read(entries: Sequence[Any]) -> tuple[Observation, ...]:
    """The observations that a lock lists. Raises NoObservationError."""

    class Failed(msgspec.Struct, forbid_unknown_fields=True):
        settings: list[str]
        because: str

    class Entry(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
        digest: str
        runs: str
        workload: str
        container: str
        date: str
        engine: str
        seconds: int
        came_up: bool = True
        user: int | None = None
        groups: list[int] = []
        wrote: list[str] = []
        occupied: list[str] = []
        listens: list[str] = []
        capabilities: list[str] = []
        needs: list[str] | None = None
        memory: int | None = None
        token: bool | None = None
        connects: list[str] = []
        prepared: list[str] = []
        shown: list[str] = []
        doubts: list[str] = []
        memory_at: int | None = None
        cpu: int | None = None
        cpu_at: int | None = None
        outside: list[str] = []
        held: dict[str, list[str]] = {}
        failed: dict[str, Any] = {}

    found: list[Observation] = []
    for index, entry in enumerate(entries):
        kind: Any = Entry
        try:
            said = msgspec.convert(entry, Entry)
            kind = Failed
            failed = {name: msgspec.convert(value, Failed) for name, value in said.failed.items()}
        except msgspec.ValidationError as error:
            keys = ", ".join(kind.__struct_encode_fields__)
            where = "failed: " if kind is Failed else ""
            plain = str(error).replace("`", "").replace("$.", "")
            raise NoObservationError(index, f"{where}{plain}: its keys are {keys}") from None
        if problem := _problem(said):
            raise NoObservationError(index, problem)
        found.append(
            Observation(
                said.digest, said.runs, said.workload, said.container, said.date, said.engine, said.seconds,
                said.came_up, said.user, tuple(said.groups), tuple(said.wrote), tuple(said.occupied),
                tuple(said.listens), tuple(said.capabilities), said.memory, said.token, tuple(said.connects),
                {name: tuple(settings) for name, settings in said.held.items()},
                {name: tuple(each.settings) for name, each in failed.items()},
                {name: each.because for name, each in failed.items()},
                prepared=tuple(said.prepared), shown=tuple(said.shown), doubts=tuple(said.doubts),
                memory_at=said.memory_at, cpu=said.cpu, cpu_at=said.cpu_at, outside=tuple(said.outside),
                needs=None if said.needs is None else tuple(said.needs),
            )
        )  # fmt: skip
    return tuple(found)


def _problem(said: Any) -> str | None:
    """What is wrong with an entry whose keys and types are right."""
    if not is_digest(said.digest):
        return "digest is no digest: write sha256: and the 64 hexadecimal digits that the registry names"
    if not _RUNS.fullmatch(said.runs):
        return "runs is not 16 hexadecimal digits: run harden observe, which writes them"
    if not _DAY.fullmatch(said.date):
        return "date is no day: write it as 2026-11-28"
    for path in (*said.wrote, *said.occupied, *said.prepared):
        if not path.startswith("/") or posixpath.normpath(path) != path or path.startswith("//"):
            return f"{path} is no folder of an image: write it from the root on, without a slash at its end"
    if beyond := [name for name in said.needs or () if name not in BASELINE]:
        return f"needs: {beyond[0]} is no capability that Pod Security level baseline allows: write one such as CHOWN"
    numbers = (said.seconds, said.user, said.memory, said.memory_at, said.cpu, said.cpu_at, *said.groups)
    if any(number is not None and number < 0 for number in numbers):
        return "a number is below 0: run harden observe, which writes them"
    return None


def entry_of(observation: Observation) -> dict[str, Any]:
    """What a lock says of ``observation``: its keys, without those that are empty."""
    said = observation
    entry: dict[str, Any] = {
        "digest": said.digest, "runs": said.runs, "workload": said.workload, "container": said.container,
        "date": said.on, "engine": said.engine, "seconds": said.seconds,
    }  # fmt: skip
    if not said.came_up:
        entry["cameUp"] = False
    more = {
        "user": said.user, "groups": list(said.groups), "wrote": list(said.wrote), "occupied": list(said.occupied),
        "listens": list(said.listens), "capabilities": list(said.capabilities), "memory": said.memory,
        "memoryAt": said.memory_at, "cpu": said.cpu, "cpuAt": said.cpu_at, "outside": list(said.outside),
        "token": said.token, "connects": list(said.connects), "prepared": list(said.prepared),
        "shown": list(said.shown), "doubts": list(said.doubts),
        "held": {name: list(settings) for name, settings in sorted(said.held.items())},
        "failed": {
            name: {"settings": list(settings), "because": said.because.get(name, "")}
            for name, settings in sorted(said.failed.items())
        },
    }  # fmt: skip
    needs = {} if said.needs is None else {"needs": list(said.needs)}  # none at all says much
    found = {key: value for key, value in more.items() if value not in (None, [], {})}
    last = {key: found.pop(key) for key in ("held", "failed") if key in found}
    return entry | found | needs | last
