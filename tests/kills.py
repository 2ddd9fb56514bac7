"""Runs of harden that are ended by a signal while they write, and what is left of them.

A run is ended at a place and not at a time: just before the N-th thing that it does to files, counted from the moment
at which it makes its folder. Between two of them nothing on the disk changes: these are all the states that there are.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import DEPLOYMENT, commit, git, run, snapshot, write

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_CHILD = """
import os, signal, sys

at, number = int(sys.argv[1]), int(sys.argv[2])
begun, count = False, 0
CHANGES = {"os." + name for name in "mkdir rename link remove rmdir chmod chown utime setxattr removexattr".split()}
WRITES = os.O_WRONLY | os.O_RDWR


def hook(event, arguments):
    global begun, count
    begun = begun or (event == "os.mkdir" and str(arguments[0]).endswith(".harden-run"))
    if begun and (event in CHANGES or (event == "open" and arguments[2] & WRITES)):
        count += 1
        if count == at:
            os.kill(os.getpid(), number)


for each in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(each, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.addaudithook(hook)
sys.argv = ["harden", *sys.argv[3:]]
from hardener.cli import main

try:
    main()
finally:
    print("changes:", count, file=sys.stderr)
"""


@dataclass(frozen=True)
class Mode:
    """A command that writes: what it is run on, by names below a folder, the folder that it is started in, and the
    folders in which the next run looks for what a dead one left."""

    files: dict[str, str]
    command: list[str]
    start: str = "tree"
    repositories: tuple[str, ...] = ("tree",)
    next_runs: tuple[str, ...] = ("tree",)


@dataclass
class Seen:
    """What came of the kills of a mode."""

    total: int  # changes to files that a run makes
    before: int = 0  # how often all was as before the run, and how often as after it
    after: int = 0
    taken_back: int = 0  # how often the next run had something to take back
    wrong: list[str] = field(default_factory=list)


def _workloads(count: int) -> dict[str, str]:
    return {
        f"tree/{number % 10}/web{number}.yaml": DEPLOYMENT.replace("web", f"web{number}") for number in range(count)
    }


_SECRET = (
    "apiVersion: external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: {name: vault}\n"
    "spec: {provider: {vault: {server: https://vault.example.com, path: kv}}}\n---\n"
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata:\n  DB_PASSWORD: zq8Hk2planted0Lw7\n  LEVEL: info\n"
)
_KUBELET = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
_DIGEST = "sha256:" + "0" * 64
_LOCK = (
    f"version: 1\nimages:\n  gone.example.com/app:1:\n    digest: {_DIGEST}\n"
    "    mediaType: application/vnd.oci.image.index.v1+json\n"
)
_CASE = {
    "tree/golden/no-host-ipc/case/before/web.yaml": DEPLOYMENT.replace(
        "    spec:\n", "    spec:\n      hostIPC: true\n"
    ),
    "tree/golden/no-host-ipc/case/after/gone/old.yaml": "a: 1\n",
    "tree/golden/no-host-ipc/case/findings.txt": "old\n",
}


def modes(count: int) -> dict[str, Mode]:
    """Every way to write, ``apply`` over ``count`` files."""
    only = ["--only", "drop-capabilities,netpol-workload", "--quiet"]
    few = _workloads(6)
    beside = [*only, "--output-dir", "../out"]
    return {
        "apply": Mode(_workloads(count), ["apply", ".", *only]),
        "apply outside of Git": Mode(few, ["apply", ".", *only], repositories=()),
        "out-of-band": Mode(
            {**few, "tree/kubelet.yaml": _KUBELET, "host/README": "", "host/.git/HEAD": ""},
            ["apply", ".", "--quiet", "--out-of-band", "../host/nodes"],
            # Before its journal is written, a dead run is known in each repository by what it left there alone.
            next_runs=("tree", "host/next"),
        ),
        "secrets-out": Mode(
            {**few, "tree/app.yaml": _SECRET},
            [
                "apply",
                ".",
                "--only",
                "secret-configmap-move,drop-capabilities",
                "--quiet",
                "--secrets-out",
                "../values",
            ],
        ),
        "copies": Mode(few, ["apply", ".", *beside], next_runs=("out",)),
        "copies in the repository": Mode(few, ["apply", "1", *only, "--output-dir", "out"]),
        "json-patch": Mode(few, ["apply", ".", "--output", "json-patch", *beside], next_runs=("out",)),
        "kustomize": Mode(few, ["apply", ".", "--output", "kustomize", *beside], next_runs=("out",)),
        "lock": Mode({"tree/app.yaml": _SECRET, "tree/harden.lock": _LOCK}, ["lock", "."]),
        "baseline": Mode({**few, "tree/harden.baseline": "old\n"}, ["baseline", "write", "."]),
        "golden accept": Mode(_CASE, ["golden", "accept", "golden"]),
        "filter --report": Mode({"tree/report.txt": "old\n"}, ["filter", "--report", "report.txt"]),
    }


def _start(mode: Mode, folder: Path, at: int, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _CHILD, str(at), str(number), *mode.command],
        cwd=folder / mode.start, input=DEPLOYMENT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def trial(mode: Mode, folder: Path, kills: Callable[[int], Iterator[tuple[int, int]]], again: int = 1) -> Seen:
    """Run ``mode`` in copies below ``folder`` and end it at each of ``kills``, which says how many changes a run makes
    and gets the number of the change and of the signal; then look at what the next run leaves. Behind every
    ``again``-th the run is made once more."""
    first = folder / "first"
    write(first, mode.files)
    for name in mode.repositories:
        commit(first / name)
    fresh, work = folder / "fresh", folder / "work"
    shutil.copytree(first, fresh, symlinks=True)
    done = _start(mode, first, 0, 0)
    assert done.returncode == 0, done.stdout + done.stderr
    before, after = snapshot(fresh), snapshot(first)
    assert before != after and not any(".harden-run" in name for name in after)
    seen = Seen(int(done.stderr.rpartition("changes:")[2]))
    for turn, (at, number) in enumerate(kills(seen.total)):
        shutil.copytree(fresh, work, symlinks=True)
        done = _start(mode, work, at, number)
        wrong = _look(mode, work, seen, (before, after), dead=number == signal.SIGKILL, again=turn % again == 0)
        if wrong:
            name = signal.Signals(number).name
            seen.wrong.append(f"{name} before change {at} of {seen.total}: {wrong}\n{done.stderr[-300:]}")
        shutil.rmtree(work)
    return seen


_Snapshot = dict[str, tuple[int, bytes]]


def _look(mode: Mode, work: Path, seen: Seen, states: tuple[_Snapshot, _Snapshot], *, dead: bool, again: bool) -> str:
    """What is wrong with the tree that was left, "" where nothing is."""
    left = [path for path in work.rglob(".harden-run") if ".git" not in path.parts]
    if left and not dead:
        return f"{left} is left, although the run could clean up"
    for name in mode.repositories:
        shown = git(work / name, "status", "--porcelain", "--untracked-files=all").stdout
        if b".harden-run" in shown:
            return f"Git sees the folder of the run: {shown!r}"
    if left:
        # Another command that writes: it reads no file of the tree, and finishes what the dead run began.
        for name in mode.next_runs:
            said = run("filter", "--report", f"{name}-other.txt", cwd=work, stdin=b"a: 1\n")
            inside = run("filter", "--report", "other.txt", cwd=work / mode.start, stdin=b"a: 1\n")
            seen.taken_back += "taken back" in said.err + inside.err
            (work / f"{name}-other.txt").unlink()
            (work / mode.start / "other.txt").unlink()
    found = snapshot(work)
    if [*work.rglob("*.tmp")] or any(".harden-run" in name for name in found):
        return "a stray file"
    if found not in states:
        return f"mixed: {sorted(name for name, _ in found.items() ^ states[0].items())}"
    seen.before += found == states[0]
    seen.after += found == states[1]
    if again and found == states[0]:
        done = run(*mode.command, cwd=work / mode.start, stdin=DEPLOYMENT.encode())
        if done.status != 0 or snapshot(work) != states[1]:
            return f"the same run again ends with {done.status}: {done.all[-300:]}"
    return ""
