"""A container engine of this machine, podman or docker, called as a program: what both can, in one way.

Everything that it makes bears the label ``LABEL`` with the run that made it, so that the next run finds what a dead one
left. An image that a run pulls is noted by an empty volume with the label ``PULLED``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from hardener.errors import HardenError
from hardener.observe.accepted import RUNS_WITH
from hardener.observe.engine_environment import environment as own_environment
from hardener.support import programs
from hardener.support.printable import plain, plain_line
from hardener.support.programs import ProgramError
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]
LABEL, PULLED = "hardener.dev/observe", "hardener.dev/pulled"
NAMES = ("podman", "docker")
SECONDS = 90.0  # for one call; a pull has more
_FIRST_SECONDS = 60.0  # for the first one
OUTPUT = 8 * 1024 * 1024  # bytes that one call may print
_PREFIX = "harden-observe-"
# What a runtime says of a program, a folder or a user of an image that are not there: runc, crun, youki.
_OF_PROGRAM = re.compile(
    r"(?i)executable file|exec format error|exec:? [\"`']?[^ \"`']+[\"`']?: |to cwd|unable to find (?:user|group)"
    r"|no matching entries in|runAsNonRoot|non-root policy"
)
_STORE = ("graphRoot", "runRoot", "volumePath")
_NAMESPACES = ("ipc", "mount", "network", "pid", "uts")
_LABEL = '{{.Label "%s"}}'
_INSTALL = "install podman (https://podman.io/docs/installation), or name an engine with --engine docker"
# Bounding, permitted and effective alike, and no others: containerd's WithCapabilities (pkg/oci/spec_opts.go). podman
# also puts those of a user that is not root into the ambient set, and a pod would pass that Kubernetes lets die.
# Runtimes obey annotations: crun takes another seccomp filter by one, runc properties of systemd. A kubelet hands on
# none that an image or a manifest chose, and none is left here, whatever an engine makes of them.
# Beside it stands what a container may have (``_wrapped``): podman tells of no mount that its own settings add.
RUNTIME = """\
#!{python} -I
import json, os, sys


def more(config, may):
    linux = config.get("linux") or {{}}
    if not linux.get("seccomp"):
        return "it has no seccomp profile"
    lacks = set(may["namespaces"]) - {{each["type"] for each in linux.get("namespaces") or ()}}
    if lacks:
        return "the settings of the engine give it the namespace of the machine: " + ", ".join(sorted(lacks))
    if linux.get("devices") or config.get("hooks"):
        return "the settings of the engine give it devices or hooks of the machine"
    given = set((config["process"].get("capabilities") or {{}}).get("bounding") or ()) - set(may["capabilities"])
    if given:
        return "the settings of the engine give it " + ", ".join(sorted(given))
    for mount in config.get("mounts") or ():
        source = os.path.realpath(mount.get("source") or "/")
        if {{"bind", "rbind"}} & {{mount.get("type"), *(mount.get("options") or ())}}:
            if not source.startswith(tuple(may["folders"])):
                return "the settings of the engine give it " + source + " of the machine"


if "create" in sys.argv:
    name = os.path.join(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    with open(name, encoding="utf-8") as file:
        config = json.load(file)
    if os.path.exists(__file__ + ".json"):
        with open(__file__ + ".json", encoding="utf-8") as file:
            why = more(config, json.load(file))
        if why:
            sys.exit(why)
    sets = config["process"].setdefault("capabilities", {{}})
    given = sets.get("bounding") or []
    config["process"]["capabilities"] = {{key: given for key in ("bounding", "effective", "permitted")}}
    config.pop("annotations", None)
    with open(name, "w", encoding="utf-8") as file:
        json.dump(config, file)
os.execv({runtime!r}, [{runtime!r}, *sys.argv[1:]])
"""


class EngineError(HardenError):
    """The engine does not do what it is asked for. The message is one line, in its own words where they say more."""


class Answer(Struct, frozen=True):
    """What a call gave: ``ok``, its standard output, and what it said besides."""

    ok: bool
    text: str
    error: str

    @property
    def reason(self) -> str:
        """Why it went wrong, in one line."""
        lines = [line for line in self.error.splitlines() if line.strip() and "level=warning" not in line]
        return plain(re.sub(r"^(?:Error|docker): ", "", lines[-1].strip())) if lines else "no word why"


class Engine:
    """An engine. ``name`` is podman or docker, ``version`` what it says of itself, ``rootless`` whether it runs
    containers without being root. ``run`` is the value of the label of this run. ``seccomp`` is the file of a profile
    that somebody has named, None for that of its runtime."""

    def __init__(
        self, name: str, program: str, info: Mapping[str, Any], folder: str, run: str, seccomp: str | None = None
    ) -> None:
        self.name, self._program, self.folder, self.run, self.seccomp = name, program, folder, run, seccomp
        self.worked, self._fault = False, ""
        self.strace: str | None = None  # the program that counts system calls, where somebody asked for them
        self.profiles: dict[tuple[str, str], str] = {}  # files of profiles by workload and container
        self.default_profile = ""
        # More that begin at a time take longer, and what begins late would seem not to come up.
        self.turns = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
        self._head: list[str] = []
        if name == "podman":
            host = mapping(info.get("host"))
            version = mapping(info.get("version")).get("Version", "")
            self.default_profile = str(mapping(host.get("security")).get("seccompProfilePath") or "")
            self.rootless = bool(mapping(host.get("security")).get("rootless"))
            self.storage = str(mapping(info.get("store")).get("graphRoot", ""))
            runtime = mapping(host.get("ociRuntime")).get("path")
            if runtime:
                wrapped = self._wrapped(str(runtime), mapping(info.get("store")))
                self._head = ["--runtime", wrapped, "--hooks-dir", self._without_hooks()]
        else:
            version = info.get("ServerVersion", "")
            self.rootless = "rootless" in str(info.get("SecurityOptions"))
            self.storage = str(info.get("DockerRootDir", ""))
        self.version = plain_line(str(version))

    def note_start(self, problem: str | None) -> None:
        """Note that a container was started, or that its runtime did not start it for ``problem``."""
        if problem is None:
            self.worked = True
        elif not _OF_PROGRAM.search(problem):
            self._fault = self._fault or problem

    @property
    def fault(self) -> str | None:
        """Why it has started no container at all, which is no fault of theirs; None where it has, or was not asked."""
        return None if self.worked or not self._fault else f"{self.name} starts no container: {self._fault}"

    @property
    def process(self) -> str:
        """The name of this process as a run: the label without what a cluster adds."""
        return ".".join(self.run.split(".")[:3])

    @property
    def called(self) -> str:
        """It, as a record names it: "podman 5.4.2"."""
        return f"{self.name} {self.version}".strip()

    @classmethod
    def found(cls, name: str | None, outside: str, seccomp: str | None = None) -> Engine:
        """The engine ``name``; None: the first that is installed. It lies not in the folder ``outside``, a real path.
        ``seccomp`` is the file of the profile that containers get; None: that of its runtime.

        Raises ProgramError: there is none, it does not answer to this user, or it has no seccomp.
        """
        program, path = _installed(name, outside)
        run = run_name()
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{run}-")
        try:
            return cls(program, path, _info(program, path, folder), folder, run, seccomp)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _wrapped(self, runtime: str, store: Map) -> str:
        """The script in front of a ``runtime``, and beside it what a container may have: mounts of folders of the
        ``store`` alone, for one."""
        path = os.path.join(self.folder, os.path.basename(runtime))
        with open(path, "w", encoding="utf-8") as file:
            file.write(RUNTIME.format(python=sys.executable, runtime=runtime))
        os.chmod(path, 0o755)
        folders = [os.path.realpath(store[key]) + os.sep for key in _STORE if isinstance(store.get(key), str)]
        names = [f"CAP_{name}" for name in sorted(RUNS_WITH)]
        may = {"folders": folders, "namespaces": _NAMESPACES, "capabilities": names}
        with open(f"{path}.json", "w", encoding="utf-8") as file:
            json.dump(may, file)
        return path

    def _without_hooks(self) -> str:
        """An empty folder: hooks of the machine would run as annotations of an image say."""
        path = os.path.join(self.folder, "hooks")
        os.mkdir(path, 0o700)
        return path

    def call(
        self,
        *words: str,
        seconds: float = SECONDS,
        input: bytes | None = None,
        output: int = OUTPUT,
        environment: Mapping[str, str] | None = None,
        keeps_head: bool = False,
    ) -> Answer:
        """Run it with ``words``, for at most ``seconds``; ``environment`` are variables beside its own."""
        given = own_environment(pulls=words[0] == "pull") | dict(environment or {})
        return call_program(
            self._program, [*self._head, *words], self.folder, seconds, input, output, given, keeps_head
        )

    def ask(self, *words: str, seconds: float = SECONDS) -> str:
        """What it prints. Raises EngineError where it fails."""
        done = self.call(*words, seconds=seconds)
        if not done.ok:
            raise EngineError(done.reason)
        return done.text

    def inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        """What it knows of a container, image, network or volume; None where there is none."""
        done = self.call(kind, "inspect", name)
        try:
            found = json.loads(done.text) if done.ok else []
        except ValueError:
            return None
        return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else None

    def enter(self) -> tuple[str, list[str]]:
        """The program, and the words before one that is to run where the containers are."""
        if self.name == "podman" and self.rootless:
            return self._program, ["unshare", "--rootless-netns"]
        return "", []

    def labels(self) -> list[str]:
        """The options by which something is marked as made by this run."""
        return ["--label", f"{LABEL}={self.run}"]

    # Images.

    def has_image(self, reference: str) -> bool:
        return self.call("image", "inspect", "--format", "{{.Id}}", reference).ok

    def pull(self, reference: str, *, plain_http: bool = False, seconds: float = 900) -> None:
        """Bring the image ``reference``, which names a digest, and note it. Raises EngineError."""
        noted = self.ask("volume", "create", *self.labels(), "--label", f"{PULLED}={reference}").strip()
        options = ["--tls-verify=false"] if plain_http and self.name == "podman" else []
        done = self.call("pull", "--quiet", *options, reference, seconds=seconds)
        if not done.ok:
            self.call("volume", "rm", "-f", noted)
            raise EngineError(done.reason)

    # What is left behind.

    def clear(self) -> None:
        """Remove all that this run has made."""
        self._clear({self.run})
        shutil.rmtree(self.folder, ignore_errors=True)

    def clear_dead(self) -> int:
        """Remove what runs have made that are dead, and return how many things that were."""
        runs = {
            label for kind in ("ps -a", "network ls", "volume ls") for label in self._labels(kind) if is_dead(label)
        }
        count = self._clear(runs) if runs else 0
        self._clear_folders()
        return count

    @staticmethod
    def _clear_folders() -> None:
        """Remove the folders of runs that are dead."""
        with os.scandir(tempfile.gettempdir()) as entries:
            for entry in entries:
                run = entry.name.removeprefix(_PREFIX).rpartition("-")[0]
                if entry.name.startswith(_PREFIX) and is_dead(run) and entry.is_dir(follow_symlinks=False):
                    if entry.stat(follow_symlinks=False).st_uid == _uid():
                        shutil.rmtree(entry.path, ignore_errors=True)

    def _labels(self, kind: str, label: str = LABEL, *filters: str) -> set[str]:
        """The values of ``label`` that what ``kind`` lists has. Each release of podman has templates of its own for
        labels, so it is asked for JSON."""
        if self.name == "docker":
            done = self.call(*kind.split(), *(filters or ("--filter", f"label={label}")), "--format", _LABEL % label)
            return {line.strip() for line in done.text.splitlines()} - {"", "<no value>"} if done.ok else set()
        done = self.call(*kind.split(), *(filters or ("--filter", f"label={label}")), "--format", "json")
        try:
            items = mappings(json.loads(done.text)) if done.ok else []
        except ValueError:
            items = []
        held = (mapping(each.get("Labels") or each.get("labels")) for each in items)
        return {str(labels[label]) for labels in held if label in labels}

    def _clear(self, runs: set[str]) -> int:
        count = 0
        for run in runs:
            filters = ["--filter", f"label={LABEL}={run}"]
            revived = self._revived(filters)
            for kind, rm in (("ps -a", ["rm", "-f", "-v"]), ("network ls", ["network", "rm"])):
                count += self._remove([*kind.split(), "-q", *filters], rm)
            for reference in self._labels("volume ls", PULLED, *filters):
                self.call("rmi", reference)
                count += 1
            count += self._remove(["volume", "ls", "-q", *filters], ["volume", "rm", "-f"])
            for folder in revived:
                shutil.rmtree(folder, ignore_errors=True)
        return count

    def _revived(self, filters: list[str]) -> list[str]:
        """Folders of dead runs that are made anew: podman ends a container by the program that started it, and that is
        gone where somebody has emptied the temporary folder since."""
        ids = self.call("ps", "-aq", *filters).text.split() if self._head else []
        lost = self.call("inspect", "--type", "container", "--format", "{{.OCIRuntime}}", *ids).text if ids else ""
        made = []
        for path in {line.strip() for line in lost.splitlines()}:
            folder, name = os.path.split(path)
            ours = os.path.dirname(folder) == tempfile.gettempdir() and os.path.basename(folder).startswith(_PREFIX)
            if ours and name == os.path.basename(self._head[1]) and not os.path.lexists(folder):
                os.mkdir(folder, 0o700)
                shutil.copy(self._head[1], path)
                made.append(folder)
        return made

    def _remove(self, listing: list[str], rm: list[str]) -> int:
        names = self.call(*listing).text.split()
        if names:
            time = ["-t", "0"] if self.name == "podman" and rm[0] == "rm" else []
            self.call(*rm, *time, *names, seconds=300)
        return len(names)


def call_program(
    program: str,
    words: list[str],
    folder: str,
    seconds: float,
    input: bytes | None = None,
    output: int = OUTPUT,
    environment: Mapping[str, str] | None = None,
    keeps_head: bool = False,
) -> Answer:
    """Run ``program``, found by its absolute path, in ``folder`` for at most ``seconds``, with ``environment`` and no
    other (None: that of an engine). With ``input`` its output has no bound."""
    environment = own_environment() if environment is None else environment
    try:
        if input is not None:
            said = programs.run(program, words, seconds=seconds, input=input, environment=environment)
            return Answer(said.returncode == 0, _text(said.stdout), _text(said.stderr))
        done = programs.bounded(
            program,
            words,
            seconds=seconds,
            output=output,
            memory=None,
            folder=folder,
            environment=environment,
            keeps_head=keeps_head,
        )
    except ProgramError as error:
        return Answer(False, "", str(error))
    if done.end is programs.End.TIME:
        return Answer(False, "", f"{os.path.basename(program)} gives no answer in {seconds:g} seconds")
    if done.end is programs.End.OUTPUT and not keeps_head:
        return Answer(False, "", f"{os.path.basename(program)} prints more than {output} bytes")
    ok = done.returncode == 0 or done.end is programs.End.OUTPUT
    return Answer(ok, _text(done.output), _text(done.error))


def _has_no_seccomp(name: str, info: Mapping[str, Any]) -> bool:
    """Whether an engine says that it starts containers without a seccomp profile."""
    if name == "podman":
        said = mapping(mapping(info.get("host")).get("security"))
        return said.get("seccompEnabled") is False or said.get("seccompProfilePath") == "unconfined"
    options = info.get("SecurityOptions")
    profiles = [str(each) for each in options if "name=seccomp" in str(each)] if isinstance(options, list) else None
    return profiles is not None and (not profiles or any("unconfined" in each for each in profiles))


def _has_one_user(info: Mapping[str, Any]) -> bool:
    """Whether a rootless podman has no user ids but that of its user: hardly an image can be unpacked then."""
    users = mapping(mapping(info.get("host")).get("idMappings")).get("uidmap")
    sizes = [each.get("size") for each in mappings(users)]
    return bool(sizes) and sum(size for size in sizes if isinstance(size, int)) <= 1


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


# A run is named by its user, its process and when that began, so that a dead one is known as such.


def run_name() -> str:
    """The name of this process as a run."""
    return f"{_uid()}.{os.getpid()}.{_began(os.getpid())}"


def is_dead(run: str) -> bool:
    """Whether ``run`` names one of this user that is no more."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", run)
    if found is None or int(found[1]) != _uid():
        return False
    return _began(int(found[2])) != int(found[3])


def _uid() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _began(pid: int) -> int:
    """When a process began, in a unit of its platform; 0 where nobody can say, -1 where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            told = file.read().rpartition(")")[2].split()
            return -1 if told[0] == "Z" else int(told[19])  # one that nobody has waited for is gone as well
    except (OSError, ValueError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return -1
    except OSError:
        return 0
    return -1 if os.path.isdir("/proc/self") else 0


def _installed(name: str | None, outside: str) -> tuple[str, str]:
    """The engine ``name``, or the first that is installed, with its path. Raises ProgramError."""
    for each in NAMES if name is None else (name,):
        try:
            return each, programs.path_of(each, outside)
        except ProgramError as error:
            problem = error
    what = "there is no container engine" if name is None else problem
    raise ProgramError(f"{what}: {_INSTALL if name in (None, 'podman') else 'install it'}")


def _info(name: str, path: str, folder: str) -> dict[str, Any]:
    """What the engine ``name`` says of itself. Raises ProgramError where it does not work for this user."""
    done = call_program(
        path, ["info", "--format", "json" if name == "podman" else "{{json .}}"], folder, _FIRST_SECONDS
    )
    try:
        info = json.loads(done.text)
    except ValueError:
        info = None
    problems = info.get("ServerErrors") if isinstance(info, dict) else None
    if problems or not done.ok:
        listed = problems if isinstance(problems, list) else [problems]
        why = "; ".join(map(str, listed)) if problems else done.reason
        raise ProgramError(f"{name} does not work for this user: {plain_line(why)}")
    if not isinstance(info, dict):
        raise ProgramError(f"{name} does not answer as {name} does")
    if _has_no_seccomp(name, info):
        raise ProgramError(f"{name} starts containers without a seccomp profile: turn that of its runtime on")
    if _has_one_user(info):
        raise ProgramError(
            f"{name} does not work for this user: it has no other user ids than its own: give it some in "
            "/etc/subuid and /etc/subgid (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 NAME)"
        )
    return info
