"""What ``harden observe`` makes of workloads of Debian packages whose truth is known beforehand (``packaged``).

``python -m tests.observe.measure_workloads [--seconds N] [--work N] [--alone] [NAME...]`` builds their images, runs
``harden observe`` over a tree with all of them, then ``harden apply`` once with what is safe and once as it is, and a
client against each pod of both for ``--work`` seconds. It prints a table: runs and seconds, what is false among what
became safe, what was held back without need, and whether exactly the capabilities are written that it needs. Servers
whose work begins behind a login get their client as ``observe.exercise``; ``--alone`` gives none. ``--needs`` runs
nothing of harden: it finds by its client which capabilities each needs, leaving them out one by one. The exit code is 1
where a change is safe and false.

It needs podman, runc, nft, docker-registry and a base image (``built_images``). For ``--node`` the name ``here`` of the
node must be 127.0.0.1 in /etc/hosts: its API server finds the kubelet by it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from hardener.commands import run as runs
from hardener.kubernetes.pods.capabilities import BASELINE
from hardener.observe.application import containers_of

from .. import services
from ..cluster.node import started
from ..conftest import commit
from ..podman import Podman, ready
from ..pods import Manifests, Refused, running
from ..registries import running as registry
from . import built_images
from .clients import BY_NETWORK, Target
from .node_pods import NodePods
from .packaged import PACKAGED, Packaged

Map = dict[str, Any]
READ_ONLY, DROP = "read-only-root-filesystem", "drop-capabilities"
_OF_USER = {"run-as-user", "run-as-non-root"}
_HARDEN = Path(sys.executable).parent / "harden"
_ROOT = Path(__file__).resolve().parents[2]
_START = 40.0  # seconds until a client is content for the first time
_LEAST_START, _TIMES_AS_LONG = 15.0, 4  # where it is known how long that takes: so many times that
_SIDE_BY_SIDE = 6
_ENDS = ("Job", "CronJob")
# Fields of which a pod is not run otherwise here.
_WITHOUT = ("restartPolicy", "enableServiceLinks", "readinessProbe", "livenessProbe", "startupProbe")
_QUEUE = "queue"


@dataclass(frozen=True)
class Row:
    """What came of a workload. ``seconds``: of all its runs; ``false``, ``needless``: changes; ``adds``: the
    capabilities that are written, None where nothing is dropped; ``exact``: whether it needs just these; ``wrong``:
    what a client says, by the pod."""

    name: str
    state: str
    runs: int
    seconds: float
    safe: tuple[str, ...]
    held: tuple[str, ...]
    false: tuple[str, ...]
    needless: tuple[str, ...]
    adds: tuple[str, ...] | None
    exact: bool
    wrong: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


# Pods.


def namespace(one: Packaged) -> str:
    """Those that call each other stand in one."""
    return _QUEUE if one.beside or one.name == "broker" else one.name


def manifests(one: Packaged) -> list[Map]:
    """Its documents, in its namespace."""
    found = [document for document in yaml.safe_load_all(one.manifest) if document]
    for document in found:
        document["metadata"]["namespace"] = namespace(one)
    return found


def pod_of(documents: Iterable[Map], name: str) -> Map:
    """The spec of the pods of the workload ``name``."""
    found = next(
        each["spec"] for each in documents
        if each["metadata"]["name"] == name and each["kind"] not in ("Service", "NetworkPolicy", "ServiceAccount")
    )  # fmt: skip
    found = found.get("jobTemplate", {}).get("spec", found)
    made: Map = json.loads(json.dumps(found["template"]["spec"]))
    return made


class Machine:
    """Runs pods beside each other on one network of ``podman``."""

    def __init__(self, podman: Podman, folder: Path) -> None:
        self._podman, self._folder = podman, folder
        podman("network", "create", "--disable-dns", "clients")
        self._broker: str | None = None
        self._starts: dict[str, float] = {}  # the longest time until a client was content, by workload

    def patience(self, one: Packaged) -> float:
        """The seconds after which a client of ``one`` that was never content will not be."""
        known = self._starts.get(one.name)
        return _START if known is None else min(_START, max(_LEAST_START, _TIMES_AS_LONG * known))

    def begin(self) -> None:
        """Start what others call."""
        broker = next(each for each in PACKAGED if each.name == "broker")
        self._podman("run", "-d", "--name", "broker", "--network", "clients", broker.image)
        self._broker = self._address("broker")

    def problem(
        self, one: Packaged, pod: Map, which: str, seconds: float, options: tuple[str, ...] = (), start: float = _START
    ) -> str:
        """What goes wrong with a client's work against ``pod`` of ``one`` for ``seconds``; "" where nothing does.
        ``options``: of podman, for its first container. ``start``: seconds until it is content for the first time."""
        folder = self._folder / f"{one.name}-{which}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._running(pod, folder, options) as name:
                return self._ended(name) if one.kind in _ENDS else self._worked(one, name, seconds, start)
        except (Refused, AssertionError) as error:
            return f"it is not started: {str(error).strip()[-200:]}"

    @contextlib.contextmanager
    def _running(self, pod: Map, folder: Path, options: tuple[str, ...]) -> Iterator[str]:
        for each in (pod, *pod["containers"], *pod.get("initContainers", [])):
            for key in _WITHOUT:
                each.pop(key, None)
        hosts = ("--add-host", f"broker:{self._broker}") if self._broker else ()
        with contextlib.ExitStack() as held:
            for number, container in enumerate(pod["containers"]):
                own = pod | {"containers": [container]}
                place = folder
                if number:
                    own.pop("initContainers", None)
                    place = folder.with_name(f"{folder.name}-{number}")
                    place.symlink_to(folder)
                network = ("--network", "none") if number else ("--network", "clients", *hosts, *options)
                held.enter_context(running(self._podman, own, place, Manifests([]), network))
            yield f"pod-{folder.name}"

    def _address(self, name: str) -> str:
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return self._podman("inspect", "--format", form, name).stdout.strip()

    def _state(self, name: str) -> tuple[bool, int]:
        said = self._podman("inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", name).stdout.split()
        return said[0] == "true", int(said[1])

    def _ended(self, name: str) -> str:
        until = time.monotonic() + 2 * _START
        while (state := self._state(name))[0]:
            if time.monotonic() > until:
                return "it does not end"
            time.sleep(0.5)
        return "" if state[1] == 0 else f"it ended with {state[1]}: {self._log(name)[-200:]}"

    def _log(self, name: str) -> str:
        done = self._podman("logs", name, check=False)
        return done.stdout + done.stderr

    def _worked(self, one: Packaged, name: str, seconds: float, start: float) -> str:
        def execute(*words: str) -> str:
            done = self._podman("exec", "--user", "0", name, *words, check=False)
            if done.returncode != 0:
                raise OSError((done.stderr or done.stdout).strip()[-300:])
            return done.stdout

        target = Target(self._address(name), execute, lambda: self._log(name))
        began = time.monotonic()
        until = began + seconds
        content = False
        while True:
            try:
                one.client(target)
                if not content:
                    now, content = time.monotonic(), True
                    until = now + seconds
                    self._starts[one.name] = max(now - began, self._starts.get(one.name, 0.0))
            except Exception as error:  # whatever a library makes of an answer
                if content or time.monotonic() > began + start:
                    return f"{type(error).__name__}: {error}"[:250]
            if not self._state(name)[0]:
                return f"it ended with {self._state(name)[1]}: {self._log(name)[-200:]}"
            if content and time.monotonic() > until:
                return ""
            time.sleep(1)


def superfluous(machine: Machine, one: Packaged, pod: Map) -> list[str]:
    """The capabilities that ``pod`` adds beyond those known to be needed, and without which the client of ``one`` is
    content all the same."""
    found = []
    for name in sorted(set(written(pod)[0] or ()) - set(one.truth.needs or ())):
        other = json.loads(json.dumps(pod))
        for container in (*other["containers"], *other.get("initContainers", [])):
            capabilities = container.get("securityContext", {}).get("capabilities", {})
            capabilities["add"] = [each for each in capabilities.get("add", []) if each != name]
        if not machine.problem(one, other, f"without-{name.lower()}", 2, start=machine.patience(one)):
            found.append(name)
    return found


def needs(machine: Machine, one: Packaged) -> str:
    """The capabilities without which its client is not content, found by leaving out one at a time."""
    known = sorted(BASELINE)

    def works(names: list[str]) -> str:
        pod = pod_of(manifests(one), one.name)
        for container in pod["containers"]:
            container["securityContext"] = {"capabilities": {"drop": ["ALL"], "add": names}}
        return machine.problem(one, pod, f"needs-{time.monotonic_ns()}", 2)

    problem = works(known)
    if problem:
        return f"does not work with all of baseline: {problem}"
    if not works([]):
        return "none"
    for name in list(known):
        rest = [each for each in known if each != name]
        if not works(rest):
            known = rest
    return " ".join(known)


# What harden says.


def grades(folder: Path) -> dict[str, dict[str, str]]:
    """By workload: how each transform is graded, the worst of its edits: "safe", "review" or "held"."""
    tree, plan = runs.read([str(folder)], runs.Choices(), lambda name: None)
    outcome = plan.run(tree, lambda name: None, forks=False)
    found: dict[str, dict[str, str]] = {}
    order = ("safe", "review", "held")
    for held, changes in [(False, outcome.changes), *((True, held.changes) for held in outcome.held)]:
        for change in changes:
            grade = "held" if held else change.edit.grade.name.lower()
            grade = grade if grade in order else "review"
            own = found.setdefault(str(change.object.name), {})
            own[change.transform.id] = max(own.get(change.transform.id, "safe"), grade, key=order.index)
    for own in found.values():  # runAsNonRoot changes nothing beside a number, and is not written without it
        of_user = _OF_USER & own.keys()
        own |= dict.fromkeys(of_user, max((own[id] for id in of_user), key=order.index, default=""))
    return found


def untrue(one: Packaged, added: tuple[str, ...] | None, *, is_root: bool) -> set[str]:
    """The transforms with which it does not work, where a pod adds these capabilities to none."""
    found = set(one.truth.but)
    found |= set() if one.truth.read_only else {READ_ONLY}
    found |= set() if one.truth.rootless else _OF_USER
    wanted = one.truth.needs
    if wanted is None or (is_root and added is not None and set(wanted) - set(added)):
        found.add(DROP)
    return found


def written(pod: Map) -> tuple[tuple[str, ...] | None, bool]:
    """The capabilities that the containers of ``pod`` add to none (None: not all are dropped), and whether it is left
    to start as its image says."""
    contexts = [each.get("securityContext", {}) for each in (*pod["containers"], *pod.get("initContainers", []))]
    drops = all("ALL" in each.get("capabilities", {}).get("drop", ()) for each in contexts)
    added = {name for each in contexts for name in each.get("capabilities", {}).get("add", ())}
    both = [pod.get("securityContext", {}) | each for each in contexts]
    return tuple(sorted(added)) if drops else None, not all("runAsUser" in each for each in both[:1])


_TOOK = re.compile(r"^\d+ of \d+: (?:\S+/)?(\S+) .*\(\d+ runs?, (\d+) s\)$", re.M)


def seconds_of(progress: str) -> dict[str, float]:
    """How long each workload took, by its name, as ``harden observe`` tells of it."""
    return {name: float(seconds) for name, seconds in _TOOK.findall(progress)}


def judged(
    one: Packaged, seen: Map, seconds: float, graded: Mapping[str, str], pod: Map, wrong: Mapping[str, str]
) -> Row:
    """The row of ``one``."""
    adds, is_root = written(pod)
    untrue_ones = untrue(one, adds, is_root=is_root)
    ids = (READ_ONLY, DROP, *sorted(_OF_USER), "no-privilege-escalation", "seccomp-runtime-default")
    safe = tuple(each for each in ids if graded.get(each) == "safe")
    held = tuple(each for each in ids if graded.get(each) == "held")
    false = tuple(each for each in safe if each in untrue_ones)
    if "before" in wrong:
        return Row(one.name, "wrong", seen["runs"], seconds, (), (), (), (), None, exact=False, wrong=wrong)
    if "safe" in wrong and not false:
        false = ("?",)  # a client knows better
    needless = tuple(each for each in held if each not in untrue_ones)
    # What it needs depends on its volumes: the client tells which of those that are written it can do without.
    exact = not {"applied", "superfluous"} & wrong.keys() and (adds is None) == (one.truth.needs is None)
    return Row(
        one.name, seen["state"], seen["runs"], seconds, safe, held, false, needless, adds, exact, wrong,
        seen["reason"] or "; ".join(f"{', '.join(each['changes'])}: {each['because']}" for each in seen["failed"]),
    )  # fmt: skip


# The whole.


@dataclass(frozen=True)
class Place:
    """Where all of it is done."""

    podman: Podman
    host: str
    folder: Path

    def harden(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        nobody = str(self.folder / "nobody")
        return subprocess.run(
            [_HARDEN, *words], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
            env=self.podman.settings | {"REGISTRY_AUTH_FILE": f"{nobody}.json", "XDG_CONFIG_HOME": nobody},
        )  # fmt: skip

    def tree(self, name: str, chosen: Iterable[Packaged], *, exercised: bool) -> Path:
        folder = self.folder / name
        folder.mkdir()
        chosen = list(chosen)
        for one in chosen:
            (folder / f"{one.name}.yaml").write_text(yaml.safe_dump_all(manifests(one)), encoding="utf-8")
        client = f"PYTHONPATH={_ROOT} {sys.executable} -m tests.observe.clients"
        given = {one.name: f"{client} {one.name}" for one in chosen if exercised and one.name in BY_NETWORK}
        config: Map = {"registries": {"r.example": {"mirrors": [f"{self.host}/all"]}}}
        config |= {"observe": {"exercise": given}} if given else {}
        (folder / ".harden.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        commit(folder)
        return folder

    def applied(self, folder: Path, chosen: Iterable[Packaged], *words: str) -> dict[str, Map]:
        """What ``harden apply`` makes of the pods of a tree."""
        done = self.harden("apply", ".", "--yes", *words, cwd=folder)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))]
        documents = [each for text in texts for each in yaml.safe_load_all(text) if each and "metadata" in each]
        return {one.name: pod_of(documents, one.name) for one in chosen}


@contextlib.contextmanager
def place(chosen: Iterable[Packaged], base: str) -> Iterator[Place]:
    """A registry with the images of ``chosen``, and a podman."""
    first = built_images.build(base)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = list(pool.map(lambda one: (one.name, built_images.built(one, first)), chosen))
    with tempfile.TemporaryDirectory(prefix="observed-", dir="/tmp") as name, registry(Path(name)) as host:
        built_images.push((built, f"{host}/all/debian/{one}:1") for one, built in names)
        with ready({"r.example": f"{host}/all"}) as podman:
            yield Place(podman, host, Path(name))


_KEPT = ("harden.lock", "profiles")  # what harden observe leaves in a tree


def _observe(where: Place, tree: Path, kept: Path, asked: argparse.Namespace) -> None:
    """Run ``harden observe`` over ``tree``; what it said and left goes to the folder ``kept``."""
    words: tuple[str, ...] = ("observe", ".", "--format", "json", "--budget", "120m")
    words += ("--seconds", str(asked.seconds)) if asked.seconds else ()
    words += ("--seccomp", "profiles") if asked.seccomp else ()
    began = time.monotonic()
    done = where.harden(*words, cwd=tree)
    took = time.monotonic() - began
    if not done.stdout:
        raise SystemExit(done.stderr)
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "observed.json").write_text(done.stdout, encoding="utf-8")
    (kept / "observed.txt").write_text(done.stderr, encoding="utf-8")
    subprocess.run(["cp", "-a", *(tree / name for name in _KEPT if (tree / name).exists()), kept], check=True)
    print(f"harden observe: {took:.0f} s, load {os.getloadavg()[0]:.1f}\n", flush=True)


def measure(where: Place, chosen: list[Packaged], asked: argparse.Namespace) -> list[Row]:
    """Observe, apply, let the clients work, and print what came of it."""
    tree = where.tree("tree", chosen, exercised=not asked.alone)
    kept = Path(asked.again or asked.keep or where.folder / "kept")
    if not asked.again:
        _observe(where, tree, kept, asked)
    subprocess.run(["cp", "-a", *(kept / name for name in _KEPT if (kept / name).exists()), tree], check=True)
    said = json.loads((kept / "observed.json").read_text(encoding="utf-8"))
    seen = {each["workload"].rpartition("/")[2]: each for each in said["workloads"]}
    seconds = seconds_of((kept / "observed.txt").read_text(encoding="utf-8"))
    graded = grades(tree)
    commit(tree)
    subprocess.run(["cp", "-a", tree, where.folder / "safe"], check=True)
    pods: dict[str, dict[str, Map]] = {}
    variants: list[tuple[str, Path, tuple[str, ...]]] = [("safe", where.folder / "safe", ("--max-grade", "safe"))]
    variants += [("applied", tree, ())]
    if asked.node:
        failed = {id for each in seen.values() for one in each["failed"] for id in one["changes"]}
        subprocess.run(["cp", "-a", tree, where.folder / "accepted"], check=True)
        options = tuple(word for id in sorted(failed) for word in ("--accept", id))
        variants += [("accepted", where.folder / "accepted", options)]
    for which, folder, more in variants:
        pods[which] = where.applied(folder, chosen, *more)
    if asked.keep:
        subprocess.run(["cp", "-a", tree, kept / f"tree-{int(time.time())}"], check=True)
    machine = Machine(where.podman, where.folder / "pods")
    if any(one.beside for one in chosen):
        machine.begin()

    def tried(one: Packaged) -> dict[str, str]:
        before = machine.problem(one, pod_of(manifests(one), one.name), "before", 3)
        if before:
            return {"before": before}  # the client is wrong, or the image
        said = {which: machine.problem(one, json.loads(json.dumps(pods[which][one.name])), which, asked.work)
                for which in pods}  # fmt: skip
        found = {which: problem for which, problem in said.items() if problem}
        more = superfluous(machine, one, pods["applied"][one.name]) if "applied" not in found else []
        return found | ({"superfluous": " ".join(more)} if more else {})

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        wrong = dict(zip((one.name for one in chosen), pool.map(tried, chosen), strict=True))

    def row(one: Packaged) -> Row:
        took, own = seconds.get(one.name, 0.0), graded.get(one.name, {})
        return judged(one, seen[one.name], took, own, pods["applied"][one.name], wrong[one.name])

    rows = list(map(row, chosen))
    _print(rows)
    if asked.seccomp:
        _print_profiles(machine, chosen, pods["applied"], seen, tree / "profiles", asked.work)
    if asked.node:
        _compare_with_a_node(where, chosen, pods, seen, wrong, asked.work)
    return rows


def _print_profiles(
    machine: Machine, chosen: list[Packaged], pods: Mapping[str, Map], seen: Mapping[str, Map], folder: Path,
    seconds: float,
) -> None:  # fmt: skip
    """Print how many system calls the profile of each lets through, and what its client says of its pod under that."""

    def line(one: Packaged) -> str:
        found = seen[one.name]["seccomp"].get("main") or {"because": "none was recorded"}
        if found["because"]:
            return f"  {one.name}: no profile: {found['because']}"
        file = folder / f"{namespace(one)}-{one.kind.lower()}-{one.name}-main.json"
        options = ("--security-opt", f"seccomp={file}")
        problem = machine.problem(one, json.loads(json.dumps(pods[one.name])), "profile", seconds, options)
        return f"  {one.name}: {len(found['calls'])} of {found['of']}: {problem or 'content'}"

    print("\nSystem calls of profiles, of those of RuntimeDefault, and the client under each:\n")
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        print("\n".join(pool.map(line, chosen)), end="\n\n", flush=True)


def _compare_with_a_node(
    where: Place, chosen: list[Packaged], pods: Mapping[str, Mapping[str, Map]], seen: Mapping[str, Map],
    wrong: Mapping[str, Mapping[str, str]], seconds: float,
) -> None:  # fmt: skip
    """Print, for each pod as ``harden apply`` leaves it and with what is held back, what podman and a kubelet say."""
    wanted = {(one.name, which): (one, pods[which][one.name]) for one in chosen for which in ("applied", "accepted")
              if which == "applied" or seen[one.name]["failed"]}  # fmt: skip
    with started() as node:
        machine = NodePods(node, where.host)
        machine.load(str(each["image"]) for _, pod in wanted.values() for each in containers_of(pod))
        found = machine.problems(wanted, seconds)
    print("\nOn a node, and beside it with podman:\n")
    for (name, which), problem in found.items():
        foretold = [each["because"] for each in seen[name]["failed"]]
        word = "content" if not problem else "as foretold" if _is_foretold(problem, foretold) else "otherwise"
        print(f"  {name} {which}: node {word}: {problem or '-'}")
        print(f"    podman: {wrong[name].get(which) or 'content'}; foretold: {'; '.join(foretold) or '-'}")
    print(flush=True)


def _is_foretold(problem: str, foretold: Iterable[str]) -> bool:
    """Whether the words that harden foretold, without who ends how, are those of the node."""
    ends = (each.rpartition(": ")[2] for each in foretold)
    return any(each and each[-40:] in problem for each in ends)


def _print(rows: list[Row]) -> None:
    def names(values: tuple[str, ...] | None) -> str:
        return "not dropped" if values is None else " ".join(values) or "-"

    heads = ("WORKLOAD", "STATE", "RUNS", "SECONDS", "SAFE", "FALSE", "NEEDLESS", "ADDS", "EXACT", "CLIENT")
    table: list[tuple[str, ...]] = [heads]
    for row in rows:
        client = ", ".join(each for each in row.wrong if each != "superfluous") or "content"
        cells = (row.name, row.state, str(row.runs), f"{row.seconds:.0f}", str(len(row.safe)), names(row.false))
        table.append((*cells, names(row.needless), names(row.adds), "yes" if row.exact else "no", client))
    widths = [max(len(row[at]) for row in table) for at in range(len(heads))]
    for line in table:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print()
    for row in rows:
        if row.wrong or row.false or row.needless or not row.exact or row.state not in ("held", "partly"):
            print(f"  {row.name}: held {' '.join(row.held) or '-'}: {row.reason}")
            for which, problem in row.wrong.items():
                print(f"    {which}: {problem}")
    holds, needless = sum(len(row.held) for row in rows), sum(len(row.needless) for row in rows)
    counts = Counter(row.state for row in rows)
    up = [row for row in rows if row.state in ("held", "partly")]
    seconds = [row.seconds for row in rows]
    print(
        f"\n{len(rows)} workloads: {dict(counts)}\n"
        f"safe: {sum(len(row.safe) for row in rows)} changes, false: {sum(len(row.false) for row in rows)}\n"
        f"held back: {holds}, needless: {needless} ({100 * needless / max(holds, 1):.0f} %)\n"
        f"capabilities exactly those needed: {sum(row.exact for row in up)} of {len(up)}"
        f" ({100 * sum(row.exact for row in up) / max(len(up), 1):.0f} %)\n"
        f"runs: median {statistics.median(row.runs for row in rows)}, most {max(row.runs for row in rows)}\n"
        f"seconds: median {statistics.median(seconds):.0f}, most {max(seconds):.0f}\n"
        f"a client that is not content with what apply leaves: {sum('applied' in row.wrong for row in rows)}",
        flush=True,
    )


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.observe.measure_workloads")
    known = {one.name: one for one in PACKAGED}
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--seconds", type=int, help="how long harden looks at each pod, also where it answers before")
    parser.add_argument("--work", type=int, default=60, help="how long a client works")
    parser.add_argument("--alone", action="store_true", help="no client is given to harden observe")
    parser.add_argument("--needs", action="store_true", help="find by the clients which capabilities each needs")
    parser.add_argument("--base", default=built_images.BASE, help="the image of a Debian")
    parser.add_argument("--seccomp", action="store_true", help="record profiles of system calls, and try them out")
    parser.add_argument("--node", action="store_true", help="run their pods on a node of Kubernetes, too")
    parser.add_argument("--keep", help="a folder for what harden said and left")
    parser.add_argument("--again", help="such a folder: harden observe is not run again")
    asked = parser.parse_args(words)
    chosen = [known[name] for name in asked.names] or list(PACKAGED)
    with mock.patch.object(services, "allow"), place(chosen, asked.base) as where:  # no test runs
        if asked.needs:
            machine = Machine(where.podman, where.folder / "pods")
            if any(one.beside for one in chosen):
                machine.begin()
            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                list(pool.map(lambda one: print(f"{one.name}: {needs(machine, one)}", flush=True), chosen))
            return 0
        rows = measure(where, chosen, asked)
    return 1 if any(row.false for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
