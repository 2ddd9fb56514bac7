"""One pod in the engine: started as a kubelet starts it, watched until it is ready or cannot be, looked at, removed."""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

from msgspec import Struct

from hardener.errors import HardenError
from hardener.observe import container_files, container_options, stored_files
from hardener.observe.accepted import is_folder
from hardener.observe.agent_client import AgentClient
from hardener.observe.container_activity import Activity, folders_written
from hardener.observe.created_container import Expected, unlike
from hardener.observe.differences import complaints
from hardener.observe.engine import Answer, Engine, EngineError
from hardener.observe.engine_environment import may_hold
from hardener.observe.exercise import Target
from hardener.observe.handed_over import has_lines, is_a_line, refuse_unseen
from hardener.observe.image_folders import ImageFolders
from hardener.observe.log_lines import telling
from hardener.observe.pod_answers import PodAnswers
from hardener.observe.pod_network import Endpoint
from hardener.observe.pod_values import Given, Variable, variables, words
from hardener.observe.probes import ASKS, Probes, command_of_hook, port_of, question, words_of
from hardener.observe.questions import Hint
from hardener.observe.refusal import NotOfferedError, NotStartedError, Refusal, at
from hardener.observe.running_container import RunningContainer, Times, declared_ports, has_probes, is_ready, is_sidecar
from hardener.observe.volumes import Volumes, place_of
from hardener.support.data_path import Path
from hardener.support.printable import plain
from hardener.support.shapes import entries, mappings

Map = dict[str, Any]
_TICK = 0.25  # seconds between two looks
_SETTLE = 1.0  # seconds that it stays ready
_INIT_SECONDS, _HOOK_SECONDS = 120.0, 60.0
_MOST_SECONDS = 300.0  # to become ready, whatever its probes allow
_LEAST_SECONDS = 30.0
_MOST_RESTARTS = 5
_LOG_LINES, _LOG_LINE = 40, 400
_SHORTEST_SECRET = 4  # characters
_DISK = 4 * 1024**3  # bytes by which the disk of the engine may fill up while a pod runs
_OF_ENGINE = re.compile(
    r"(?i)no space left|disk quota|too many open files|cannot allocate memory|database is locked|IPAM|netavark"
    r"|already allocated|gives no answer|address already in use"
)
_TAKEN = re.compile(r"(?i)already allocated|address already in use")  # by a container that is on its way out
_TRIES = 6
_GRACE = 5  # seconds to end in
_BY_VARIABLE = "let the program read the variable, or a file of a volume"
_SHORTER = "make its command, arguments and variables shorter"
NOT_SHOWN = "its output is not shown (--show-output)"
_serial = itertools.count(1)


class StoppedError(HardenError):
    """The run is over: somebody has ended it."""


Said = tuple[tuple[str, str], ...]
"""The name of a container, and a line that it printed."""


class Came(Struct, frozen=True):
    """Whether a pod came up, and if not, why: one line, masked. ``refused``: nobody tried, for what stands there.
    ``said``: its last lines, masked, for what is tried next; nobody is shown them."""

    up: bool
    reason: str = ""
    restarts: int = 0
    refused: Refusal | None = None
    said: Said = ()


class Planned(Struct, eq=False):
    """A pod to run: ``key`` ("Deployment/web"), whether it ``ends`` by itself, its ``spec`` as it is to be started,
    what it is ``given``, and the references of its images by what its spec says, each with what the config of the image
    says."""

    key: str
    ends: bool
    spec: Map
    given: Given
    images: Mapping[str, tuple[str, Mapping[str, Any]]]
    mounts_token: bool


class _Read(Struct, frozen=True, eq=False):
    """What a container is given, read before any container of its pod is made: its variables, what it runs as, and the
    end of the line that makes it: its image and what that is told to run."""

    variables: list[Variable]
    user: str
    end: list[str]


class PodRun:
    """A pod at its ``endpoint`` of the ``network``. ``mask`` takes secrets out of a text; ``stop`` ends every wait.
    ``shows_output``: a line of what a container prints may be part of a reason."""

    def __init__(
        self,
        engine: Engine,
        agent: AgentClient,
        network: str,
        endpoint: Endpoint,
        hosts: list[tuple[str, str]],
        pod: Planned,
        mask: Callable[[str], str],
        stop: threading.Event,
        *,
        shows_output: bool = True,
    ) -> None:
        self._shows_output = shows_output
        self._given: dict[int, _Read] = {}
        self._engine, self._agent, self._network, self._endpoint, self._hosts = engine, agent, network, endpoint, hosts
        self.pod, self._mask, self._stop = pod, mask, stop
        self._name = f"harden-{os.getpid()}-{next(_serial)}"
        image = next(iter(pod.images.values()))[0]
        self._volumes = Volumes(engine, agent, pod.spec, pod.given, image)
        self._running: list[RunningContainer] = []
        self._inits: list[RunningContainer] = []
        self._made: list[str] = []
        self._names: dict[str, str] = {}  # of containers, by what the engine calls them
        self._tokens: dict[str, bool] = {}
        self._number = itertools.count()
        self._secrets: set[str] = set()
        self._free: int | None = None
        self.restarts = 0
        self._last = ""  # why it was started again
        self.carried: list[str] = []
        self._answers = PodAnswers(engine, agent, endpoint.address, self._running, self._pause)

    # Start and end.

    def run(
        self,
        seconds: float,
        *,
        whole: bool,
        restarts: bool,
        serves: Mapping[str, Collection[str]] | None = None,
        before: Mapping[str, Activity] | None = None,
    ) -> Came:
        """Start it, and watch until it is known whether it comes up: it has been ready, or without probes running, for
        as long as is needed. ``whole``: look for all of ``seconds`` whatever its probes say. ``restarts``: a container
        may end and be started again, since what it needs may come later. ``serves``: the ports ("80/tcp") that each
        container has to listen on; None: those that its manifest declares are waited for, and not insisted on.
        ``before``: what was seen of it as it is; where all of it answers as then, it is looked at no longer unless
        ``whole``.

        Raises EngineError where the engine itself does not do what it is asked for: nothing is known then."""
        try:
            self._answers.before = before
            self._start(_MOST_RESTARTS if restarts else 0)
            came = self._watch(seconds, whole=whole, restarts=restarts, serves=serves)
        except NotOfferedError as error:
            found = at(error.path, str(error), error.remedy) if error.path else Refusal((), str(error), error.remedy)
            came = Came(False, self._line([found.text]), self.restarts, found)
        except NotStartedError as error:
            came = Came(False, self._line([str(error)]), self.restarts)
        if not came.up and not self._stop.is_set():
            if self._engine.inspect("network", self._network) is None:
                raise EngineError(f"it has stopped working: {came.reason}")
            self._agent("free", "/")
        return came

    def _start(self, restarts: int) -> None:
        self._free = self._agent("free", self._engine.storage) if self._engine.storage else None
        self._volumes.make(self.pod.mounts_token, self._read_all())
        # Watched before anything can read them; podman chooses no other file later.
        self._tokens = {path: bool(self._agent("watch", path)) for path in self._volumes.token_files()}
        for spec in mappings(self.pod.spec.get("initContainers")):
            if spec.get("restartPolicy") == "Always":
                self._sidecar(spec)
            else:
                self._init(spec, restarts)
        for spec in mappings(self.pod.spec.get("containers")):
            self._running.append(self._begin(spec))
        self._carry()

    def _read_all(self) -> dict[str, list[str]]:
        """Read what each container is given: what no engine is given of the last one keeps the first from starting.
        Return the parts of volumes that they mount. Raises MissingError, NotStartedError."""
        parts: dict[str, list[str]] = {}
        for key in ("initContainers", "containers"):
            for number, spec in entries(self.pod.spec.get(key)):
                try:
                    self._given[id(spec)] = read = self._read(spec)
                    for at_, mount in entries(spec.get("volumeMounts")):
                        _, part = place_of(mount, read.variables, ("volumeMounts", at_))
                        if part:
                            parts.setdefault(str(mount.get("name")), []).append(part)
                except NotOfferedError as error:
                    raise NotOfferedError(str(error), (key, number, *error.path), error.remedy) from None
        return parts

    def _read(self, spec: Map) -> _Read:
        """What a container is given. Raises MissingError, NotStartedError."""
        image, config = self.pod.images[str(spec.get("image"))]
        folder = config.get("WorkingDir")
        if folder and not spec.get("workingDir") and not is_folder(folder):
            # A process that starts in a file that the runtime has open is out of its container: CVE-2024-21626.
            raise NotOfferedError("its image starts in a folder of the kernel", ("image",), "take another image")
        user = container_options.user_of(self.pod.spec, spec, config)
        known = variables(spec, self.pod.spec, self.pod.given)
        self._secrets |= {each.value for each in known if each.secret and len(each.value) >= _SHORTEST_SECRET}
        command, secret = words(spec.get("command"), known, ("command",))
        arguments, more = words(spec.get("args"), known, ("args",))
        if secret or more:
            path: Path = ("command" if secret else "args",)
            raise NotOfferedError("a value of a Secret would be on a command line", path, _BY_VARIABLE)
        refuse_unseen(spec, known)
        if spec.get("command") and not command[0]:
            raise NotOfferedError("there is nothing to start", ("command", 0), "name the program")
        of_engine = container_options.command_of_podman if self._engine.name == "podman" else container_options.command
        end = of_engine(spec, command, arguments, image)
        if not is_a_line(end):
            raise NotOfferedError(
                "it is longer than a command line can be", ("command" if command else "args",), _SHORTER
            )
        return _Read(known, user, end)

    def _carry(self) -> None:
        owner = self._running[0]
        for each in self._endpoint.forwards:
            problem = self._agent("carry", owner.pid, self._endpoint.address, each.port, each.target)
            if problem is not None:
                self.carried.append(f"port {each.port} of its Service is not carried to {each.target}: {problem}")

    def _sidecar(self, spec: Map) -> None:
        container = self._begin(spec)
        self._running.append(container)
        until = time.monotonic() + max(_LEAST_SECONDS, container.probes.patience if container.probes else 0)
        while container.probes is not None and "startupProbe" in spec and not container.probes.ready:
            self._tick(container, restarts=True)
            if time.monotonic() > until:
                raise NotStartedError(f"its sidecar {spec.get('name')} does not start: {container.probes.said}")
            self._pause()

    def _init(self, spec: Map, restarts: int) -> None:
        """Run an init container to its end, again where it fails, ``restarts`` times at most."""
        until = time.monotonic() + _INIT_SECONDS
        for attempt in range(restarts + 1):
            container = self._begin(spec, init=True)
            code = None
            while code is None:
                self._look(container)
                code = self._ended(container)
                self._bound()
                if code is None and time.monotonic() > until:
                    raise NotStartedError(f"its init container {spec.get('name')} does not end")
                if code is None:
                    self._pause()
            self._note_files(container)
            self._inits.append(container)
            if code == 0:
                container.seen.done = True
                self._remove([container.name])
                return
            said = self._said(container)
            self._remove([container.name])
            if self.pod.spec.get("restartPolicy") == "Never" or attempt == restarts or time.monotonic() > until:
                raise NotStartedError(f"its init container {spec.get('name')} ends with {code}: {said}")
            self.restarts += 1
            self._pause(1 + attempt)

    def _begin(self, spec: Map, *, init: bool = False) -> RunningContainer:
        """Start one container. Raises NotStartedError, MissingError, EngineError."""
        read = self._given[id(spec)]
        container = RunningContainer(spec, f"{self._name}-{next(self._number)}", read.variables)
        owner = None if init or not self._running else self._running[0]
        options = container_options.options(
            self._engine,
            self.pod.spec,
            spec,
            read.user,
            self._volumes.mounts(spec, read.variables, self.pod.mounts_token),
            owns_network=owner is None,
            profile=self._engine.profiles.get((self.pod.key, str(spec.get("name")))),
        )
        if isinstance(spec.get("workingDir"), str) and spec["workingDir"]:
            options += ["--workdir", spec["workingDir"]]
        options += self._of_namespaces(owner)
        given, environment = self._environment(read.variables)
        line = [*self._engine.labels(), *options, *given, *read.end]
        if not is_a_line(line):
            raise NotOfferedError(
                f"what makes {spec.get('name')} is longer than a command line can be", remedy=_SHORTER
            )
        self._create_in_turn(container, line, environment)
        container.began = time.monotonic()
        container.probes = Probes(spec, container.began, lambda probe, seconds: self._ask(container, probe, seconds))
        state = self._engine.inspect("container", container.name) or {}
        container.pid = int((state.get("State") or {}).get("Pid") or 0)
        container.id = str(state.get("Id") or container.name)
        self._look(container)
        self._hook(container)
        return container

    def _create_in_turn(self, container: RunningContainer, words: list[str], environment: Mapping[str, str]) -> None:
        """Make and start it, again where what it takes is held by one that is on its way out."""
        for attempt in range(_TRIES):
            try:
                with self._engine.turns:
                    self._create(container, words, environment)
                return
            except EngineError as error:
                if attempt == _TRIES - 1 or not _TAKEN.search(str(error)):
                    raise
                self._remove([container.name])
                self._pause(0.5 * (attempt + 1))

    def _create(self, container: RunningContainer, words: list[str], environment: Mapping[str, str]) -> None:
        """Make and start it. Raises NotStartedError, EngineError."""
        done = self._engine.call("create", "--pull", "never", "--name", container.name, *words, environment=environment)
        if not done.ok:
            raise EngineError(f"{container.spec.get('name')} cannot be made: {done.reason}")
        self._made.append(container.name)
        self._names[container.name] = str(container.spec.get("name"))
        if self._engine.name == "podman":
            self._started(self._engine.call("init", container.name))
        self._volumes.settle()
        self._check(container)
        if "--dns" in words and not _serves_names(self.pod.spec):  # it owns the network of the pod
            container.resolver = self._process_of(container)
            if container.resolver:
                self._agent("answer_names", container.resolver)
        self._trace(container)
        self._watch_raisers(container)
        self._started(self._engine.call("start", container.name))
        self._watch_raisers(container)  # of docker it has no process before
        self._engine.note_start(None)

    def _process_of(self, container: RunningContainer) -> int:
        state = self._engine.inspect("container", container.name) or {}
        return int((state.get("State") or {}).get("Pid") or 0)

    def _watch_raisers(self, container: RunningContainer) -> None:
        """Note from now on which programs it runs that give rights by their file, where it runs as it is."""
        if self._answers.before is not None or container.watched:
            return
        container.watched = self._process_of(container)
        if container.watched:
            self._agent("watch_raisers", container.watched)

    def _trace(self, container: RunningContainer) -> None:
        """Count its system calls from its first one on, where somebody asked for them. Raises EngineError."""
        if self._engine.strace is None or (self.pod.key, container.spec.get("name")) in self._engine.profiles:
            return
        container.traced = self._process_of(container)
        problem = self._agent("trace", container.traced, self._engine.strace, self._engine.folder)
        if problem is not None:
            raise EngineError(f"the system calls of {container.spec.get('name')} cannot be recorded: {problem}")

    def _note_calls(self, container: RunningContainer) -> None:
        if container.traced:
            container.seen.calls |= set(self._agent("traced", container.traced) or ())

    def _started(self, done: Answer) -> None:
        """Raises NotStartedError where a runtime could not start it, EngineError where that says nothing of it."""
        if not done.ok:
            said = f"{done.error} {done.text}"
            self._engine.note_start(done.reason)
            raise (EngineError if _OF_ENGINE.search(said) else NotStartedError)(done.reason)

    def _of_namespaces(self, owner: RunningContainer | None) -> list[str]:
        """The options that join the namespaces of ``owner``, or give it those of the pod."""
        if owner is not None:
            shared = ["--pid", f"container:{owner.name}"] if self.pod.spec.get("shareProcessNamespace") else []
            return [*shared, "--network", f"container:{owner.name}"]
        found = ["--network", self._network, "--ip", self._endpoint.address, "--hostname", self.pod.given.name]
        aliases = [
            (str(name), str(each.get("ip")))
            for each in mappings(self.pod.spec.get("hostAliases"))
            for name in each.get("hostnames") or []
        ]
        found += [word for name, address in [*self._hosts, *aliases] for word in ("--add-host", f"{name}:{address}")]
        # Nobody answers there, at once: what is not in the file of hosts has no name.
        return [*found, "--dns", "127.0.0.1", "--dns-option", "ndots:5"]

    def _environment(self, known: list[Variable]) -> tuple[list[str], dict[str, str]]:
        """Options that give variables, and those that the engine takes from the environment of the call: a value of a
        Secret is never on a command line (``_read`` has seen to that)."""
        lines, options, environment = [], [], {}
        for each in known:
            if not has_lines(each):
                lines.append(f"{each.name}={each.value}\n")
            elif may_hold(each.name):
                environment[each.name] = each.value
                options += ["--env", each.name]
            else:
                options += ["--env", f"{each.name}={each.value}"]
        if lines:
            path = os.path.join(self._engine.folder, f"{self._name}.env")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.writelines(lines)
            options += ["--env-file", path]
        return options, environment

    def _check(self, container: RunningContainer) -> None:
        """What the engine made is what it was asked for: it has settings of its own. Raises NotStartedError."""
        _, config = self.pod.images[str(container.spec.get("image"))]
        given = {each.name: each.value for each in container.variables}
        problem = unlike(self._engine.inspect("container", container.name) or {}, Expected(given, config))
        if problem is not None:
            self._engine.note_start(problem)
            raise NotStartedError(problem)

    def _hook(self, container: RunningContainer) -> None:
        hook = (container.spec.get("lifecycle") or {}).get("postStart")
        if not isinstance(hook, dict) or not hook:
            return
        if isinstance(hook.get("sleep"), dict):
            self._pause(min(float(hook["sleep"].get("seconds") or 0), _HOOK_SECONDS))
            return
        if "exec" in hook:
            said = self._executed(container, command_of_hook(hook), _HOOK_SECONDS)
        else:
            said = self._ask(container, hook, _HOOK_SECONDS)
        if said is not None and "exec" in hook:
            raise NotStartedError(f"postStart of {container.spec.get('name')} fails: {said}")

    def end(self) -> None:
        """Remove all of it."""
        self._remove(self._made)
        self._running.clear()
        self._volumes.remove()
        path = os.path.join(self._engine.folder, f"{self._name}.env")
        if os.path.exists(path):
            os.unlink(path)

    def _remove(self, names: Iterable[str]) -> None:
        """Remove containers, the last one first: the first owns the network of the others."""
        names = list(reversed(list(names)))
        for container in [*self._inits, *self._running]:
            if container.name in names:
                self._note_calls(container)  # not before: it makes some as it ends
        if names:
            time_ = ["-t", "0"] if self._engine.name == "podman" else []
            self._engine.call("rm", "-f", "-v", *time_, *names)
            self._made = [name for name in self._made if name not in names]

    # Watch.

    def _watch(
        self, seconds: float, *, whole: bool, restarts: bool, serves: Mapping[str, Collection[str]] | None
    ) -> Came:
        longest = self._longest(seconds)
        started = time.monotonic()
        times = Times(began=started, quiet_since=started)
        while True:
            if self._tick_all(restarts=restarts):
                times.begin_anew()
            if self._has_ended():
                return Came(True, "", self.restarts)
            now = time.monotonic()
            times.note(now, is_busy=self._is_busy(), is_ready=self._are_ready())
            is_up = self._is_up(times, now, seconds, whole=whole)
            silent = self._silent(serves) if is_up else []
            if now - started > longest:
                return self._came_late(longest, silent, is_up=is_up, needs_ports=serves is not None)
            if is_up and not silent and not self._may_do_more(times, now):
                return Came(True, "", self.restarts)
            if not whole and self._are_ready() and self._is_known(now, serves):
                return Came(True, "", self.restarts)
            self._bound()
            self._pause()

    def _is_up(self, times: Times, now: float, seconds: float, *, whole: bool) -> bool:
        """Whether it has been up for long enough: for ``seconds``, or a little where its probes say so."""
        if not self._are_ready() or self.pod.ends:
            return False
        by_probes = self._have_probes() and not whole
        return now - times.ready_since >= _SETTLE if by_probes else now - times.began >= seconds

    def _may_do_more(self, times: Times, now: float) -> bool:
        """Whether it has work to do right after the start: it may not have come to what stops it."""
        return not self._have_probes() and now - times.quiet_since < _SETTLE

    def _have_probes(self) -> bool:
        return all(map(has_probes, self._running))

    # Answers.

    def ask(self, hints: Mapping[int, Hint]) -> None:
        """Start what waits for its hour, and ask its ports, by ``hints``, or what they were asked before."""
        self._answers.ask(hints)

    def _is_known(self, now: float, serves: Mapping[str, Collection[str]] | None) -> bool:
        """Whether all that it does as it is has been seen by now, or that it does something else."""
        return not self._is_busy() and not self._silent(serves) and self._answers.is_known(now)

    def target(self, namespace: str) -> Target:
        """Whom a command of a user is run against."""
        listens = {port for each in self._running for port in each.seen.listens if port.endswith("/tcp")}
        declared = [int(port.partition("/")[0]) for each in self._running for port in declared_ports(each)]
        numbers = sorted((int(port.partition("/")[0]) for port in listens), key=lambda one: (one not in declared, one))
        return Target(self.pod.key, namespace, self._endpoint.address, tuple(numbers), self._running[0].pid)

    def looked_at(self, work: Callable[[], str | None]) -> str | None:
        """Do ``work`` against it, which tells what goes wrong, and look meanwhile at who its processes are: behind a
        login other ones may begin."""
        is_done = threading.Event()

        def look() -> None:
            with suppress(EngineError):  # whoever waits for the work hears of it
                while not is_done.wait(_TICK):
                    for container in [each for each in self._running if each.pid and not each.done]:
                        container.seen.glance(self._agent("look", container.pid, container.id) or {})

        looks = threading.Thread(target=look, daemon=True)
        looks.start()
        try:
            return work()
        finally:
            is_done.set()
            looks.join()

    def note_exercise(self) -> None:
        """Note that what a user gave to find out whether it works says so, when it has had the time to store what
        it took."""
        for container in self._running:
            container.seen.exercised = True
        stored_files.wait(self._agent, self._running, self._answers.before, self._pause)

    def go_down(self) -> dict[str, Activity]:
        """Tell it to end, as a kubelet does, wait for that, and return what was seen of each container until then."""
        names = [each.name for each in self._running if not each.done]
        if names:
            self._engine.call("stop", "-t", str(_GRACE), *names, seconds=_GRACE * len(names) + 60)
        for container in self._running:
            if not container.done and container.pid:
                container.seen.code = self._ended(container)
            self._note_files(container)
        return {str(each.spec.get("name")): each.seen for each in self._running}

    def _is_busy(self) -> bool:
        return any(each.seen.busy for each in self._running)

    def _are_ready(self) -> bool:
        return all(map(is_ready, self._running))

    def _came_late(self, longest: float, silent: list[str], *, is_up: bool, needs_ports: bool) -> Came:
        """What came of it after the ``longest`` wait. ``silent`` ports matter only where it ``needs_ports``."""
        came = is_up and not (silent and needs_ports)
        return Came(came, "" if came else self._late(longest, silent), self.restarts)

    def _longest(self, seconds: float) -> float:
        """How long it may take to become ready, by its probes."""
        patience = max((each.probes.patience for each in self._running if each.probes is not None), default=0.0)
        return min(max(_LEAST_SECONDS, 3 * seconds, patience + seconds), _MOST_SECONDS)

    def _tick_all(self, *, restarts: bool) -> bool:
        """Look at all containers that run; whether one was started again."""
        before = self.restarts
        for container in list(self._running):
            if not container.done:
                self._tick(container, restarts=restarts)
        return self.restarts != before

    def _has_ended(self) -> bool:
        return self.pod.ends and all(each.done for each in self._running if not is_sidecar(each.spec))

    def _silent(self, serves: Mapping[str, Collection[str]] | None) -> list[str]:
        """The ports on which containers do not listen yet, though they should."""
        found = []
        for container in self._running:
            if container.seen.sees_sockets:
                wanted = (
                    declared_ports(container) if serves is None else serves.get(str(container.spec.get("name")), ())
                )
                found += [port for port in wanted if port not in container.seen.listens]
        if serves is None and any(each.seen.sees_sockets for each in self._running):
            listens = {port for each in self._running for port in each.seen.listens}
            called = {f"{target}/tcp" for ports in self._endpoint.services.values() for target in ports.values()}
            found += sorted(called - listens - set(found))
        return found

    def _late(self, seconds: float, silent: list[str]) -> str:
        """Why it did not come up in ``seconds``; ``silent`` are ports that it does not listen on."""
        if silent:
            return self._line([f"it no longer listens on {', '.join(silent)}", self._said(self._running[0])])
        if self.pod.ends:
            return f"it does not end in {seconds:.0f} s"
        unready = next((each for each in self._running if each.probes is not None and not each.probes.ready), None)
        if unready is None:
            return self._line([f"it ends again and again for {seconds:.0f} s", self._last])
        assert unready.probes is not None
        said = list(filter(None, (unready.probes.said, self._said(unready))))
        return self._line([f"not ready in {seconds:.0f} s", *(said or [self._last])])

    def _tick(self, container: RunningContainer, *, restarts: bool) -> None:
        """Look at a container, ask its probes, and start it again where it has ended. Raises NotStartedError."""
        self._look(container)
        code = self._ended(container)
        if code is None:
            assert container.probes is not None
            container.probes.tick()
            if container.probes.failed is None:
                return
            why = container.probes.failed
        elif self.pod.ends and code == 0 and not is_sidecar(container.spec):
            container.done = container.seen.done = True
            self._note_files(container)
            return
        else:
            why = self._why(container, code)
        self._last = self._line([why, self._said(container)])
        policy = self.pod.spec.get("restartPolicy") or "Always"
        may = policy != "Never" or is_sidecar(container.spec)
        if not may or not restarts or self.restarts >= _MOST_RESTARTS:
            raise NotStartedError(self._last)
        self.restarts += 1
        self._pause(min(self.restarts, 4))
        self._again(container)

    def _again(self, container: RunningContainer) -> None:
        """Start it anew, and where it owns the network of the pod, all of the others, too."""
        again = self._running if container is self._running[0] else [container]
        specs = [each.spec for each in again]
        seen = {id(each.spec): each.seen for each in again}
        for each in again:
            self._note_files(each)
        self._remove([each.name for each in again])
        if container is self._running[0]:
            self._running.clear()
            for spec in specs:
                fresh = self._begin(spec)
                fresh.seen.take(seen[id(spec)])
                self._running.append(fresh)
            self._carry()
        else:
            fresh = self._begin(container.spec)
            fresh.seen.take(container.seen)
            self._running[self._running.index(container)] = fresh

    def ended(self) -> str | None:
        """What a container of it that has ended by now said; None where all run, or end when they have done their
        work."""
        for container in self._running:
            code = None if container.done else self._ended(container)
            if code is not None:
                return self._line([self._why(container, code), self._said(container)])
        return None

    @staticmethod
    def _why(container: RunningContainer, code: int) -> str:
        return f"{container.spec.get('name')} ends with {code}{_OF_CODES.get(code, '')}"

    def _ended(self, container: RunningContainer) -> int | None:
        """Its exit code, None while it runs."""
        if container.pid and os.path.isdir(f"/proc/{container.pid}/ns"):
            return None
        state = (self._engine.inspect("container", container.name) or {}).get("State") or {}
        if state.get("Running") or state.get("Status") in ("running", "created", "initialized"):
            return None
        if state.get("OOMKilled"):
            return _OUT_OF_MEMORY
        return int(state.get("ExitCode") or 0)

    def _ask(self, container: RunningContainer, probe: Map, seconds: float) -> str | None:
        """What goes wrong with what ``probe`` asks, None where nothing does."""
        if "exec" in probe:
            return self._executed(container, words_of(probe, container.spec), seconds)
        kind = next(kind for kind in ("httpGet", "tcpSocket", "grpc") if kind in probe)
        handler = probe[kind] or {}
        port = port_of(handler.get("port"), container.spec)
        if port is None:
            return f"it has no port {handler.get('port')}"
        place = container.pid, self._endpoint.address, port
        answer = self._agent(f"ask_{ASKS[kind]}", *place, *question(kind, handler), seconds, seconds=seconds + 5)
        return None if answer is None else self._mask(str(answer))

    def _executed(self, container: RunningContainer, command: list[str], seconds: float) -> str | None:
        """What goes wrong with a command in a container, None where nothing does."""
        done = self._engine.call("exec", container.name, *command, seconds=max(seconds, 5), output=65536)
        if done.ok:
            return None
        return self._line([done.error or done.text or "it fails"]) if self._shows_output else f"it fails, {NOT_SHOWN}"

    def _bound(self) -> None:
        if self._free is not None and (now := self._agent("free", self._engine.storage)) is not None:
            if self._free - now > _DISK:
                raise NotStartedError(f"the disk of the engine has {_DISK >> 30} GiB less than before: it is stopped")

    def _pause(self, seconds: float = _TICK) -> None:
        if self._stop.wait(seconds):
            raise StoppedError("interrupted")

    # What is seen.

    def _look(self, container: RunningContainer) -> None:
        if container.pid:
            found = self._agent("look", container.pid, container.id)
            if found is not None:
                moment = time.monotonic() - container.began if container.began else 0.0
                container.seen.look(found, self._endpoint.address, moment)

    def facts(self, *, ends: bool = False) -> dict[str, Activity]:
        """What was seen of each container, by its name; asked before it is removed. Where it ``ends`` next, its files
        are looked at then."""
        found: dict[str, Activity] = {}
        read = [self._agent("was_read", path) if seen else None for path, seen in self._tokens.items()]
        for container in [*self._inits, *self._running]:
            if container in self._running:
                self._look(container)
                container.seen.age = time.monotonic() - container.began
                if container.watched:  # before anybody else reads them
                    container.seen.raised |= set(self._agent("raised", container.watched) or ())
                if not ends:
                    self._note_files(container)
                if self._answers.before is None:
                    container.seen.prepared |= container_files.prepared(self._agent, container.pid, container.seen)
                    stored_files.note(self._agent, container, {*container.seen.wrote, *container.seen.kept})
            if read:
                container.seen.token = True if True in read else None if None in read else False
            name = str(container.spec.get("name"))
            if name in found:
                container.seen.take(found[name])
            found[name] = container.seen
        return found

    def _note_files(self, container: RunningContainer) -> None:
        if container.resolver:
            container.seen.outside |= set(self._agent("asked_names", container.resolver) or ())
        changed = container_files.changed(self._engine, container.name)
        if changed is None:  # that it wrote nothing would be a claim
            raise EngineError(f"it does not tell what {container.spec.get('name')} wrote")
        mounted = [
            each.path for each in self._volumes.mounts(container.spec, container.variables, self.pod.mounts_token)
        ]
        image = self.pod.images[str(container.spec.get("image"))][0]
        wrote, occupied = folders_written(
            changed,
            mounted,
            is_folder=lambda path: container_files.is_folder(self._engine, container.name, path),
            is_occupied=lambda path: self._is_occupied(image, path),
        )
        container.seen.wrote |= wrote
        container.seen.occupied |= occupied
        container.seen.kept |= self._volumes.written(
            self._volumes.mounts(container.spec, container.variables, self.pod.mounts_token)
        )
        container.seen.complaints |= complaints(container_files.log(self._engine, container.name))

    def _is_occupied(self, image: str, path: str) -> bool:
        """Whether the image has a file or a link below ``path``."""
        with ImageFolders(self._engine, image, f"{self._name}-{next(self._number)}") as folders:
            return folders.is_occupied(path)

    def said(self) -> Said:
        """The last lines of each container that is there by now; asked before it is removed."""
        found: list[tuple[str, str]] = []
        for made in self._made:
            done = self._engine.call("logs", "--tail", str(_LOG_LINES), made)
            name = self._names.get(made, made)
            lines = (line[:_LOG_LINE] for line in (*done.text.splitlines(), *done.error.splitlines()))
            found += [(name, self._mask(line)) for line in lines if line.strip()]
        return tuple(found)

    def _said(self, container: RunningContainer) -> str:
        """The line of its log that says why."""
        if not self._shows_output:
            return NOT_SHOWN
        done = self._engine.call("logs", "--tail", str(_LOG_LINES), container.name)
        return self._line([*done.text.splitlines(), *done.error.splitlines()], one=True)

    def _line(self, lines: list[str], *, one: bool = False) -> str:
        lines = [line.strip() for text in lines for line in text.splitlines() if line.strip()]
        if one:
            lines = telling(lines)
        # Each variable may be a secret that nothing but its place tells.
        text = self._mask(": ".join(lines))
        for value in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(value, "***")
        return plain(text.encode("utf-8", "replace").decode())[:_LOG_LINE]


_OUT_OF_MEMORY = 137
_DNS = 53
_OF_CODES = {137: " (killed; more memory than its limit does that)", 139: " (a fault of memory)"}


def _serves_names(spec: Map) -> bool:
    """Whether a container of a pod listens where names are asked for."""
    containers = [*mappings(spec.get("initContainers")), *mappings(spec.get("containers"))]
    return any(port.get("containerPort") == _DNS for each in containers for port in mappings(each.get("ports")))
