"""What a run sees of another one: of one that was killed while it wrote, and of one that runs at the same time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hardener.sources.files import run_folder
from tests import kills
from tests.conftest import DEPLOYMENT, commit, run, snapshot, write

SAID = "harden: .harden-run: a run was killed here while it wrote, so some files are as it made them and others are not"
ONLY = ["--only", "drop-capabilities", "--quiet"]
FILES = {f"tree/{name}.yaml": DEPLOYMENT.replace("web", name) for name in "abcd"}
ALL = os.environ.get("HARDEN_CASES") == "all"


@pytest.mark.slow
def test_who_reads_hears_first_that_a_tree_is_mixed(tmp_path: Path) -> None:
    mode = kills.Mode(FILES, ["apply", ".", *ONLY])
    first = tmp_path / "first"
    write(first, mode.files)
    commit(first / "tree")
    done = kills._start(mode, shutil.copytree(first, tmp_path / "whole"), 0, 0)
    total, after = int(done.stderr.rpartition("changes:")[2]), snapshot(tmp_path / "whole")
    before = snapshot(first)
    mixed = 0
    for at in range(1, total + 1, 3):
        work = shutil.copytree(first, tmp_path / str(at))
        kills._start(mode, work, at, signal.SIGKILL)
        left = {name: found for name, found in snapshot(work).items() if ".harden-run" not in name}
        is_mixed = left not in (before, after)
        if not (is_mixed or ALL or at % 9 == 1):  # the others are alike
            continue
        for command in (["diff", "."], ["check", ".", "--format", "sarif"], ["graph", "."]):
            done_reading = run(*command, cwd=work / "tree")
            if is_mixed:
                assert done_reading.err.startswith(SAID), (at, command, done_reading.err)
        assert {name: one for name, one in snapshot(work).items() if ".harden-run" not in name} == left
        mixed += is_mixed
        assert run("apply", ".", *ONLY, cwd=work / "tree").status == 0
        assert snapshot(work) == after and "was killed" not in run("diff", ".", cwd=work / "tree").err
        shutil.rmtree(work)
    assert mixed  # else the test shows nothing


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
@pytest.mark.parametrize("count", [2, 3])
def test_the_second_run_goes_on_when_the_first_is_done(count: int, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    commit(tmp_path / "tree")
    tree = tmp_path / "tree"
    program = "from hardener.cli import main; main()"
    with run_folder.alone(str(tree)):  # so that all of them are there before the first one reads
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", program, "apply", ".", *ONLY], cwd=tree, stderr=subprocess.PIPE, text=True
            )
            for _ in range(count)
        ]
        for each in runs:
            assert each.stderr is not None
            assert each.stderr.readline() == "harden: waiting for another run\n"
    said = [each.communicate(timeout=120)[1] for each in runs]
    assert [each.returncode for each in runs] == [0] * count, said
    assert all("changed while" not in text for text in said)
    assert all("drop:" in (tree / f"{name}.yaml").read_text() for name in "abcd")
    assert run("diff", ".", *ONLY, cwd=tree).status == 0
