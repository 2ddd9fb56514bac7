"""A session: every workload as it is, then hardened, then halved until the cause is known, and what is kept of it.

What a run of harden would write is decided by somebody else (``Decide``), with what was seen so far as a provisional
harden.lock, and it is run once more as a whole before it is kept.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import date
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring.edits import WrongShapeError
from hardener.engine.outcome import Outcome
from hardener.facts.images.observations import observation, runs
from hardener.lock.observed import Observation
from hardener.observe.agent_client import AgentClient
from hardener.observe.application import DEFAULT, Application, Workload, batches, ends, is_test
from hardener.observe.container_activity import Activity
from hardener.observe.differences import KILLED, differences, has_answered, unwritable
from hardener.observe.engine import Engine, EngineError
from hardener.observe.exercise import Exercise
from hardener.observe.halving import Halving, TooManyError
from hardener.observe.images import Images
from hardener.observe.left_alone import left_alone, place_of
from hardener.observe.merged_observations import merged, with_before
from hardener.observe.namespace_agent import EPHEMERAL
from hardener.observe.pod_run import NOT_SHOWN, Came, StoppedError
from hardener.observe.pod_steps import DecidedPod, Name, PodStep, pods_of, steps_by_pod
from hardener.observe.refusal import Refusal
from hardener.observe.seccomp import Recorded, recorded
from hardener.observe.supported_fields import unsupported
from hardener.observe.work_seen import doubts, shown
from hardener.support.printable import plain
from hardener.tree.tree import Tree

Map = dict[str, Any]
Observations = dict[str, list[Observation]]
"""What was seen, by the keys of stanzas of harden.lock."""
_THREADS = 4  # workloads that are run hardened at a time
_DEEPEST = 32  # folders
_LONGER = 3  # times as long a workload is looked at that ended after it came up
_TURNS = 3  # of deciding anew with what was seen
_Member = tuple[Name, Workload, "Result"]

Decide = Callable[[Observations, bool], Outcome]
"""What harden would do, with observations beside those of harden.lock; True: with what is held back, too."""


class Failure(Struct, frozen=True):
    """Changes that stop a workload, by their transforms, and the reason: a line of its log. ``otherwise``: other
    settings of the last of them, with which it came up."""

    ids: tuple[str, ...]
    because: str
    otherwise: tuple[str, ...] = ()


class Result(Struct, eq=False):
    """What became of a workload. ``state``: "held" (with all changes), "partly", "not-as-it-is", "refused", "not-run".

    ``reason`` is one line for the last three; ``place`` says where that is written (file:line, and the container), and
    ``remedy`` what to do about it. ``containers``: name, image, digest, and what was seen of each as it is.
    ``held`` are the transforms under which it came up, ``untried`` those that an engine does not offer, and why;
    ``lost`` what of its Services nobody could call; ``violates``: see ``Workload``. ``shown`` is what showed that each
    container does its work, ``doubts`` what of it nobody saw. ``profiles`` are seccomp profiles of its containers.
    """

    key: str
    namespace: str | None
    file: str
    line: int
    state: str = "not-run"
    reason: str = ""
    place: str = ""
    remedy: str = ""
    runs: int = 0
    containers: list[tuple[str, str, str | None, Activity]] = field(default_factory=list)
    connects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    untried: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    shown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    violates: list[str] = field(default_factory=list)
    profiles: dict[str, Recorded] = field(default_factory=dict)


class _Case(Struct, eq=False):
    """A workload within a session."""

    name: Name
    workload: Workload
    application: Application
    result: Result
    held: dict[str, dict[str, set[str]]] = field(default_factory=dict)  # container, transform, settings
    failed: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    held_ids: set[str] = field(default_factory=set)  # transforms under which it came up at all
    because: dict[str, str] = field(default_factory=dict)  # by transform
    came_up_with: set[str] = field(default_factory=set)  # specs, as JSON
    run_with: set[str] = field(default_factory=set)  # what was decided, and tried
    connects: dict[str, set[str]] = field(default_factory=dict)
    as_it_is: dict[str, Activity] = field(default_factory=dict)
    tried: bool = False
    exercises: list[Exercise] = field(default_factory=list)  # that end well with it as it is
    unexercised: list[str] = field(default_factory=list)  # why others do not
    is_answered: bool = False  # each of its containers that runs answered something
    whole: bool = False  # the last thing that was decided came up


class Session:
    """Observes the workloads of ``tree``. ``progress`` is told of each workload and what is done with it. ``whole``:
    each is looked at for all of ``seconds`` also where it answers before. ``exercises``: what the user gave to find out
    whether a workload, by its name and its key, works. ``kind`` is what the engine makes of an application."""

    def __init__(
        self,
        engine: Engine,
        agent: AgentClient,
        tree: Tree,
        decide: Decide,
        images: Images,
        mask: Callable[[str], str],
        *,
        seconds: int,
        whole: bool = False,
        keep_going: bool,
        wanted: Callable[[str, str], bool],
        stop: threading.Event,
        progress: Callable[[str, str], object],
        shows_output: bool = True,
        exercises: Callable[[str, str], Exercise | None] = lambda name, key: None,
        kind: type[Application] = Application,
    ) -> None:
        self._exercises = exercises
        self._engine, self._decide = engine, decide
        self._images, self._mask, self._seconds, self._keep_going = images, mask, seconds, keep_going
        self._stop, self._progress = stop, progress
        self._whole, self._shows_output = whole, shows_output
        self._cases: list[_Case] = []
        self.results: list[Result] = []
        self.broken: str | None = None  # what the engine did not do
        self.applications: list[Application] = []
        found: dict[str, list[tuple[Name, Workload, Result]]] = {}
        for name, pod in pods_of(tree).items():
            item = pod.object
            key = f"{item.kind}/{item.name}"
            result = Result(key, item.namespace, item.piece.file.name, item.piece.read().line(int(item.path[0]), ()))
            if wanted(item.name, key):
                self.results.append(result)
            why = left_alone(pod)
            if why is not None:
                result.state, result.reason = "refused", why
                continue
            workload = Workload(key, pod, DecidedPod(pod, []).spec())
            found.setdefault(item.namespace or DEFAULT, []).append((name, workload, result))
        for namespace, members in found.items():
            for folder, group in _apart(members):
                if not any(result in self.results for _, _, result in group):
                    continue  # what is called by nobody who is asked for
                workloads = [workload for _, workload, _ in group]
                application = kind(
                    engine, agent, tree, namespace, folder, workloads, mask, stop, shows_output=shows_output
                )
                self.applications.append(application)
                self._cases += [_Case(name, workload, application, result) for name, workload, result in group]

    def run(self) -> None:
        """Observe. What was found is in ``results``, also where this is interrupted, and in ``observations``."""
        try:
            for application in self.applications:
                application.prepare(self._images)
            for case in self._cases:
                if not case.application.may_run(case.workload):
                    if case.workload.refused is not None:
                        self._refuse(case, case.workload.refused)
                    elif case.workload.missing is not None:
                        self._refuse(case, case.workload.missing, "not-run")
                    self._progress(case.result.key, case.result.state)
            for applications in batches(self.applications):
                cases = [case for case in self._cases if case.application in applications]
                try:
                    self._as_it_is([case for case in cases if case.application.may_run(case.workload)])
                    self._hardened(cases)
                finally:
                    for application in applications:
                        application.close()
        finally:
            self._stop.set()
            for case in self._cases:
                self._conclude(case)

    # As it is.

    def _as_it_is(self, cases: list[_Case]) -> None:
        for application in {id(case.application): case.application for case in cases}.values():
            application.begin()
        self._all(cases, self._first)
        # What has ended since it was looked at may do so again and again, or has waited for another one.
        ended = [case for case in cases if case.application.ended(case.workload) is not None]
        self._all(ended, lambda case: self._first(case, _LONGER * self._seconds), together=True)
        for case in cases:
            self._connections(case, case.workload.seen)
        running = [case for case in cases if case.application.is_running(case.workload)]
        for case in running:
            self._exercise(case)
        self._all(running, self._way_down)

    def _exercise(self, case: _Case) -> None:
        """Find out whether what the user gave works with a workload as it is: else it says nothing of a change."""
        tests = [Exercise(each.key, "") for each in case.application.workloads if is_test(each) and each.is_up]
        given = self._exercises(case.name[3], case.result.key)
        for exercise in [*([given] if given is not None else []), *tests]:
            if exercise.key == case.result.key or case.result not in self.results or is_test(case.workload):
                continue
            self._progress(case.result.key, "exercised as it is")
            problem = case.application.exercise(case.workload, exercise)
            if problem is None:
                case.exercises.append(exercise)
            else:
                case.unexercised.append(f"as it is, {plain(problem)}")
        if case.exercises:
            for found in case.workload.seen.values():
                found.exercised = True

    def _way_down(self, case: _Case) -> None:
        """See how it ends when it is told to, and what it writes then."""
        self._progress(case.result.key, "told to end")
        for name, found in case.application.go_down(case.workload).items():
            case.workload.seen[name].learn(found)
            old = case.as_it_is[name]
            old.code, old.kept, old.complaints = found.code, set(found.kept), dict(found.complaints)
            old.wrote = set(found.wrote)

    def _first(self, case: _Case, seconds: float | None = None) -> None:
        self._progress(case.result.key, "as it is")
        workload = case.workload
        try:
            came, seen = case.application.run(
                workload, workload.spec, seconds or self._seconds, whole=True, restarts=True, stays=not ends(workload)
            )
        except EngineError as error:
            self._broke(case, error)
            return
        workload.came, workload.seen = came, seen
        case.as_it_is = {
            name: replace(found, listens=set(found.listens), wrote=set(found.wrote)) for name, found in seen.items()
        }
        running = [found for found in seen.values() if not found.done]
        case.is_answered = bool(running) and all(map(has_answered, running))
        if not came.up:
            case.result.state, case.result.reason = "not-as-it-is", came.reason
            if came.refused is not None:
                self._refuse(case, came.refused)
        self._progress(case.result.key, "came up as it is" if came.up else "does not come up as it is")

    def _refuse(self, case: _Case, refusal: Refusal, state: str = "refused") -> None:
        """Say of a workload that it is not run, why, and where that is written."""
        result = case.result
        result.state, result.reason = state, self._mask(refusal.text)
        result.place, result.remedy = place_of(case.workload.pod, refusal.path), refusal.remedy

    def _broke(self, case: _Case, error: EngineError) -> None:
        """The engine does not do what it is asked for: of the workload nothing is known by that."""
        case.result.reason = f"{self._engine.name}: {self._mask(str(error))}"
        self.broken = self.broken or case.result.reason

    def _connections(self, case: _Case, seen: Mapping[str, Activity]) -> None:
        """Name what its containers connected to, and who connected to it."""
        network = case.application.network
        for name, found in seen.items():
            for address, port in found.connections:
                key = network.key_at(address)
                if address == network.api_server:
                    case.connects.setdefault(name, set()).add("kubernetes")
                elif key is not None:
                    case.connects.setdefault(name, set()).add(network.called(key, port))
            for address, port in found.callers:
                caller = next(
                    (
                        each
                        for each in self._cases
                        if each.application is case.application and each.workload.key == network.key_at(address)
                    ),
                    None,
                )
                if caller is not None and caller is not case:
                    first = str((caller.workload.spec.get("containers") or [{}])[0].get("name"))
                    caller.connects.setdefault(first, set()).add(network.called(case.workload.key, port))

    # Hardened.

    def _hardened(self, cases: list[_Case]) -> None:
        failed = [case for case in cases if case.workload.came is not None and not case.workload.came.up]
        cases = [case for case in cases if case.workload.is_up and case.result in self.results]
        if not self._keep_going:
            cases = [case for case in cases if not self._leans_on(case, failed)]
        if not cases:
            return
        for all_in in (True, False):
            for _ in range(_TURNS):
                if not self._round(cases, all_in=all_in):
                    break
        self._together(cases)
        if self._engine.strace is not None:
            self._record(cases)

    def _record(self, cases: list[_Case]) -> None:
        """Run each of ``cases``, as it would be written, under a profile of the system calls that it made."""
        pods = self._decided(False)
        for case in cases:
            found = pods.get(case.name)
            spec = (_spec(found, self._offered(case, found)) if found is not None else None) or case.workload.spec
            self._progress(case.result.key, "under a seccomp profile")

            def run(case: _Case = case, spec: Map = spec) -> Came:
                return self._experiment(case, spec, whole=True)[0]

            try:
                case.result.profiles = recorded(self._engine, case.workload.key, case.workload.seen, run)
            except EngineError as error:
                self._broke(case, error)

    def _leans_on(self, case: _Case, failed: list[_Case]) -> bool:
        """Whether it connects to one that does not come up as it is: what that does to it is not known."""
        for other in failed:
            names = case.application.network.endpoints[other.workload.key].services if _is_placed(other) else {}
            called = {each for found in case.connects.values() for each in found}
            if other.application is case.application and any(
                f"Service/{name}:" in each for name in names for each in called
            ):
                case.result.state = "not-run"
                case.result.reason = f"it calls {other.result.key}, which does not come up as it is; --keep-going"
                return True
        return False

    def _round(self, cases: list[_Case], *, all_in: bool) -> bool:
        """Run what is decided of each of ``cases`` where that was not run before; whether anything was."""
        pods = self._decided(all_in)
        todo = []
        for case in cases:
            found = pods.get(case.name)
            if found is None or not found.steps:
                case.tried = case.whole = True
                continue
            steps = self._offered(case, found)
            spec = _spec(found, steps)
            text = _text(spec or {})
            if text in case.came_up_with:
                case.tried = case.whole = True
                if not all_in:
                    self._hold(case, found, steps)
            elif text not in case.run_with:
                case.run_with.add(text)
                todo.append((case, found, steps, all_in))
        self._all(todo, lambda each: self._try_writable(*each), of=lambda each: each[0])
        return bool(todo)

    def _decided(self, all_in: bool) -> dict[Name, DecidedPod]:
        return steps_by_pod(self._decide(self.observations(), all_in))

    def _offered(self, case: _Case, found: DecidedPod) -> list[PodStep]:
        """The steps that the engine can run; the others are noted."""
        steps: list[PodStep] = []
        for step in found.steps:
            spec = _spec(found, [step])
            why = unsupported(spec, case.workload.pod.metadata.data) if spec is not None else None
            if why is not None:
                case.result.untried[step.id] = why
            else:
                steps.append(step)
        return steps

    def _try(self, case: _Case, found: DecidedPod, steps: list[PodStep], all_in: bool) -> None:
        case.tried = True

        def holds(chosen: Sequence[PodStep]) -> bool:
            spec = found.spec(_makeable(found, chosen))
            if _text(spec) in case.came_up_with:
                return True
            whole = len(chosen) == len(steps)
            self._progress(case.result.key, f"with {len(chosen)} of {len(steps)} changes")
            came, seen = self._experiment(case, spec, whole=whole)
            if came.up:
                case.came_up_with.add(_text(spec))
                self._learn(case, seen)
            return came.up

        halving = Halving(holds)
        try:
            if not halving.holds(steps):
                rest = [step for step in steps if step.id != _READ_ONLY]
                wrote = self._wrote(case)
                if len(rest) < len(steps) and halving.holds(rest) and self._wrote(case) != wrote:
                    return  # it writes elsewhere now: decided anew, those places get a volume
            causes, left = halving.causes(steps)
            for cause in causes:
                # Beside all that holds: alone it may fail for want of another change.
                self._confirm(case, found, cause, [step for step in steps if step in left or step is cause[-1]])
        except TooManyError:
            case.result.reason = f"{halving.runs} runs were not enough to find what stops it"
            return
        except EngineError as error:
            self._broke(case, error)
            return
        if all_in:
            _note(case.held, _makeable(found, left))
            case.held_ids |= {step.id for step in left}
        else:
            self._hold(case, found, left)
        case.whole = not causes

    def _try_writable(self, case: _Case, found: DecidedPod, steps: list[PodStep], all_in: bool) -> None:
        """Try ``steps`` without those that cannot hold, whatever a run says."""
        kept = self._writable(case, found, steps)
        self._try(case, found, kept, all_in)
        case.whole = case.whole and len(kept) == len(steps)

    def _writable(self, case: _Case, found: DecidedPod, steps: list[PodStep]) -> list[PodStep]:
        """``steps`` without those that would take a place from it that it writes to; nobody has to run these."""
        kept = []
        for step in steps:
            others = [each for each in steps if each is not step]
            lost = self._lost(case, found, steps) - self._lost(case, found, others) if step.id == _READ_ONLY else None
            if lost:
                self._failed(case, [step], min(lost))
            else:
                kept.append(step)
        return kept

    @staticmethod
    def _lost(case: _Case, found: DecidedPod, steps: list[PodStep]) -> set[str]:
        return set(unwritable(case.as_it_is, found.spec(_makeable(found, steps))))

    def _confirm(self, case: _Case, found: DecidedPod, cause: list[PodStep], steps: list[PodStep]) -> None:
        """Run it with ``steps`` once more, which ``cause`` is to stop, and note how that went."""
        again, _ = self._experiment(case, found.spec(_makeable(found, steps)), whole=False)
        if again.up:
            id = cause[-1].id
            case.result.reason = f"once it came up with {id}, and once it did not: nothing is known of that"
        else:
            self._failed(case, cause, again.reason)

    @staticmethod
    def _hold(case: _Case, found: DecidedPod, steps: list[PodStep]) -> None:
        """Note what harden would write, and what came up: what came up with more changes says less of it."""
        case.held.clear()
        _note(case.held, _makeable(found, steps))
        case.held_ids |= {step.id for step in steps}

    def _failed(self, case: _Case, cause: list[PodStep], because: str) -> None:
        last = cause[-1]
        with_others = [step.id for step in cause[:-1] if step.id != last.id]
        if with_others:
            because = f"together with {', '.join(dict.fromkeys(with_others))}: {because}"
        _note(case.failed, [last])
        case.because[last.id] = because
        failure = Failure(tuple(dict.fromkeys(step.id for step in cause)), because)
        if failure.ids not in [known.ids for known in case.result.failed]:
            case.result.failed.append(failure)

    def _wrote(self, case: _Case) -> set[str]:
        return {path for seen in case.workload.seen.values() for path in seen.wrote}

    def _learn(self, case: _Case, seen: Mapping[str, Activity]) -> None:
        """Take in where it wrote, and whom it called, as it ran with changes."""
        for name, found in seen.items():
            known = case.workload.seen.get(name)
            if known is not None:
                known.learn(found)
        self._connections(case, seen)

    def _experiment(self, case: _Case, spec: Map, *, whole: bool) -> tuple[Came, dict[str, Activity]]:
        """Run a workload with ``spec``, and those of its application beside it as they are."""
        for other in self._beside(case):
            if not case.application.is_running(other.workload) and not ends(other.workload):
                self._restore(other)
        assert case.workload.came is not None
        lost = next(unwritable(case.as_it_is, spec), None)
        if lost is not None:  # nobody has to run that
            return Came(False, lost), {}
        again = case.workload.came.restarts > 0
        whole = (self._whole and whole) or not case.is_answered
        # What listens as it is has to listen then, too: it is not enough that it does not end.
        serves = {name: set(filter(_is_fixed, seen.listens)) for name, seen in case.as_it_is.items()}
        came, seen = case.application.run(
            case.workload, spec, self._seconds, whole=whole, restarts=again, serves=serves, before=case.as_it_is,
            goes_down=any(found.code not in (None, KILLED) for found in case.as_it_is.values()),
            exercises=case.exercises,
        )  # fmt: skip
        differs = self._difference(case, seen, spec, whole=whole) if came.up else None
        return (came if differs is None else replace(came, up=False, reason=differs)), seen

    def _difference(self, case: _Case, seen: Mapping[str, Activity], spec: Map, *, whole: bool) -> str | None:
        """What is otherwise than as it is, in one line."""
        found = next(differences(case.as_it_is, seen, spec, whole=whole), None)
        if found is None:
            return None
        return NOT_SHOWN if found.is_output and not self._shows_output else plain(self._mask(found.text))

    def _beside(self, case: _Case) -> list[_Case]:
        """Those that it calls, or that are called by what it calls, of its application; all of it where nobody sees
        calls."""
        if not case.application.sees_calls:
            return [each for each in self._cases if each is not case and _is_up_in(case.application, each)]
        found = [case]
        for each in found:
            called = {name for names in each.connects.values() for name in names}
            for other in self._cases:
                if other.application is case.application and other not in found and other.workload.is_up:
                    services = case.application.network.endpoints[other.workload.key].services
                    if any(one.startswith(f"Service/{name}:") for name in services for one in called):
                        found.append(other)
        return found[1:]

    def _restore(self, case: _Case) -> None:
        case.application.run(case.workload, case.workload.spec, 1, whole=False, restarts=True, stays=True)

    def _stand_by(self, case: _Case) -> None:
        """Have a workload that others may call run as it is again."""
        if case.application.network.endpoints[case.workload.key].services and not ends(case.workload):
            if len(case.application.workloads) > 1 and not case.application.is_running(case.workload):
                with suppress(EngineError):
                    self._restore(case)

    def _together(self, cases: list[_Case]) -> None:
        """Run each application with all that harden would write to it at once, where that is more than one workload."""
        outcome = self._decide(self.observations(), False)
        pods = steps_by_pod(outcome)
        for application in {id(case.application): case.application for case in cases}.values():
            own = [case for case in cases if case.application is application and case.whole and case.name in pods]
            own = [case for case in own if not ends(case.workload)]
            if not _may_call(application, own):
                continue
            application.take_policies(outcome.tree)
            for case in own:
                application.end(case.workload)
            problems: dict[str, str] = {}

            def begin(case: _Case, problems: dict[str, str] = problems) -> None:
                problem = self._run_with_others(case, pods[case.name])
                if problem is not None:
                    problems[case.result.key] = problem

            self._all(own, begin, together=True)
            for case in own:
                problem = application.ended(case.workload) or problems.get(case.result.key)
                problem = problem or self._otherwise_together(case)
                if problem is not None:
                    case.result.reason = f"not together with the others, hardened: {problem}"
                    case.held.clear()
                    case.held_ids.clear()
                    case.whole = False

    def _otherwise_together(self, case: _Case) -> str | None:
        """What a workload that runs beside the others no longer does, in one line."""
        if not case.application.is_running(case.workload):
            return None
        seen = case.application.ask_again(case.workload)
        return self._difference(case, seen, case.workload.spec, whole=False)

    def _run_with_others(self, case: _Case, found: DecidedPod) -> str | None:
        """Start a workload with all that harden would write, and leave it running; why it did not come up."""
        self._progress(case.result.key, "with the others, all hardened")
        spec = _spec(found, self._offered(case, found)) or case.workload.spec
        try:
            came, seen = case.application.run(
                case.workload, spec, self._seconds, whole=False, restarts=True, stays=True, before=case.as_it_is
            )
        except EngineError as error:
            return f"{self._engine.name}: {self._mask(str(error))}"
        if not came.up:
            return came.reason
        self._learn(case, seen)
        return None

    def _all(
        self,
        todo: Iterable[Any],
        work: Callable[[Any], None],
        *,
        of: Callable[[Any], _Case] = lambda case: case,
        together: bool = False,
    ) -> None:
        """Do ``work`` for each of ``todo``: at a time for workloads that do not call each other, one after the other
        for those that do; all at once where they are to come up ``together``, or nothing is known of calls yet."""
        todo = list(todo)
        if together or all(of(each).workload.came is None for each in todo):
            # What waits for another one to come up must not keep it from starting.
            self._in_threads([[each] for each in todo], work, max(len(todo), 1))
            return

        def work_and_restore(each: Any) -> None:
            work(each)
            self._stand_by(of(each))

        groups = _groups(todo, of, [case for case in self._cases if case.workload.came])
        self._in_threads(groups, work_and_restore, _THREADS)

    def _in_threads(self, groups: Iterable[list[Any]], work: Callable[[Any], None], threads: int) -> None:
        """Do ``work`` for each of each group; the first error stops all of it, and is raised."""

        def serve(group: list[Any]) -> None:
            for each in group:
                if self._stop.is_set():
                    raise StoppedError("interrupted")
                work(each)

        pool = ThreadPoolExecutor(threads, thread_name_prefix="observe")
        futures: list[Future[None]] = [pool.submit(serve, group) for group in groups]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            self._stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    # What is kept.

    def observations(self) -> Observations:
        """What was seen so far, by the keys of stanzas."""
        found: Observations = {}
        for case in self._cases:
            if case.workload.came is None or case.result not in self.results:
                continue
            for container in case.workload.pod.containers:
                image = case.workload.images.get(str(container.data.get("image")))
                command = runs(container)
                if image is None or image.digest is None or command is None:
                    continue
                made = self._observation(case, container.name, image.digest, command)
                before = observation(container)
                if before is not None:
                    made = with_before(made, before)
                known = found.setdefault(image.key, [])
                same = next((each for each in known if (each.digest, each.runs) == (made.digest, made.runs)), None)
                if same is None:
                    known.append(made)
                else:
                    known[known.index(same)] = merged(same, made)
        return found

    def _observation(self, case: _Case, name: str, digest: str, command: str) -> Observation:
        seen = case.workload.seen.get(name, Activity())
        assert case.workload.came is not None
        failed = {id: tuple(sorted(each)) for id, each in sorted(case.failed.get(name, {}).items())}
        return Observation(
            digest=digest,
            runs=command,
            workload=case.result.key,
            container=name,
            on=date.today().isoformat(),
            engine=self._engine.called,
            seconds=self._seconds,
            came_up=case.workload.came.up,
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
            connects=tuple(sorted(case.connects.get(name, ()))),
            held={id: tuple(sorted(each)) for id, each in sorted(case.held.get(name, {}).items())},
            failed=failed,
            because={id: case.because[id] for id in failed},
            prepared=tuple(sorted(seen.prepared)),
            shown=tuple(shown(seen, self._seconds)),
            doubts=tuple(doubts(seen, self._seconds)),
        )

    def _conclude(self, case: _Case) -> None:
        result, workload = case.result, case.workload
        result.runs, result.violates = workload.runs, workload.violates
        result.lost = [*workload.lost, *case.unexercised]
        result.connects = {name: tuple(sorted(each)) for name, each in case.connects.items()}
        for container in workload.pod.containers:
            text = str(container.data.get("image"))
            image = workload.images.get(text)
            seen = workload.seen.get(container.name)
            if seen is not None:
                result.shown[container.name] = tuple(shown(seen, self._seconds))
                result.doubts[container.name] = tuple(doubts(seen, self._seconds))
                result.containers.append((container.name, text, image.digest if image else None, seen))
        if not workload.is_up or not case.tried:
            return
        self._judge(case)

    @staticmethod
    def _judge(case: _Case) -> None:
        """Say in its result which changes hold, and whether all do."""
        result = case.result
        if case.whole:
            result.failed = [
                replace(failure, otherwise=otherwise(failure.ids[-1], case.held, case.failed))
                for failure in result.failed
            ]
        failed = {failure.ids[-1] for failure in result.failed if not failure.otherwise}
        result.held = sorted(case.held_ids - failed)
        result.state = "held" if case.whole and not failed else "partly"
        if result.state == "partly" and not result.failed and not result.reason:
            result.reason = "the run ended before it was known whether it comes up hardened"


def otherwise(
    id: str, held: Mapping[str, Mapping[str, set[str]]], failed: Mapping[str, Mapping[str, set[str]]]
) -> tuple[str, ...]:
    """The settings of a transform that came up where others did not, by container; none where a container that failed
    with it has no others."""
    more = [held.get(container, {}).get(id, set()) - names[id] for container, names in failed.items() if id in names]
    return tuple(sorted(set().union(*more))) if all(more) else ()


def _apart(members: list[_Member], depth: int = 0) -> Iterator[tuple[str, list[_Member]]]:
    """The applications of one namespace, each with its folder ("" for all of the tree): one, and where two workloads
    have the same name, as copies for test and production have, one for each folder that holds a copy."""
    keys = Counter(workload.key for _, workload, _ in members)
    if max(keys.values()) == 1:
        yield "/".join(_folders(members[0])[:depth]) if depth else "", members
        return
    parts: dict[str, list[_Member]] = {}
    for member in members:
        folders = _folders(member)
        parts.setdefault(folders[depth] if depth < len(folders) else "", []).append(member)
    if len(parts) > 1 or (next(iter(parts)) and depth < _DEEPEST):
        for part in parts.values():
            yield from _apart(part, depth + 1)
        return
    taken: set[str] = set()
    for _, workload, result in members:
        if workload.key in taken:
            result.state, result.reason = "refused", "another workload of its folder is called the same"
        taken.add(workload.key)
    yield "/".join(_folders(members[0])[:depth]), [each for each in members if each[2].state != "refused"]


def _folders(member: _Member) -> list[str]:
    return member[0][0].split("/")[:-1]


_READ_ONLY = "read-only-root-filesystem"


def _spec(found: DecidedPod, steps: Iterable[PodStep]) -> Map | None:
    try:
        return found.spec(steps)
    except WrongShapeError:
        return None


def _makeable(found: DecidedPod, steps: Iterable[PodStep]) -> list[PodStep]:
    """``steps`` without those that lean on one that is not among them."""
    chosen: list[PodStep] = []
    for step in steps:
        if _spec(found, [*chosen, step]) is not None:
            chosen.append(step)
    return chosen


def _is_fixed(port: str) -> bool:
    """Whether "80/tcp" is a port that a program does not choose anew each time."""
    number, _, protocol = port.partition("/")
    return protocol == "tcp" and int(number) < EPHEMERAL


def _text(spec: Map) -> str:
    return json.dumps(spec, sort_keys=True, default=str)


def _note(into: dict[str, dict[str, set[str]]], steps: Iterable[PodStep]) -> None:
    for step in steps:
        for container, names in step.settings.items():
            into.setdefault(container, {}).setdefault(step.id, set()).update(names)


def _is_up_in(application: Application, case: _Case) -> bool:
    return case.application is application and case.workload.is_up


def _may_call(application: Application, cases: list[_Case]) -> bool:
    """Whether any of ``cases`` calls another one, or nobody can see that."""
    return len(cases) > 1 and (not application.sees_calls or any(case.connects for case in cases))


def _is_placed(case: _Case) -> bool:
    return case.application.may_run(case.workload)


def _groups(todo: list[Any], of: Callable[[Any], _Case], cases: list[_Case]) -> list[list[Any]]:
    """``todo`` in groups, of which none leads to a workload of another through the calls of any of ``cases``."""
    families: list[list[_Case]] = []
    for case in cases:
        near = [family for family in families if any(_call(case, other) for other in family)]
        joined = [*(one for family in near for one in family), case]
        families = [family for family in families if family not in near] + [joined]
    found = ([each for each in todo if of(each) in family] for family in families)
    return [group for group in found if group]


def _call(one: _Case, other: _Case) -> bool:
    """Whether they belong together: one calls the other, or somebody that the other calls, too."""
    if one.application is not other.application:
        return False
    if not one.application.sees_calls:
        return True
    own = {name for names in one.connects.values() for name in names}
    others = {name for names in other.connects.values() for name in names}
    if own & others:
        return True
    for names, called in ((own, other), (others, one)):
        services = called.application.network.endpoints[called.workload.key].services
        if any(each.startswith(f"Service/{name}:") for name in services for each in names):
            return True
        if any(each.startswith(f"{called.workload.key}:") for each in names):
            return True
    return False
