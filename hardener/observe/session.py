"""A session: every workload as it is, then hardened, then halved until the cause is known, and what is kept of it.

What a run of harden would write is decided by somebody else (``Decide``), with what was seen so far as a provisional
harden.lock, and it is run once more as a whole before it is kept.
"""

from __future__ import annotations

import json
import threading
import time
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
from hardener.observe.application import DEFAULT, Application, Workload
from hardener.observe.container_activity import Activity
from hardener.observe.engine import Engine, EngineError
from hardener.observe.halving import Halving, TooManyError
from hardener.observe.images import Images
from hardener.observe.namespace_agent import EPHEMERAL
from hardener.observe.pod_run import Came, StoppedError
from hardener.observe.pod_steps import DecidedPod, Name, PodStep, pods_of, steps_by_pod
from hardener.observe.refusal import Refusal
from hardener.observe.supported_fields import unsupported
from hardener.observe.time_budget import Budget, OverError, estimate, said
from hardener.support.data_path import Path, value_at
from hardener.support.shapes import mapping
from hardener.tree.core_views import PodTemplate
from hardener.tree.tree import Tree

Map = dict[str, Any]
Observations = dict[str, list[Observation]]
"""What was seen, by the keys of stanzas of harden.lock."""
_THREADS = 4  # workloads that are run hardened at a time
_AT_ONCE = 16  # workloads of several applications that are up at a time
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


class Failure(Struct, frozen=True):
    """Changes that stop a workload, by their transforms, and the reason: a line of its log. ``otherwise``: other
    settings of the last of them, with which it came up."""

    ids: tuple[str, ...]
    because: str
    otherwise: tuple[str, ...] = ()


class Listener(Struct, frozen=True):
    """Who is told how a session goes. ``row``: what is done with a workload now, by its key. ``planned``: a line with
    what is ahead. ``finished``: a workload of which it is known whether it comes up hardened, so many of so many, with
    what was seen of its images and the seconds that it took."""

    row: Callable[[str, str], object]
    planned: Callable[[str], object] = lambda line: None
    finished: Callable[[Result, Observations, str, float], object] = lambda result, seen, count, seconds: None


class Result(Struct, eq=False):
    """What became of a workload. ``state``: "held" (with all changes), "partly", "not-as-it-is", "refused", "not-run".

    ``reason`` is one line for the last three; ``place`` says where that is written (file:line, and the container), and
    ``remedy`` what to do about it. ``containers``: name, image, digest, and what was seen of each as it is.
    ``held`` are the transforms under which it came up, ``untried`` those that an engine does not offer, and why;
    ``lost`` what of its Services nobody could call.
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
    whole: bool = False  # the last thing that was decided came up
    took: float = 0.0  # seconds
    kept: list[tuple[str, Observation]] | None = None  # what was told of it


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
        self._learning, self._finishing = threading.Lock(), threading.Lock()
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
            for applications in _batches(self.applications):
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
        needed = estimate(count, self._seconds, _THREADS)
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
            together, own = _together(each for kept in known for each in kept), {key for key, _ in case.kept}
            seen = {key: found for key, found in together.items() if key in own}
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
        if not cases:
            return
        for all_in in (True, False):
            for _ in range(_TURNS):
                if self._stop.is_over or not self._round(cases, all_in=all_in):
                    break
        for case in cases:
            if not case.tried and not case.result.reason:
                case.result.reason = _OVER
            self._finish(case)
        self._together(cases)

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
            spec = _spec(found, steps)
            text = _text(spec or {})
            if text in case.came_up_with:
                case.tried = case.whole = True
                if not all_in:
                    self._hold(case, found, steps)
            elif text not in case.run_with:
                case.run_with.add(text)
                todo.append((case, found, steps, all_in))
        self._all(todo, lambda each: self._try_in_time(*each), of=lambda each: each[0])
        return bool(todo)

    def _try_in_time(self, case: _Case, found: DecidedPod, steps: list[PodStep], all_in: bool) -> None:
        """Try it as long as there is time, and tell of it where that is decided by now."""
        began, is_settled = time.monotonic(), True
        try:
            is_settled = self._try(case, found, steps, all_in)
        except OverError:
            case.result.reason = _OVER
        finally:
            case.took += time.monotonic() - began
        if is_settled:
            self._finish(case)

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

    def _try(self, case: _Case, found: DecidedPod, steps: list[PodStep], all_in: bool) -> bool:
        """Find what of ``steps`` it comes up with; False where that is to be decided anew."""
        self._stop.check()
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
                    return False  # it writes elsewhere now: decided anew, those places get a volume
            causes, left = halving.causes(steps)
            for cause in causes:
                # Beside all that holds: alone it may fail for want of another change.
                self._confirm(case, found, cause, [step for step in steps if step in left or step is cause[-1]])
        except TooManyError:
            case.result.reason = f"{halving.runs} runs were not enough to find what stops it"
            return True
        except EngineError as error:
            self._broke(case, error)
            return True
        if all_in:
            _note(case.held, _makeable(found, left))
            case.held_ids |= {step.id for step in left}
        else:
            self._hold(case, found, left)
        case.whole = not causes
        return True

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
        cases = (case for case in self._cases if case.result in self.results)
        return _together(each for case in cases for each in self._seen_of(case))

    def _seen_of(self, case: _Case) -> Iterator[tuple[str, Observation]]:
        """What was seen of each container of a workload, by the key of its stanza."""
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
            yield image.key, made if before is None else _with_before(made, before)

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


def _batches(applications: list[Application]) -> Iterator[list[Application]]:
    """``applications`` by as many as may run at a time; one that is larger runs alone."""
    batch: list[Application] = []
    for application in applications:
        if batch and sum(len(each.workloads) for each in [*batch, application]) > _AT_ONCE:
            yield batch
            batch = []
        batch.append(application)
    if batch:
        yield batch


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


def _together(seen: Iterable[tuple[str, Observation]]) -> Observations:
    """What was ``seen`` of containers, by the keys of stanzas: one for all that run the same."""
    found: Observations = {}
    for key, made in seen:
        known = found.setdefault(key, [])
        same = next((each for each in known if (each.digest, each.runs) == (made.digest, made.runs)), None)
        if same is None:
            known.append(made)
        else:
            known[known.index(same)] = _merged(same, made)
    return found


def _with_before(new: Observation, before: Observation) -> Observation:
    """``new``, and what was seen before of the same: a manifest that is hardened by now shows less of what it needs."""
    held = {
        id: tuple(sorted({*before.held.get(id, ()), *new.held.get(id, ())}))
        for id in sorted({*before.held, *new.held} - new.failed.keys())
    }
    failed = {id: each for id, each in before.failed.items() if id not in new.held} | dict(new.failed)
    memory = [each.memory for each in (new, before) if each.memory is not None]

    def both(name: str) -> tuple[str, ...]:
        return tuple(sorted({*getattr(new, name), *getattr(before, name)}))

    return replace(
        new,
        wrote=both("wrote"),
        occupied=both("occupied"),
        connects=both("connects"),
        token=before.token if new.token is None else new.token,
        memory=max(memory) if memory else None,
        held=held,
        failed=failed,
        because={id: {**before.because, **new.because}[id] for id in failed},
    )


def _merged(one: Observation, other: Observation) -> Observation:
    """What two containers show that run the same: what holds for one only is not taken for both."""
    failed = {
        id: tuple(sorted({*one.failed.get(id, ()), *other.failed.get(id, ())}))
        for id in sorted({*one.failed, *other.failed})
    }
    held = {
        id: tuple(sorted({*one.held.get(id, ()), *other.held.get(id, ())}))
        for id in sorted({*one.held, *other.held} - failed.keys())
    }
    memory = [each.memory for each in (one, other) if each.memory is not None]
    tokens = {one.token, other.token}

    def both(name: str) -> tuple[str, ...]:
        return tuple(sorted({*getattr(one, name), *getattr(other, name)}))

    return replace(
        one,
        came_up=one.came_up and other.came_up,
        wrote=both("wrote"),
        occupied=both("occupied"),
        listens=both("listens"),
        capabilities=both("capabilities"),
        connects=both("connects"),
        user=one.user if one.user == other.user else None,
        memory=max(memory) if memory else None,
        token=True if True in tokens else False if False in tokens else None,
        held=held,
        failed=failed,
        because={**other.because, **one.because},
    )
