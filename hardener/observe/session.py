"""A session: every workload as it is, then hardened, then halved until the cause is known, and what is kept of it.

What a run of harden would write is decided by somebody else (``Decide``), with what was seen so far as a provisional
harden.lock, and it is run once more as a whole before it is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from hardener.authoring.edits import WrongShapeError
from hardener.engine.outcome import Outcome
from hardener.facts.images.observations import observation, runs
from hardener.lock.observed import Observation
from hardener.observe import side_by_side
from hardener.observe.agent_client import AgentClient
from hardener.observe.application import DEFAULT, Application, Workload, ends, is_test
from hardener.observe.change_search import Cause, ChangeSearch, makeable
from hardener.observe.container_activity import Activity
from hardener.observe.differences import KILLED, differences, filled, has_answered, killed, unwritable
from hardener.observe.engine import Engine, EngineError
from hardener.observe.exercise import Exercise
from hardener.observe.halving import TooManyError
from hardener.observe.images import Images
from hardener.observe.left_alone import left_alone, place_of
from hardener.observe.merged_observations import with_before
from hardener.observe.namespace_members import apart
from hardener.observe.pod_run import NOT_SHOWN, Came, StoppedError
from hardener.observe.pod_steps import DecidedPod, Name, PodStep, pods_of, steps_by_pod
from hardener.observe.process_look import EPHEMERAL
from hardener.observe.refusal import Refusal
from hardener.observe.results import Failure, Listener, Result
from hardener.observe.seccomp import recorded
from hardener.observe.seen_together import Observations, together
from hardener.observe.session_calls import beside, groups_of, is_placed, may_call, note_connections
from hardener.observe.session_case import Case, note
from hardener.observe.supported_fields import unsupported
from hardener.observe.time_budget import Budget, OverError, estimate, said
from hardener.support.printable import plain
from hardener.tree.tree import Tree

Map = dict[str, Any]
_LONGER = 3  # times as long a workload is looked at that ended after it came up
_TURNS = 3  # of deciding anew with what was seen
_OVER = "the time was over before that was known: give more (--budget), or run it alone (--workload)"

Decide = Callable[[Observations, bool], Outcome]
"""What harden would do, with observations beside those of harden.lock; True: with what is held back, too."""


class Session:
    """Observes the workloads of ``tree``, for as long as ``stop`` has time. ``listener`` is told how it goes.

    ``whole``: each is looked at for all of ``seconds`` also where it answers before. ``exercises``: what the user gave
    to find out whether a workload, by its name and its key, works. ``kind`` is what the engine makes of an application.
    """

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
        stop: Budget,
        listener: Listener,
        shows_output: bool = True,
        exercises: Callable[[str, str], Exercise | None] = lambda name, key: None,
        kind: type[Application] = Application,
    ) -> None:
        self._engine, self._decide, self._exercises = engine, decide, exercises
        self._whole, self._shows_output = whole, shows_output
        self._images, self._mask, self._seconds, self._keep_going = images, mask, seconds, keep_going
        self._stop, self._listener, self._progress = stop, listener, listener.row
        self._learning, self._finishing, self._deciding = threading.RLock(), threading.Lock(), threading.Lock()
        self._cases: list[Case] = []
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
            for folder, group in apart(members):
                if not any(result in self.results for _, _, result in group):
                    continue  # what is called by nobody who is asked for
                workloads = [workload for _, workload, _ in group]
                application = kind(
                    engine, agent, tree, namespace, folder, workloads, mask, stop, shows_output=shows_output
                )
                self.applications.append(application)
                self._cases += [Case(name, workload, application, result) for name, workload, result in group]

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
            self._listener.planned(self._plan())
            self._stop.begin()
            most = side_by_side.up_together(side_by_side.free_memory())
            for applications in side_by_side.batches(self.applications, lambda each: len(each.workloads), most):
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
                case.conclude(self._seconds)

    def _plan(self) -> str:
        """What is ahead, in a line."""
        count = sum(case.result in self.results for case in self._cases if case.application.may_run(case.workload))
        needed = estimate(count, self._seconds, self._at_once([]))
        line = f"{count} workload{'s' * (count != 1)}, about {said(needed)}"
        return line if needed <= self._stop.seconds else f"{line}; --budget ends it after {said(self._stop.seconds)}"

    def _finish(self, case: Case) -> None:
        """Tell of a workload of which nothing more is tried for now."""
        with self._finishing:
            if case.kept is not None or case.result not in self.results:
                return
            case.kept = list(self._seen_of(case))
            known = [each.kept for each in self._cases if each.kept is not None]
            of = sum(each.result in self.results and each.application.may_run(each.workload) for each in self._cases)
            own = {key for key, _ in case.kept}
            all_kept = together(each for kept in known for each in kept)
            seen = {key: found for key, found in all_kept.items() if key in own}
            result = replace(case.result, runs=case.workload.runs)
            case.judge(result)
            self._listener.finished(result, seen, f"{len(known)} of {of}", case.took)

    # As it is.

    def _as_it_is(self, cases: list[Case]) -> None:
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
        for case in cases:
            if not case.workload.is_up:
                self._finish(case)

    def _exercise(self, case: Case) -> None:
        """Find out whether what the user gave works with a workload as it is: else it says nothing of a change."""
        tests = [Exercise(each.key, "") for each in case.application.workloads if is_test(each) and each.is_up]
        given = self._exercises(case.name[3], case.result.key)
        for exercise in [*([given] if given is not None else []), *tests]:
            if exercise.key == case.result.key or case.result not in self.results or is_test(case.workload):
                continue
            self._progress(case.result.key, "exercised as it is")
            try:
                problem = case.application.exercise(case.workload, exercise)
            except OverError:
                problem = "the time was over before that was known"
            if problem is None:
                case.exercises.append(exercise)
            else:
                case.unexercised.append(f"as it is, {plain(problem)}")
        if case.exercises:
            for name, found in case.application.facts(case.workload).items():
                old = case.as_it_is[name]
                old.for_exercise = filled(old.stored, found.stored)
            for found in case.workload.seen.values():
                found.exercised = True

    def _way_down(self, case: Case) -> None:
        """See how it ends when it is told to, and what it writes then."""
        if self._stop.is_over:
            return
        self._progress(case.result.key, "told to end")
        for name, found in case.application.facts(case.workload).items():
            old = case.as_it_is[name]
            old.later = {*found.wrote, *found.kept} - {*old.wrote, *old.kept}
            old.take_used(found)
        for name, found in case.application.go_down(case.workload).items():
            case.workload.seen[name].learn(found)
            old = case.as_it_is[name]
            old.code, old.kept, old.complaints = found.code, set(found.kept), dict(found.complaints)
            old.wrote = set(found.wrote)

    def _first(self, case: Case, seconds: float | None = None) -> None:
        self._progress(case.result.key, "as it is")
        workload, began = case.workload, time.monotonic()
        try:
            came, seen = case.application.run(
                workload, workload.spec, seconds or self._seconds, whole=True, restarts=True, stays=not ends(workload)
            )
        except EngineError as error:
            self._broke(case, error)
            return
        except OverError:
            case.result.reason = _OVER
            return
        finally:
            case.took += time.monotonic() - began
        workload.came, workload.seen = came, seen
        case.as_it_is = {
            name: replace(found, listens=set(found.listens), wrote=set(found.wrote), kept=set(found.kept))
            for name, found in seen.items()
        }
        running = [found for found in seen.values() if not found.done]
        case.is_answered = bool(running) and all(map(has_answered, running))
        if not came.up:
            case.result.state, case.result.reason = "not-as-it-is", came.reason
            if came.refused is not None:
                self._refuse(case, came.refused)
        self._progress(case.result.key, "came up as it is" if came.up else "does not come up as it is")

    def _refuse(self, case: Case, refusal: Refusal, state: str = "refused") -> None:
        """Say of a workload that it is not run, why, and where that is written."""
        result = case.result
        result.state, result.reason = state, self._mask(refusal.text)
        result.place, result.remedy = place_of(case.workload.pod, refusal.path), refusal.remedy

    def _broke(self, case: Case, error: EngineError) -> None:
        """The engine does not do what it is asked for: of the workload nothing is known by that."""
        case.result.reason = f"{self._engine.name}: {self._mask(str(error))}"
        self.broken = self.broken or case.result.reason

    def _connections(self, case: Case, seen: Mapping[str, Activity]) -> None:
        """Name what its containers connected to, and who connected to it."""
        with self._learning:
            note_connections(case, seen, self._cases)

    # Hardened.

    def _hardened(self, cases: list[Case]) -> None:
        failed = [case for case in cases if case.workload.came is not None and not case.workload.came.up]
        cases = [case for case in cases if case.workload.is_up and case.result in self.results]
        if not self._keep_going:
            cases = [case for case in cases if not self._leans_on(case, failed)]
        if cases:
            self._round(cases, all_in=True)
            turns = (self._round(cases, all_in=False) for _ in range(_TURNS) if not self._stop.is_over)
            all(turns)  # until nothing is left to run
            self._finish_all(cases)
            self._together(cases)
        if cases and self._engine.strace is not None:
            self._record(cases)

    def _record(self, cases: list[Case]) -> None:
        """Run each of ``cases``, as it would be written, under a profile of the system calls that it made."""
        pods = self._decided(False)
        for case in cases:
            found = pods.get(case.name)
            spec = (_spec(found, self._offered(case, found)) if found is not None else None) or case.workload.spec
            self._progress(case.result.key, "under a seccomp profile")

            def run(case: Case = case, spec: Map = spec) -> Came:
                return self._experiment(case, spec, whole=True)[0]

            try:
                case.result.profiles = recorded(self._engine, case.workload.key, case.workload.seen, run)
            except EngineError as error:
                self._broke(case, error)
            except OverError:
                return  # a profile that nothing ran under is none

    def _finish_all(self, cases: list[Case]) -> None:
        for case in cases:
            if not case.tried and not case.result.reason:
                case.result.reason = _OVER
            self._finish(case)

    def _leans_on(self, case: Case, failed: list[Case]) -> bool:
        """Whether it connects to one that does not come up as it is: what that does to it is not known."""
        for other in (each for each in failed if each.application is case.application):
            names = case.application.network.endpoints[other.workload.key].services if is_placed(other) else {}
            called = {each for found in case.connects.values() for each in found}
            if any(f"Service/{name}:" in each for name in names for each in called):
                case.result.state = "not-run"
                case.result.reason = f"it calls {other.result.key}, which does not come up as it is; --keep-going"
                self._finish(case)
                return True
        return False

    def _round(self, cases: list[Case], *, all_in: bool) -> bool:
        """Run what is decided of each of ``cases`` where that was not run before; whether anything was."""
        pods = self._decided(all_in)
        todo = []
        for case in cases:
            found = pods.get(case.name)
            if found is None or not found.steps:
                case.tried = case.whole = True
                self._finish(case)
                continue
            steps = self._offered(case, found)
            known = case.trials.known(_spec(found, steps) or {})
            if known is None:
                todo.append((case, found, steps, all_in))
            elif known.up:
                case.tried = case.whole = True
                if not all_in:
                    self._hold(case, found, steps)
        self._all(todo, lambda each: self._try_in_time(*each), of=lambda each: each[0])
        return bool(todo)

    def _try_in_time(self, case: Case, found: DecidedPod, steps: list[PodStep], all_in: bool) -> None:
        """Try it as long as there is time, and tell of it."""
        began = time.monotonic()
        try:
            self._try(case, found, steps, all_in)
        except TooManyError:
            case.result.reason = f"{case.trials.runs} runs were not enough to find what stops it"
        except EngineError as error:
            self._broke(case, error)
        except OverError:
            case.result.reason = _OVER
        finally:
            case.took += time.monotonic() - began
        self._finish(case)

    def _decided(self, all_in: bool) -> dict[Name, DecidedPod]:
        with self._deciding:
            return steps_by_pod(self._outcome_of(all_in))

    def _outcome_of(self, all_in: bool) -> Outcome:
        return self._decide(self._provisional(), all_in)

    def _offered(self, case: Case, found: DecidedPod) -> list[PodStep]:
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

    def _try(self, case: Case, found: DecidedPod, steps: list[PodStep], all_in: bool) -> None:
        """Find what of ``steps`` it comes up with. Where it shows other places that it writes to, that is decided anew.

        Raises TooManyError, EngineError, OverError.
        """
        self._stop.check()
        case.tried, is_kept = True, True
        for turn in range(_TURNS, 0, -1):
            kept = self._writable(case, found, steps)
            is_kept = len(kept) == len(steps)
            if not is_kept:
                case.trials.note(_spec(found, steps) or {}, Came(False))
            steps = kept
            search = self._search(case, found, steps)
            outcome = self._outcome(case, search, steps, may_turn=turn > 1)
            if outcome is not None:
                break
            found = self._decided(all_in)[case.name]
            steps = self._offered(case, found)
        assert outcome is not None
        causes, left = outcome
        for cause in causes:
            self._failed(case, cause, search)
        if all_in:
            with self._learning:
                note(case.held, makeable(found, left), search)
            case.held_ids |= {step.id for step in left}
        else:
            self._hold(case, found, left, search)
        case.whole = is_kept and not causes

    def _writable(self, case: Case, found: DecidedPod, steps: list[PodStep]) -> list[PodStep]:
        """``steps`` without those that would take a place from it that it writes to; nobody has to run these."""
        kept = []
        for step in steps:
            others = [each for each in steps if each is not step]
            lost = self._lost(case, found, steps) - self._lost(case, found, others) if step.id == _READ_ONLY else None
            if lost:
                self._failed(case, Cause((step,), min(lost)))
            else:
                kept.append(step)
        return kept

    @staticmethod
    def _lost(case: Case, found: DecidedPod, steps: list[PodStep]) -> set[str]:
        return set(unwritable(case.as_it_is, found.spec(makeable(found, steps))))

    def _outcome(
        self, case: Case, search: ChangeSearch, steps: list[PodStep], *, may_turn: bool
    ) -> tuple[list[Cause], list[PodStep]] | None:
        """What of ``steps`` stops it, and with what it comes up; None where it writes elsewhere now: decided anew,
        those places get a volume."""
        came, wrote = search.came(steps) if steps else Came(True), self._wrote(case)
        if came.up:
            return [], steps
        if may_turn and self._learn_places(case, steps, came):
            return None
        causes, left = search.causes()
        is_read_only = any(cause.steps[-1].id == _READ_ONLY for cause in causes)
        return None if may_turn and is_read_only and self._wrote(case) != wrote else (causes, left)

    def _search(self, case: Case, found: DecidedPod, steps: list[PodStep]) -> ChangeSearch:
        def run(spec: Map, whole: bool) -> Came:
            refused = case.refused_by_kubelet(spec)
            if refused is not None:
                return Came(False, refused)
            self._progress(case.result.key, f"run {case.workload.runs + 1}, with {len(steps)} changes or fewer")
            came, seen = self._experiment(case, spec, whole=whole)
            if came.up:
                self._learn(case, seen)
            return came

        return ChangeSearch(
            found, steps, case.trials, run, seen=case.as_it_is, needs=case.needs, starts_as_root=case.starts_as_root,
            gives=case.application.reads_images,
        )  # fmt: skip

    def _learn_places(self, case: Case, steps: list[PodStep], came: Came) -> bool:
        """Take in where its log says that it has to write, as it ran with ``steps``; whether any of that is new."""
        is_new = False
        for name in {name for step in steps if step.id == _READ_ONLY for name in step.settings}:
            seen = case.workload.seen.get(name)
            lines = [came.reason, *(line for of, line in came.said if of == name)]
            found = case.application.places(case.workload, name, lines, seen.wrote) if seen is not None else set()
            if seen is not None and found:
                with self._learning:
                    seen.wrote |= found
                is_new = True
        return is_new

    def _hold(self, case: Case, found: DecidedPod, steps: list[PodStep], search: ChangeSearch | None = None) -> None:
        """Note what harden would write, and what came up: what came up with more changes says less of it."""
        with self._learning:
            case.held.clear()
            note(case.held, makeable(found, steps), search)
        case.held_ids |= {step.id for step in steps}

    def _failed(self, case: Case, cause: Cause, search: ChangeSearch | None = None) -> None:
        last, because = cause.steps[-1], cause.because
        if because is None:
            case.result.reason = f"once it came up with {last.id}, and once it did not: nothing is known of that"
            return
        with_others = [step.id for step in cause.steps[:-1] if step.id != last.id]
        if with_others:
            because = f"together with {', '.join(dict.fromkeys(with_others))}: {because}"
        with self._learning:
            note(case.failed, [last])
            note(case.failed, [last], search)
            case.because[last.id] = because
        failure = Failure(tuple(dict.fromkeys(step.id for step in cause.steps)), because)
        if failure.ids not in [known.ids for known in case.result.failed]:
            case.result.failed.append(failure)

    def _wrote(self, case: Case) -> set[str]:
        return {path for seen in case.workload.seen.values() for path in seen.wrote}

    def _learn(self, case: Case, seen: Mapping[str, Activity]) -> None:
        """Take in where it wrote, and whom it called, as it ran with changes."""
        with self._learning:
            for name, found in seen.items():
                known = case.workload.seen.get(name)
                if known is not None:
                    known.learn(found)
        self._connections(case, seen)

    def _experiment(self, case: Case, spec: Map, *, whole: bool) -> tuple[Came, dict[str, Activity]]:
        """Run a workload with ``spec``, and those of its application beside it as they are."""
        for other in beside(case, self._cases):
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

    def _difference(self, case: Case, seen: Mapping[str, Activity], spec: Map, *, whole: bool) -> str | None:
        """What is otherwise than as it is, in one line."""
        found = next(differences(case.as_it_is, seen, spec, whole=whole), None)
        if found is None:
            case.notes += killed(case.as_it_is, seen)
            return None
        return NOT_SHOWN if found.is_output and not self._shows_output else plain(self._mask(found.text))

    def _restore(self, case: Case) -> None:
        case.application.run(case.workload, case.workload.spec, 1, whole=False, restarts=True, stays=True)

    def _stand_by(self, case: Case) -> None:
        """Have a workload that others may call run as it is again."""
        if case.application.network.endpoints[case.workload.key].services and not ends(case.workload):
            if len(case.application.workloads) > 1 and not case.application.is_running(case.workload):
                with suppress(EngineError, OverError):
                    self._restore(case)

    def _together(self, cases: list[Case]) -> None:
        """Run each application with all that harden would write to it at once, where that is more than one workload."""
        with self._deciding:
            outcome = self._outcome_of(False)
        pods = steps_by_pod(outcome)
        for application in {id(case.application): case.application for case in cases}.values():
            own = [case for case in cases if case.application is application and case.whole and case.name in pods]
            own = [case for case in own if not ends(case.workload)]
            if not may_call(application, own):
                continue
            application.take_policies(outcome.tree)
            for case in own:
                application.end(case.workload)
            problems: dict[str, str] = {}

            def begin(case: Case, problems: dict[str, str] = problems) -> None:
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

    def _otherwise_together(self, case: Case) -> str | None:
        """What a workload that runs beside the others no longer does, in one line."""
        if not case.application.is_running(case.workload):
            return None
        try:
            seen = case.application.ask_again(case.workload)
        except OverError:
            return None  # each of them came up beside the others as they are
        return self._difference(case, seen, case.workload.spec, whole=False)

    def _run_with_others(self, case: Case, found: DecidedPod) -> str | None:
        """Start a workload with all that harden would write, and leave it running; why it did not come up."""
        self._progress(case.result.key, "with the others, all hardened")
        spec = _spec(found, self._offered(case, found)) or case.workload.spec
        try:
            came, seen = case.application.run(
                case.workload, spec, self._seconds, whole=False, restarts=True, stays=True, before=case.as_it_is
            )
        except EngineError as error:
            return f"{self._engine.name}: {self._mask(str(error))}"
        except OverError:
            return None  # each of them came up beside the others as they are
        if not came.up:
            return came.reason
        self._learn(case, seen)
        return None

    def _all(
        self,
        todo: Iterable[Any],
        work: Callable[[Any], None],
        *,
        of: Callable[[Any], Case] = lambda case: case,
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

        groups = groups_of(todo, of, [case for case in self._cases if case.workload.came])
        self._in_threads(groups, work_and_restore, self._at_once([of(each) for group in groups for each in group]))

    @staticmethod
    def _at_once(cases: list[Case]) -> int:
        """How many of ``cases`` run at a time."""
        used = [sum(seen.memory or 0 for seen in case.as_it_is.values()) for case in cases]
        return side_by_side.at_once(used, side_by_side.processors(), side_by_side.free_memory())

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
        cases = (case for case in self._cases if case.result in self.results)
        return together(each for case in cases for each in self._seen_of(case))

    def _provisional(self) -> Observations:
        """What was seen so far, with the capabilities that are tried next: none, until more are known to be needed."""
        cases = (case for case in self._cases if case.result in self.results)
        return together(each for case in cases for each in self._seen_of(case, provisional=True))

    def _seen_of(self, case: Case, *, provisional: bool = False) -> Iterator[tuple[str, Observation]]:
        """What was seen of each container of a workload, by the key of its stanza. ``provisional``: and what is to be
        tried."""
        if case.workload.came is None:
            return
        for container in case.workload.pod.containers:
            image = case.workload.images.get(str(container.data.get("image")))
            command = runs(container)
            if image is None or image.digest is None or command is None:
                continue
            with self._learning:
                made = case.observation(container.name, image.digest, command, self._engine.called, self._seconds)
            before = observation(container)
            made = made if before is None else with_before(made, before)
            if provisional and case.application.reads_images:
                tried = case.needs.get(container.name)
                made = replace(made, needs=tried.names if tried is not None else ())
            yield image.key, made


_READ_ONLY = "read-only-root-filesystem"


def _spec(found: DecidedPod, steps: Iterable[PodStep]) -> Map | None:
    try:
        return found.spec(steps)
    except WrongShapeError:
        return None


def _is_fixed(port: str) -> bool:
    """Whether "80/tcp" is a port that a program does not choose anew each time."""
    number, _, protocol = port.partition("/")
    return protocol == "tcp" and int(number) < EPHEMERAL
