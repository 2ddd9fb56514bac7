"""``harden observe``: workloads run in a container engine, as they are and hardened; what was seen goes to
``harden.lock``."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping

from msgspec import Struct

from hardener.authoring import config as configuration
from hardener.authoring import user_config
from hardener.authoring.edits import Grade
from hardener.commands import observe_cluster, observe_seccomp
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
from hardener.observe.application import Application
from hardener.observe.cluster import Cluster
from hardener.observe.cluster_application import ClusterApplication, NodeImages
from hardener.observe.engine import Engine, EngineError
from hardener.observe.exercise import Exercise
from hardener.observe.images import Images
from hardener.observe.left_alone import cannot_run
from hardener.observe.pod_run import StoppedError
from hardener.observe.pod_steps import pods_of
from hardener.observe.reaper import Reaper
from hardener.observe.results import Listener, Result
from hardener.observe.seen_together import Observations
from hardener.observe.session import Session
from hardener.observe.time_budget import Budget
from hardener.report.observed import Graded, Observed, as_json, finished_line, lines_of
from hardener.report.redactor import Redactor
from hardener.support import worker_threads
from hardener.support.printable import plain, plain_line, seen_in_json
from hardener.support.programs import ProgramError
from hardener.tree.core_views import OpaqueError, PodTemplate
from hardener.tree.tree import Tree

SECONDS = 20
"""How long a workload is looked at where nobody says it."""


def observe(
    paths: list[str], choices: Choices, *, workloads: list[str], engine: str | None, seconds: int | None,
    keep_going: bool, check: bool, registries: str | None, format: str, seccomp: str | None = None,
    show_output: bool = False, exercise: str | None = None, context: str | None = None, yes: bool = False,
    record: str | None = None, record_as: str = "localhost", budget: str | None = None,
) -> int:  # fmt: skip
    """Run the workloads that ``paths`` hold (``workloads``: those of these names only), print what came of it, and keep
    it in the lock. Each is looked at for ``seconds`` to their end; None: for SECONDS, and less where it answers.

    With ``check`` nothing is written, those that the lock tells of are not run again, and no line of what a container
    prints is shown without ``show_output``. ``seccomp`` is the file of a profile in place of that of the runtime.
    ``exercise``: a command, or "Job/NAME" of the tree, that shows whether a workload works; what the config of the tree
    names is run without ``check`` only, which may be about a tree of a stranger.
    ``record`` is the folder for seccomp profiles of the calls that are made, for ``record_as`` (localhost, operator).
    ``context`` is that of the cluster where ``engine`` is kubectl; with ``yes`` nobody is asked about its plan.
    ``budget`` is the time for all of them, such as 10m.
    Returns 0; 1 with ``check`` where a workload that ran hardened no longer does; 2 where nothing could be run.
    """
    time = _time(budget, SECONDS if seconds is None else seconds)
    in_cluster = observe_cluster.wants_cluster(engine, context, seccomp, exercise)
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
        host = _host(engine, context if in_cluster else None, tree.root, seccomp, check=check)
        observe_seccomp.prepare(host, tree.root, record)
        reaper = Reaper(host, tree.root, context)
        try:
            host.clear_dead()
            given = _Exercises(tree.root, exercise, {} if check else _of_config(tree, choices))
            run = _Run(
                paths, choices, tree, host, seconds, keep_going, registries, progress, not check or show_output, given,
                time, keeps=not check,
            )  # fmt: skip
            interrupted = run.observe(wanted, yes=yes)
        finally:
            host.clear()
            reaper.dismiss()
    known = _ran_before(tree)
    profiles = list(observe_seccomp.write(record, record_as, run.results))
    observed = Observed(
        host.called, run.seconds, run.results, run.before, run.after, written=run.written, interrupted=interrupted,
        profiles=profiles,
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


def _host(name: str | None, context: str | None, root: str, seccomp: str | None, *, check: bool) -> Engine:
    """The cluster of ``context``, else the container engine called ``name``. Raises InputError."""
    if context is not None:
        return observe_cluster.cluster_of(context, root)
    return _engine(name, root, _profile(seccomp), check=check)


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


class _Exercises(Struct, frozen=True):
    """What the user gave to find out whether workloads work: ``every`` for all of them, ``named`` by name or key."""

    root: str
    every: str | None
    named: Mapping[str, str]

    def of(self, name: str, key: str) -> Exercise | None:
        """That of the workload called ``name`` with this ``key``."""
        text = self.every or self.named.get(key) or self.named.get(name)
        return None if text is None else Exercise(text, self.root)


def _of_config(tree: Tree, choices: Choices) -> Mapping[str, str]:
    return configuration.load(tree.root, choices.config).exercise


class _Run:
    """One session with what it needs."""

    def __init__(
        self, paths: list[str], choices: Choices, tree: Tree, engine: Engine, seconds: int | None, keep_going: bool,
        registries: str | None, progress: Progress, shows_output: bool, exercises: _Exercises, time: float, *,
        keeps: bool,
    ) -> None:  # fmt: skip
        self._paths, self._choices, self._tree, self._engine = paths, choices, tree, engine
        self.seconds, self._whole = SECONDS if seconds is None else seconds, seconds is not None
        self._keep_going, self._registries, self._progress = keep_going, registries, progress
        self._rows, self._shows_output, self._exercises = Rows(), shows_output, exercises
        self._time, self._keeps = time, keeps
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
        found = self._session.broken if self._session is not None else None
        return found or self._engine.fault

    @property
    def _is_cluster(self) -> bool:
        return isinstance(self._engine, Cluster)

    @property
    def kept(self) -> bool:
        """Whether there is something to keep."""
        return any(self._observations.values())

    def observe(self, wanted: Callable[[str, str], bool], *, yes: bool = False) -> bool:
        """Run the session; whether somebody has ended it, or has not agreed to what it does in a cluster, for which
        nobody is asked with ``yes``. Raises InputError where nothing can be run."""
        tree, stop = self._tree, Budget(self._time)
        config = configuration.load(tree.root, self._choices.config)
        user = user_config.registries(tree.root, self._registries)
        agent = AgentClient(self._engine)
        interrupted = False
        try:
            with registry_session.client(user, config.registries) as client:
                of, kind = (NodeImages, ClusterApplication) if self._is_cluster else (Images, Application)
                self._images = images = of(self._engine, client, tree.lock or Lock())
                decide = _Decide(self._paths, self._choices, tree, self._engine.folder, images)
                session = Session(
                    self._engine, agent, tree, decide, images, self.redactor.text, seconds=self.seconds,
                    whole=self._whole, keep_going=self._keep_going, wanted=wanted, stop=stop,
                    listener=Listener(self._rows, self._rows.told, self._finished),
                    shows_output=self._shows_output, exercises=self._exercises.of, kind=kind,
                )  # fmt: skip
                self._session, self.results = session, session.results
                for application in session.applications:
                    for key, value in application.secrets():
                        self.redactor.learn_entry(key, value)
                self._progress.hide()
                if not observe_cluster.agreed(self._engine, session, self.seconds, yes=yes):
                    return True
                try:
                    with self._rows:
                        session.run()
                except (KeyboardInterrupt, StoppedError):
                    interrupted = True
                # Where no container was ever started, nothing is known of any.
                self._observations = {} if self._engine.fault else session.observations()
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
        if not self._keeps or not any(seen.values()) or self._images is None or self._engine.fault:
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
