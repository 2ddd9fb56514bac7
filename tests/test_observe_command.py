"""``harden observe`` before and after a run, with a program in the place of the engine: what ``--check`` asks nobody
for, and what is left of a run that died."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from hardener.lock import writer
from hardener.lock.observed import Observation, runs_of
from hardener.lock.oci.registry_error import RegistryError
from hardener.observe import engine
from hardener.observe.container_activity import Activity
from hardener.observe.results import Result
from hardener.report.observed import Observed, lines_of

from .conftest import commit, run, write

DIGEST = f"sha256:{'a' * 64}"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  containers:
  - {name: main, image: acme/app:1}
"""
NODE = POD.replace("NAME", "agent").replace("spec:\n", "spec:\n  hostNetwork: true\n")
# Answers as podman does: a container whose runtime is gone is not removed.
PODMAN = """\
#!/bin/sh
echo "$*" >> FOLDER/asked
case "$*" in
  *info*) echo '{"version": {"Version": "5.4.2"}, "host": {"ociRuntime": {"path": "/usr/sbin/runc"}}}' ;;
  *"ps -a --filter"*) [ ! -e FOLDER/there ] || echo '[{"Labels": {"hardener.dev/observe": "DEAD"}}]' ;;
  *"ps -a"*) [ ! -e FOLDER/there ] || echo 0123456789ab ;;
  *inspect*OCIRuntime*) echo RUNTIME ;;
  *" rm -f"*) [ -x RUNTIME ] && rm FOLDER/there ;;
esac
"""


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder of PATH where programs of the tests may lie: git is there, and no engine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("git", "rm"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def tree(folder: Path, seen: tuple[str, ...], *manifests: str) -> Path:
    """A repository with ``manifests``, and a lock that tells of the arguments ``seen`` of the image of ``POD``."""
    write(folder, {f"k8s/{number}.yaml": text for number, text in enumerate(manifests)})
    commit(folder)
    found = Observation(DIGEST, runs_of((), seen, ()), "Pod/web", "main", "2026-11-28", "podman 5.4.2", 20)
    image = f"version: 1\nimages:\n  acme/app:1:\n    digest: {DIGEST}\n    config: {{}}\n"
    write(folder, {"harden.lock": image})
    writer.save_observed(str(folder), {"acme/app:1": [found]})
    return folder


WEB = POD.replace("NAME", "web")


@pytest.mark.parametrize(
    ("manifests", "said"),
    [
        ((WEB,), "harden.lock tells of 1 workload: nothing was run\n"),
        ((WEB, NODE), "harden.lock tells of 1 workload: nothing was run; 1 workload cannot be run\n"),
    ],
    ids=["all are in the lock", "what cannot be run is nothing to run"],
)
def test_a_check_asks_no_engine_where_the_lock_fits(
    manifests: tuple[str, ...], said: str, tmp_path: Path, no_engine: Path
) -> None:
    folder = tree(tmp_path / "tree", (), *manifests)
    done = run("observe", "k8s", "--check", cwd=folder)
    assert (done.status, done.out) == (0, said), done.all


def test_a_check_without_an_engine_ends_with_2_where_the_lock_does_not_fit(tmp_path: Path, no_engine: Path) -> None:
    done = run("observe", "k8s", "--check", cwd=tree(tmp_path / "tree", ("--other",), WEB))
    assert done.status == 2 and not done.out
    assert (
        done.err.startswith("harden: there is no container engine: ") and "does not tell of all workloads" in done.err
    )


def fake(folder: Path, dead: str = "", runtime: Path = Path()) -> None:
    """An engine with what the run ``dead`` left, whose container was started by ``runtime``."""
    text = PODMAN.replace("FOLDER", str(folder)).replace("DEAD", dead).replace("RUNTIME", str(runtime))
    write(folder, {"bin/podman": text})
    (folder / "bin" / "podman").chmod(0o755)


def test_a_check_that_can_run_nothing_ends_with_2(tmp_path: Path, no_engine: Path) -> None:
    fake(tmp_path)
    done = run("observe", "k8s", "--check", cwd=tree(tmp_path / "tree", (), NODE))
    assert done.status == 2 and "it needs the node: hostNetwork: Pod/agent" in done.out, done.all


def test_what_is_not_kept_is_said() -> None:
    cut = Result("Pod/cut", None, "pods.yaml", 1, "held")
    done = Result("Pod/done", None, "pods.yaml", 9, "held")
    cut.containers.append(("main", "localhost/mine:1", None, Activity()))
    told = "nothing is kept of localhost/mine:1, which has no digest: no registry has it"
    lines = list(lines_of(Observed("podman 5.4.2", 20, [cut, done])))
    assert f"  Pod/cut: {told}" in lines and lines[-1] == "Nothing was written."


def test_what_was_not_tried_to_the_end_is_not_called_done() -> None:
    cut = Result("Pod/cut", None, "pods.yaml", 1, "partly", "the run ended before")
    done = Result("Pod/done", None, "pods.yaml", 9, "held")
    lines = list(lines_of(Observed("podman 5.4.2", 20, [cut, done], interrupted=True)))
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  Pod/")}
    assert rows["Pod/cut"][:2] == ["yes", "-"] and rows["Pod/done"][:4] == ["yes", "nothing", "to", "do"]
    assert "  Pod/cut: the run ended before" in lines and "Interrupted: nothing is kept." in lines


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="programs with #!")
def test_a_dead_run_is_removed_though_its_runtime_is_gone(
    tmp_path: Path, no_engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    dead = f"{os.geteuid()}.{os.getpid()}.1"  # this process began at another time
    runtime = tmp_path / "temporary" / f"harden-observe-{dead}-abc" / "runc"
    write(tmp_path, {"there": ""})
    fake(tmp_path, dead, runtime)
    found = engine.Engine.found("podman", str(tmp_path / "tree"))
    found.clear_dead()
    assert not (tmp_path / "there").exists(), (tmp_path / "asked").read_text()
    found.clear()
    assert not list((tmp_path / "temporary").iterdir())


def test_a_check_runs_what_the_lock_does_not_tell_of(
    tmp_path: Path, no_engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path)
    other = POD.replace("NAME", "other").replace("acme/app:1", "acme/other:1")
    elsewhere = WEB.replace("name: web", "name: web, namespace: shop")

    def nobody(*asked: object) -> None:
        raise RegistryError("acme/other:1 is not there")

    monkeypatch.setattr("hardener.observe.images.look_up", nobody)
    done = run("observe", "k8s", "--check", cwd=tree(tmp_path / "tree", (), elsewhere, other))
    assert done.status == 2 and "Pod/other" in done.out and "Pod/web" not in done.out, done.all
