"""``harden observe``: workloads run in a container engine, as they are and hardened; what was seen goes to
``harden.lock``."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping

from hardener.authoring import config as configuration
from hardener.authoring import user_config
from hardener.authoring.edits import Grade
from hardener.commands import run as runs
from hardener.commands.lock import masked
from hardener.commands.progress import Progress, Rows
from hardener.commands.run import Choices, learn, read_tree
from hardener.engine.outcome import Outcome
from hardener.engine.pipeline import Gate
from hardener.errors import InputError
from hardener.facts.images.observations import observation
from hardener.lock import registry_session, writer
from hardener.lock.model import NAME, Lock, load
from hardener.lock.observed import Observation
from hardener.observe import time_budget
from hardener.observe.agent_client import AgentClient
from hardener.observe.engine import Engine, EngineError
from hardener.observe.images import Images
from hardener.observe.pod_run import StoppedError
from hardener.observe.pod_steps import pods_of
from hardener.observe.results import Listener, Result
from hardener.observe.seen_together import Observations
from hardener.observe.session import Session, cannot_run
from hardener.observe.time_budget import Budget
from hardener.report.observed import Graded, Observed, as_json, finished_line, lines_of
from hardener.report.redactor import Redactor
from hardener.support import worker_threads
from hardener.support.printable import plain, plain_line, seen_in_json
from hardener.support.programs import ProgramError
from hardener.tree.core_views import OpaqueError, PodTemplate
from hardener.tree.tree import Tree


def observe(
    paths: list[str], choices: Choices, *, workloads: list[str], engine: str | None, seconds: int, keep_going: bool,
    check: bool, registries: str | None, format: str, seccomp: str | None = None, show_output: bool = False,
    budget: str | None = None,
) -> int:  # fmt: skip
    """Run the workloads that ``paths`` hold (``workloads``: those of these names only), print what came of it, and keep
    it in the lock.

    With ``check`` nothing is written, those that the lock tells of are not run again, and no line of what a container
    prints is shown without ``show_output``. ``seccomp`` is the file of a profile in place of that of the runtime.
    ``budget`` is the time for all of them, such as 10m.
    Returns 0; 1 with ``check`` where a workload that ran hardened no longer does; 2 where nothing could be run.
    """
    time = _time(budget, seconds)
    with Progress() as progress, worker_threads.ended_by_signals():
        tree = read_tree(paths, choices, progress)
        wanted = _wanted(workloads)
        pods = [pod for pod in pods_of(tree).values() if wanted(pod.object.name, f"{pod.kind}/{pod.object.name}")]
        _refuse_none(pods, paths, workloads)
        if check and (able := [pod for pod in pods if cannot_run(pod) is None]):
            unknown = _unknown(able)
            if not unknown:
                print(_all_known(len(able), len(pods)))
                return 0
            wanted = _wanted(unknown)
        host = _engine(engine, tree.root, _profile(seccomp), check=check)
        try:
            host.clear_dead()
            run = _Run(
                paths, choices, tree, host, seconds, keep_going, registries, progress, not check or show_output, time,
                keeps=not check,
            )  # fmt: skip
            interrupted = run.observe(wanted)
        finally:
            host.clear()
    known = _ran_before(tree)
    observed = Observed(
        host.called, seconds, run.results, run.before, run.after, written=run.written, interrupted=interrupted
    )  # fmt: skip
    _print(observed, format, run.redactor)
    if run.unsaved is not None:
        raise run.unsaved
    return 130 if interrupted else _status(run, known if check else {})


def _unknown(pods: list[PodTemplate]) -> list[str]:
    """Those of ``pods`` that the lock does not tell of."""
    return [f"{pod.object.kind}/{pod.object.name}" for pod in pods if not _fits(pod)]


def _all_known(able: int, pods: int) -> str:
    """That the lock tells of all that can be run of so many ``pods``."""
    more = f"; {_count(pods - able)} cannot be run" if pods > able else ""
    return f"{NAME} tells of {_count(able)}: nothing was run{more}"


def _status(run: _Run, known: Mapping[str, list[Observation]]) -> int:
    """What ``observe`` returns for a whole run, which is compared with what is ``known``. Raises InputError."""
    if run.broken is not None:
        raise InputError(plain(run.redactor.text(run.broken)))
    if any(_broke(result, known) for result in run.results):
        return 1
    return 0 if any(result.runs for result in run.results) else 2


def _time(budget: str | None, seconds: int) -> float:
    """The seconds that all of it may take. Raises InputError where ``budget`` is no time."""
    if budget is None:
        return time_budget.default(seconds)
    found = time_budget.read(budget)
    if found is None:
        raise InputError(f"--budget {budget}: this is no time: write one such as 90s, 10m or 1h")
    return found


def _refuse_none(pods: list[PodTemplate], paths: list[str], workloads: list[str]) -> None:
    """Raises InputError where there is no workload to run."""
    if not pods:
        named = f"no workload is called {', '.join(workloads)}" if workloads else "there is no workload to run"
        raise InputError(f"{' '.join(paths)}: {named}")


def _profile(path: str | None) -> str | None:
    """The absolute path of a seccomp profile. Raises InputError where there is no such file."""
    if path is not None and not os.path.isfile(path):
        raise InputError(f"--seccomp-profile {path}: there is no such file: name a profile in JSON")
    return None if path is None else os.path.abspath(path)


def _engine(name: str | None, root: str, seccomp: str | None, *, check: bool) -> Engine:
    """The container engine called ``name``, or the one that is there. Raises InputError where none is."""
    try:
        return Engine.found(name, root, seccomp)
    except ProgramError as error:
        more = f"; {NAME} does not tell of all workloads" if check else ""
        raise InputError(f"{plain(str(error))}{more}") from None


def _print(observed: Observed, format: str, redactor: Redactor) -> None:
    if format == "json":
        print(seen_in_json(redactor.text(as_json(observed))))
    else:
        for line in lines_of(observed):
            print(plain_line(redactor.text(line)))


class _Run:
    """One session with what it needs."""

    def __init__(
        self, paths: list[str], choices: Choices, tree: Tree, engine: Engine, seconds: int, keep_going: bool,
        registries: str | None, progress: Progress, shows_output: bool, time: float, *, keeps: bool,
    ) -> None:  # fmt: skip
        self._paths, self._choices, self._tree, self._engine = paths, choices, tree, engine
        self._seconds, self._keep_going, self._registries, self._progress = seconds, keep_going, registries, progress
        self._rows, self._shows_output, self._time, self._keeps = Rows(), shows_output, time, keeps
        self.redactor = Redactor()
        learn(tree, self.redactor)
        self.results: list[Result] = []
        self.before: Graded | None = None
        self.after: Graded | None = None
        self.written = False
        self.unsaved: InputError | None = None
        self._observations: Observations = {}
        self._session: Session | None = None
        self._images: Images | None = None

    @property
    def broken(self) -> str | None:
        """What the engine did not do that it was asked for."""
        return self._session.broken if self._session is not None else None

    @property
    def kept(self) -> bool:
        """Whether there is something to keep."""
        return any(self._observations.values())

    def observe(self, wanted: Callable[[str, str], bool]) -> bool:
        """Run the session; whether somebody has ended it. Raises InputError where nothing can be run."""
        tree, stop = self._tree, Budget(self._time)
        config = configuration.load(tree.root, self._choices.config)
        user = user_config.registries(tree.root, self._registries)
        agent = AgentClient(self._engine)
        interrupted = False
        try:
            with registry_session.client(user, config.registries) as client:
                self._images = images = Images(self._engine, client, tree.lock or Lock())
                decide = _Decide(self._paths, self._choices, tree, self._engine.folder, images)
                session = Session(
                    self._engine, agent, tree, decide, images, self.redactor.text, seconds=self._seconds,
                    keep_going=self._keep_going, wanted=wanted, stop=stop,
                    listener=Listener(self._rows, self._rows.told, self._finished),
                    shows_output=self._shows_output,
                )  # fmt: skip
                self._session, self.results = session, session.results
                for application in session.applications:
                    for key, value in application.secrets():
                        self.redactor.learn_entry(key, value)
                self._progress.hide()
                try:
                    with self._rows:
                        session.run()
                except (KeyboardInterrupt, StoppedError):
                    interrupted = True
                self._observations = session.observations()
                self._keep(self._observations)
                if not interrupted and self.kept:
                    self.before, self.after = _graded(decide({}, False)), _graded(decide(self._observations, False))
        except EngineError as error:
            raise InputError(f"{self._engine.name}: {plain(self.redactor.text(str(error)))}") from None
        finally:
            stop.set()
            agent.close()
        return interrupted

    def _finished(self, result: Result, seen: Observations, count: str, seconds: float) -> None:
        """Keep what was seen of a workload, and say what came of it: whatever ends the session, that is known."""
        self._keep(seen)
        line = finished_line(result, count, seconds)
        self._rows.told(self.redactor.text(line), result.key)

    def _keep(self, seen: Observations) -> None:
        """Put what was ``seen`` into the lock, where that is wanted; ``unsaved`` is why that cannot be done."""
        if not self._keeps or not any(seen.values()) or self._images is None:
            return
        try:
            stanzas = {key: masked(writer.stanza(found)) for key, found in self._images.found.items() if key in seen}
            if stanzas:
                writer.save(self._tree.root, stanzas)
            writer.save_observed(self._tree.root, seen)
            self.written = True
        except InputError as error:
            self.unsaved = error


class _Decide:
    """What harden would do to the tree, with observations beside those of its lock."""

    def __init__(self, paths: list[str], choices: Choices, tree: Tree, folder: str, images: Images) -> None:
        self._paths, self._choices, self._tree, self._folder, self._images = paths, choices, tree, folder, images
        self._lock: Lock | None = None

    def __call__(self, seen: Observations, all_in: bool) -> Outcome:
        """``all_in``: with what is held back, too."""
        tree, plan = runs.read(self._paths, self._choices, lambda name: None)
        tree.lock = self._base().with_observed(seen)
        if all_in:
            plan.gate = Gate(Grade.BREAKING)
        return plan.run(tree, lambda name: None, forks=False)

    def _base(self) -> Lock:
        """The lock with the images that it does not hold yet."""
        if self._lock is None:
            there = os.path.join(self._tree.root, NAME)
            if os.path.exists(there):
                shutil.copyfile(there, os.path.join(self._folder, NAME))
            writer.save(self._folder, {key: masked(writer.stanza(found)) for key, found in self._images.found.items()})
            self._lock = load(self._folder) or Lock()
        return self._lock


def _graded(outcome: Outcome) -> Graded:
    """How many edits a run makes, by their grade, and how many it holds back or guesses."""
    grades = Counter(change.edit.grade for change in outcome.changes)
    held, waiting = (sum(len(each.changes) for each in steps) for steps in (outcome.held_back, outcome.guesses))
    return Graded(grades[Grade.SAFE], grades[Grade.REVIEW], held, grades[Grade.GUESS] + waiting)


def _wanted(names: list[str]) -> Callable[[str, str], bool]:
    known = {name.lower() for name in names}
    return lambda name, key: not known or name.lower() in known or key.lower() in known


def _fits(pod: PodTemplate) -> bool:
    """Whether the lock tells of each container of a pod as it is written."""
    try:
        return all(observation(container) is not None for container in pod.containers)
    except OpaqueError:
        return False


def _ran_before(tree: Tree) -> Mapping[str, list[Observation]]:
    """What the lock says of workloads that came up, of whatever digest and command, by workload."""
    found: dict[str, list[Observation]] = {}
    for image in tree.lock.images.values() if tree.lock is not None else ():
        for each in image.observed:
            if each.came_up:
                found.setdefault(each.workload, []).append(each)
    return found


def _broke(result: Result, known: Mapping[str, list[Observation]]) -> bool:
    """Whether a workload came up by the lock, with changes or with those that it has by now, and no longer does."""
    before = known.get(result.key, [])
    if result.state == "not-as-it-is":
        return bool(before)
    held = {id for each in before for id in each.held}
    return any(id in held for failure in result.failed if not failure.otherwise for id in failure.ids)


def _count(number: int) -> str:
    return "1 workload" if number == 1 else f"{number} workloads"
