"""A session: every workload as it is, then hardened, then halved until the cause is known, and what is kept of it.

What a run of harden would write is decided by somebody else (``Decide``), with what was seen so far as a provisional
harden.lock, and it is run once more as a whole before it is kept.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from hardener.observe import side_by_side
from hardener.observe.agent_client import AgentClient
from hardener.observe.application import DEFAULT, Application, Workload, containers_of
from hardener.observe.capability_trial import DROPS_ALL, TRANSFORM
from hardener.observe.change_search import Cause, ChangeSearch, Needs, Trials, makeable
from hardener.observe.container_activity import Activity
from hardener.observe.container_options import user_of
from hardener.observe.engine import Engine, EngineError
from hardener.observe.halving import TooManyError
from hardener.observe.images import Images
from hardener.observe.namespace_agent import EPHEMERAL
from hardener.observe.pod_run import Came, StoppedError
from hardener.observe.pod_steps import DecidedPod, Name, PodStep, pods_of, steps_by_pod
from hardener.observe.refusal import NotStartedError, Refusal
from hardener.observe.results import Failure, Listener, Result, otherwise
from hardener.observe.seen_together import Observations, together, with_before
from hardener.observe.supported_fields import unsupported
from hardener.observe.time_budget import Budget, OverError, estimate, said
from hardener.support.data_path import Path, value_at
from hardener.support.shapes import mapping
from hardener.tree.core_views import PodTemplate
from hardener.tree.tree import Tree

Map = dict[str, Any]
_DEEPEST = 32  # folders
_LONGER = 3  # times as long a workload is looked at that ended after it came up
_TURNS = 3  # of deciding anew with what was seen
_OVER = "the time was over before that was known: give more (--budget), or run it alone (--workload)"
# Containers that are left alone whole: a copy, a patch, a part of the control plane.
_NOT_RUN = {
    "patch": "it is a patch of another object", "owned": "its owner makes it", "static-pod": "it needs the node",
    "control-plane": "it needs the node", "windows": "it is a pod for Windows", "node-agent": "it needs the node",
    "partial": "its operator makes the pod",
}  # fmt: skip

_Member = tuple[Name, Workload, "Result"]

Decide = Callable[[Observations, bool], Outcome]
"""What harden would do, with observations beside those of harden.lock; True: with what is held back, too."""


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
    trials: Trials = field(default_factory=Trials)
    needs: dict[str, Needs] = field(default_factory=dict)  # capabilities by trial, by container
    connects: dict[str, set[str]] = field(default_factory=dict)
    as_it_is: dict[str, Activity] = field(default_factory=dict)
    tried: bool = False
    whole: bool = False  # the last thing that was decided came up
    took: float = 0.0  # seconds
    kept: list[tuple[str, Observation]] | None = None  # what was told of it

    def proved_needs(self, name: str) -> tuple[str, ...] | None:
        """The capabilities that the container ``name`` needs; None where it is not known to come up without others."""
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
        """Why a kubelet does not start a pod with ``spec``, by the users of its containers; None where it does."""
        for container in containers_of(spec):
            try:
                self._user(spec, container)
            except NotStartedError as error:
                return str(error)
        return None

    def _user(self, spec: Map, container: Map) -> str:
        image = self.workload.images.get(str(container.get("image")))
        return user_of(spec, container, image.config if image is not None else {})


class Session:
    """Observes the workloads of ``tree``, for as long as ``stop`` has time. ``listener`` is told how it goes."""

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
        keep_going: bool,
        wanted: Callable[[str, str], bool],
        stop: Budget,
        listener: Listener,
        shows_output: bool = True,
    ) -> None:
        self._engine, self._decide = engine, decide
        self._images, self._mask, self._seconds, self._keep_going = images, mask, seconds, keep_going
        self._stop, self._listener, self._progress = stop, listener, listener.row
        self._learning, self._finishing, self._deciding = threading.RLock(), threading.Lock(), threading.Lock()
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
            why = _left_alone(pod)
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
                application = Application(
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
                self._conclude(case)

    def _plan(self) -> str:
        """What is ahead, in a line."""
        count = sum(case.result in self.results for case in self._cases if case.application.may_run(case.workload))
        needed = estimate(count, self._seconds, self._at_once([]))
        line = f"{count} workload{'s' * (count != 1)}, about {said(needed)}"
        return line if needed <= self._stop.seconds else f"{line}; --budget ends it after {said(self._stop.seconds)}"

    def _finish(self, case: _Case) -> None:
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
            self._judge(case, result)
            self._listener.finished(result, seen, f"{len(known)} of {of}", case.took)

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
            if not case.workload.is_up:
                self._finish(case)

    def _first(self, case: _Case, seconds: float | None = None) -> None:
        self._progress(case.result.key, "as it is")
        workload, began = case.workload, time.monotonic()
        try:
            came, seen = case.application.run(
                workload, workload.spec, seconds or self._seconds, whole=True, restarts=True, stays=not _ends(workload)
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
        case.as_it_is = {name: replace(found, listens=set(found.listens)) for name, found in seen.items()}
        if not came.up:
            case.result.state, case.result.reason = "not-as-it-is", came.reason
            if came.refused is not None:
                self._refuse(case, came.refused)
        self._progress(case.result.key, "came up as it is" if came.up else "does not come up as it is")

    def _refuse(self, case: _Case, refusal: Refusal, state: str = "refused") -> None:
        """Say of a workload that it is not run, why, and where that is written."""
        result = case.result
        result.state, result.reason = state, self._mask(refusal.text)
        result.place, result.remedy = _place(case.workload.pod, refusal.path), refusal.remedy

    def _broke(self, case: _Case, error: EngineError) -> None:
        """The engine does not do what it is asked for: of the workload nothing is known by that."""
        case.result.reason = f"{self._engine.name}: {self._mask(str(error))}"
        self.broken = self.broken or case.result.reason

    def _connections(self, case: _Case, seen: Mapping[str, Activity]) -> None:
        """Name what its containers connected to, and who connected to it."""
        with self._learning:
            self._name_connections(case, seen)

    def _name_connections(self, case: _Case, seen: Mapping[str, Activity]) -> None:
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
        if cases:
            self._round(cases, all_in=True)
            turns = (self._round(cases, all_in=False) for _ in range(_TURNS) if not self._stop.is_over)
            all(turns)  # until nothing is left to run
            self._finish_all(cases)
            self._together(cases)

    def _finish_all(self, cases: list[_Case]) -> None:
        for case in cases:
            if not case.tried and not case.result.reason:
                case.result.reason = _OVER
            self._finish(case)

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
                self._finish(case)
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

    def _try_in_time(self, case: _Case, found: DecidedPod, steps: list[PodStep], all_in: bool) -> None:
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
            return steps_by_pod(self._decide(self._provisional(), all_in))

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
        """Find what of ``steps`` it comes up with. Where it shows other places that it writes to, that is decided anew.

        Raises TooManyError, EngineError, OverError.
        """
        self._stop.check()
        case.tried = True
        for turn in range(_TURNS, 0, -1):
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
                _note(case.held, makeable(found, left), search)
            case.held_ids |= {step.id for step in left}
        else:
            self._hold(case, found, left, search)
        case.whole = not causes

    def _outcome(
        self, case: _Case, search: ChangeSearch, steps: list[PodStep], *, may_turn: bool
    ) -> tuple[list[Cause], list[PodStep]] | None:
        """What of ``steps`` stops it, and with what it comes up; None where it writes elsewhere now: decided anew,
        those places get a volume."""
        came, wrote = search.came(steps), self._wrote(case)
        if came.up:
            return [], steps
        if may_turn and self._learn_places(case, steps, came):
            return None
        causes, left = search.causes()
        is_read_only = any(cause.steps[-1].id == _READ_ONLY for cause in causes)
        return None if may_turn and is_read_only and self._wrote(case) != wrote else (causes, left)

    def _search(self, case: _Case, found: DecidedPod, steps: list[PodStep]) -> ChangeSearch:
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
            found, steps, case.trials, run, seen=case.as_it_is, needs=case.needs, starts_as_root=case.starts_as_root
        )

    def _learn_places(self, case: _Case, steps: list[PodStep], came: Came) -> bool:
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

    def _hold(self, case: _Case, found: DecidedPod, steps: list[PodStep], search: ChangeSearch | None = None) -> None:
        """Note what harden would write, and what came up: what came up with more changes says less of it."""
        with self._learning:
            case.held.clear()
            _note(case.held, makeable(found, steps), search)
        case.held_ids |= {step.id for step in steps}

    def _failed(self, case: _Case, cause: Cause, search: ChangeSearch) -> None:
        last, because = cause.steps[-1], cause.because
        if because is None:
            case.result.reason = f"once it came up with {last.id}, and once it did not: nothing is known of that"
            return
        with_others = [step.id for step in cause.steps[:-1] if step.id != last.id]
        if with_others:
            because = f"together with {', '.join(dict.fromkeys(with_others))}: {because}"
        with self._learning:
            _note(case.failed, [last])
            _note(case.failed, [last], search)
            case.because[last.id] = because
        failure = Failure(tuple(dict.fromkeys(step.id for step in cause.steps)), because)
        if failure.ids not in [known.ids for known in case.result.failed]:
            case.result.failed.append(failure)

    def _wrote(self, case: _Case) -> set[str]:
        return {path for seen in case.workload.seen.values() for path in seen.wrote}

    def _learn(self, case: _Case, seen: Mapping[str, Activity]) -> None:
        """Take in where it wrote, and whom it called, as it ran with changes."""
        with self._learning:
            for name, found in seen.items():
                known = case.workload.seen.get(name)
                if known is not None:
                    known.learn(found)
        self._connections(case, seen)

    def _experiment(self, case: _Case, spec: Map, *, whole: bool) -> tuple[Came, dict[str, Activity]]:
        """Run a workload with ``spec``, and those of its application beside it as they are."""
        for other in self._beside(case):
            if not case.application.is_running(other.workload) and not _ends(other.workload):
                self._restore(other)
        assert case.workload.came is not None
        again = case.workload.came.restarts > 0
        # What listens as it is has to listen then, too: it is not enough that it does not end.
        serves = {name: set(filter(_is_fixed, seen.listens)) for name, seen in case.as_it_is.items()}
        return case.application.run(case.workload, spec, self._seconds, whole=whole, restarts=again, serves=serves)

    def _beside(self, case: _Case) -> list[_Case]:
        """Those that it calls, or that are called by what it calls, of its application."""
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
        if case.application.network.endpoints[case.workload.key].services and not _ends(case.workload):
            if len(case.application.workloads) > 1 and not case.application.is_running(case.workload):
                with suppress(EngineError, OverError):
                    self._restore(case)

    def _together(self, cases: list[_Case]) -> None:
        """Run each application with all that harden would write to it at once, where that is more than one workload."""
        pods = self._decided(False)
        for application in {id(case.application): case.application for case in cases}.values():
            own = [case for case in cases if case.application is application and case.whole and case.name in pods]
            own = [case for case in own if not _ends(case.workload)]
            if len(own) < 2 or not any(case.connects for case in own):
                continue
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
                if problem is not None:
                    case.result.reason = f"not together with the others, hardened: {problem}"
                    case.held.clear()
                    case.held_ids.clear()
                    case.whole = False

    def _run_with_others(self, case: _Case, found: DecidedPod) -> str | None:
        """Start a workload with all that harden would write, and leave it running; why it did not come up."""
        self._progress(case.result.key, "with the others, all hardened")
        spec = _spec(found, self._offered(case, found)) or case.workload.spec
        try:
            came, seen = case.application.run(
                case.workload, spec, self._seconds, whole=False, restarts=True, stays=True
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
        self._in_threads(groups, work_and_restore, self._at_once([of(each) for group in groups for each in group]))

    @staticmethod
    def _at_once(cases: list[_Case]) -> int:
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

    def _seen_of(self, case: _Case, *, provisional: bool = False) -> Iterator[tuple[str, Observation]]:
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
                made = self._observation(case, container.name, image.digest, command)
            before = observation(container)
            made = made if before is None else with_before(made, before)
            if provisional:
                tried = case.needs.get(container.name)
                made = replace(made, needs=tried.names if tried is not None else ())
            yield image.key, made

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
            token=seen.token,
            connects=tuple(sorted(case.connects.get(name, ()))),
            held={id: tuple(sorted(each)) for id, each in sorted(case.held.get(name, {}).items())},
            failed=failed,
            because={id: case.because[id] for id in failed},
            needs=case.proved_needs(name),
        )

    def _conclude(self, case: _Case) -> None:
        result, workload = case.result, case.workload
        result.runs, result.lost = workload.runs, workload.lost
        result.connects = {name: tuple(sorted(each)) for name, each in case.connects.items()}
        for container in workload.pod.containers:
            text = str(container.data.get("image"))
            image = workload.images.get(text)
            seen = workload.seen.get(container.name)
            if seen is not None:
                result.containers.append((container.name, text, image.digest if image else None, seen))
        self._judge(case, result)

    @staticmethod
    def _judge(case: _Case, result: Result) -> None:
        """Say in ``result``, which is about it, which changes hold, and whether all do."""
        if not case.workload.is_up or not case.tried:
            return
        if case.whole:
            result.failed = [
                replace(failure, otherwise=otherwise(failure.ids[-1], case.held, case.failed))
                for failure in result.failed
            ]
        names = (container.name for container in case.workload.pod.containers)
        result.needs = {name: needs for name in names if (needs := case.proved_needs(name)) is not None}
        failed = {failure.ids[-1] for failure in result.failed if not failure.otherwise}
        result.held = sorted(case.held_ids - failed)
        result.state = "held" if case.whole and not failed else "partly"
        if result.state == "partly" and not result.failed and not result.reason:
            result.reason = "the run ended before it was known whether it comes up hardened"


def cannot_run(pod: PodTemplate) -> str | None:
    """Why ``pod`` is none that an engine runs, by what is written there; None where it can be."""
    return _left_alone(pod) or unsupported(DecidedPod(pod, []).spec(), pod.metadata.data)


def _place(pod: PodTemplate, path: Path) -> str:
    """Where what stands at ``path`` of a pod is written: "k8s/web.yaml:14, container main"."""
    piece = pod.object.piece
    start = pod.path[:-1] if path[:1] == ("metadata",) else pod.path
    found = f"{piece.file.name}:{piece.source.line_of(piece.read(), (*start, *path))}"
    container = mapping(value_at(pod.data, path[:2])) if path[:1] in (("containers",), ("initContainers",)) else {}
    return f"{found}, container {container['name']}" if container.get("name") else found


def _left_alone(pod: PodTemplate) -> str | None:
    return next((text for kind, text in _NOT_RUN.items() if kind in pod.classes), None)


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


def _is_fixed(port: str) -> bool:
    """Whether "80/tcp" is a port that a program does not choose anew each time."""
    number, _, protocol = port.partition("/")
    return protocol == "tcp" and int(number) < EPHEMERAL


def _note(into: dict[str, dict[str, set[str]]], steps: Iterable[PodStep], search: ChangeSearch | None = None) -> None:
    """Note what ``steps`` set, with the capabilities that ``search`` gave."""
    for step in steps:
        for container, names in (step.settings if search is None else search.settings(step)).items():
            into.setdefault(container, {}).setdefault(step.id, set()).update(names)


def _ends(workload: Workload) -> bool:
    return workload.pod.kind in ("Job", "CronJob")


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
