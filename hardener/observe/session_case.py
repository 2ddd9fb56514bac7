"""A workload within a session: what came up, what did not, and what is kept and told of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.lock.observed import Observation
from hardener.observe.application import Application, Workload, containers_of
from hardener.observe.capability_trial import DROPS_ALL, TRANSFORM
from hardener.observe.change_search import ChangeSearch, Needs, Trials
from hardener.observe.container_activity import Activity
from hardener.observe.container_options import user_of
from hardener.observe.exercise import Exercise
from hardener.observe.pod_steps import Name, PodStep
from hardener.observe.refusal import NotStartedError
from hardener.observe.results import Result, otherwise
from hardener.observe.work_seen import doubts, shown, unjudged

Map = dict[str, Any]


class Case(Struct, eq=False):
    """A workload within a session."""

    name: Name
    workload: Workload
    application: Application
    result: Result
    held: dict[str, dict[str, set[str]]] = field(default_factory=dict)  # container, transform, settings
    failed: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    held_ids: set[str] = field(default_factory=set)  # transforms under which it came up at all
    because: dict[str, str] = field(default_factory=dict)  # by transform
    trials: Trials = field(default_factory=Trials)
    needs: dict[str, Needs] = field(default_factory=dict)  # capabilities by trial, by container
    connects: dict[str, set[str]] = field(default_factory=dict)
    as_it_is: dict[str, Activity] = field(default_factory=dict)
    tried: bool = False
    exercises: list[Exercise] = field(default_factory=list)  # that end well with it as it is
    unexercised: list[str] = field(default_factory=list)  # why others do not
    notes: list[str] = field(default_factory=list)  # what is otherwise, and no failure
    is_answered: bool = False  # each of its containers that runs answered something
    whole: bool = False  # the last thing that was decided came up
    took: float = 0.0  # seconds
    kept: list[tuple[str, Observation]] | None = None  # what was told of it

    def proved_needs(self, name: str) -> tuple[str, ...] | None:
        """The capabilities that the container ``name`` needs; None where it is not known to come up without others."""
        if not self.application.reads_images:
            return None
        if DROPS_ALL not in self.held.get(name, {}).get(TRANSFORM, ()):
            return None
        return self.needs[name].names if name in self.needs else ()

    def starts_as_root(self, spec: Map, name: str) -> bool:
        """Whether the container ``name`` of a pod with ``spec`` begins as root."""
        container = next((each for each in containers_of(spec) if each.get("name") == name), {})
        try:
            return self._user(spec, container).partition(":")[0] in ("0", "root")
        except NotStartedError:
            return False

    def refused_by_kubelet(self, spec: Map) -> str | None:
        """Why a kubelet does not start a pod with ``spec``, by the users of its containers; None where it does, or
        nobody knows the users of its images."""
        for container in containers_of(spec) if self.application.reads_images else ():
            try:
                self._user(spec, container)
            except NotStartedError as error:
                return str(error)
        return None

    def _user(self, spec: Map, container: Map) -> str:
        image = self.workload.images.get(str(container.get("image")))
        return user_of(spec, container, image.config if image is not None else {})

    def observation(self, name: str, digest: str, command: str, engine: str, seconds: int) -> Observation:
        """What was seen of the container ``name``, which runs ``command`` of an image of this ``digest``, by an
        ``engine`` that looked at it for ``seconds``."""
        seen = self.workload.seen.get(name, Activity())
        assert self.workload.came is not None
        held = self.held.get(name, {})
        failed = {id: tuple(sorted(each)) for id, each in sorted(self.failed.get(name, {}).items())}
        return Observation(
            digest=digest,
            runs=command,
            workload=self.result.key,
            container=name,
            on=date.today().isoformat(),
            engine=engine,
            seconds=seconds,
            came_up=self.workload.came.up,
            user=seen.user,
            groups=seen.groups,
            wrote=tuple(sorted(seen.wrote)),
            occupied=tuple(sorted(seen.occupied)),
            listens=tuple(sorted(seen.listens)),
            capabilities=tuple(sorted(seen.capabilities)),
            memory=seen.memory,
            memory_at=seen.memory_at,
            cpu=seen.cpu,
            cpu_at=seen.cpu_at,
            outside=tuple(sorted(seen.outside)),
            token=seen.token,
            connects=tuple(sorted(self.connects.get(name, ()))),
            held={id: tuple(sorted(each)) for id, each in sorted(held.items()) if id not in unjudged(seen)},
            failed=failed,
            because={id: self.because[id] for id in failed},
            needs=self.proved_needs(name),
            prepared=tuple(sorted(seen.prepared)),
            shown=tuple(shown(seen, seconds)),
            doubts=tuple(doubts(seen, seconds)),
        )

    def conclude(self, seconds: int) -> None:
        """Say in its result what was seen of it in ``seconds``, and which changes hold."""
        result, workload = self.result, self.workload
        result.runs, result.violates = workload.runs, workload.violates
        result.lost = [*workload.lost, *self.unexercised, *dict.fromkeys(self.notes)]
        result.connects = {name: tuple(sorted(each)) for name, each in self.connects.items()}
        for container in workload.pod.containers:
            text = str(container.data.get("image"))
            image = workload.images.get(text)
            seen = workload.seen.get(container.name)
            if seen is not None:
                result.shown[container.name] = tuple(shown(seen, seconds))
                result.doubts[container.name] = tuple(doubts(seen, seconds))
                held = self.held.get(container.name, {})
                result.lost += [f"{container.name}: {why}" for id, why in unjudged(seen).items() if id in held]
                result.containers.append((container.name, text, image.digest if image else None, seen))
        self.judge(result)

    def judge(self, result: Result) -> None:
        """Say in ``result``, which is about it, which changes hold, and whether all do."""
        if not self.workload.is_up or not self.tried:
            return
        if self.whole:
            result.failed = [
                replace(failure, otherwise=otherwise(failure.ids[-1], self.held, self.failed))
                for failure in result.failed
            ]
        names = (container.name for container in self.workload.pod.containers)
        result.needs = {name: needs for name in names if (needs := self.proved_needs(name)) is not None}
        failed = {failure.ids[-1] for failure in result.failed if not failure.otherwise}
        unknown = {id for seen in self.workload.seen.values() for id in unjudged(seen)}
        result.held = sorted(self.held_ids - failed - unknown)
        result.state = "held" if self.whole and not failed else "partly"
        if result.state == "partly" and not result.failed and not result.reason:
            result.reason = "the run ended before it was known whether it comes up hardened"


def note(into: dict[str, dict[str, set[str]]], steps: Iterable[PodStep], search: ChangeSearch | None = None) -> None:
    """Note what ``steps`` set, with the capabilities that ``search`` gave."""
    for step in steps:
        for container, names in (step.settings if search is None else search.settings(step)).items():
            into.setdefault(container, {}).setdefault(step.id, set()).update(names)
