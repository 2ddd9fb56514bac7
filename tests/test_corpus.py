"""The corpus of real repositories: nothing is broken, lost or touched without need, and twice is once."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import CORPUS, Tree, lone_comments, run, shared, snapshot

SMALL = ("bad-pods", "microservices-demo", "podinfo")


@pytest.mark.parametrize("name", SMALL)
def test_all_invariants_hold(name: str) -> None:
    command = [sys.executable, str(shared("tools", "invariants")), "--profile", "restricted",
               "--harden", f"{shlex.quote(sys.executable)} -m hardener", str(shared("corpus", name))]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "all invariants hold", done.stdout + done.stderr


@pytest.mark.parametrize("name", CORPUS)
def test_a_second_run_changes_nothing(name: str, corpus: Callable[[str], Tree]) -> None:
    tree = corpus(name)
    again = run("apply", ".", cwd=tree.folder)
    assert again.status == 0
    assert snapshot(tree.folder) == tree.after
    assert run("diff", ".", cwd=tree.folder).status == 0


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_else_is_touched(name: str, corpus: Callable[[str], Tree]) -> None:
    tree = corpus(name)
    assert tree.before.keys() == tree.after.keys()
    assert tree.report["refused"] == [] or name not in SMALL
    for file, (mode, content) in tree.after.items():
        old_mode, old = tree.before[file]
        assert mode == old_mode
        if content != old:
            assert content.count(b"\r\n") == old.count(b"\r\n") or content.count(b"\r\n") == content.count(b"\n")
            assert content.endswith(b"\n") == old.endswith(b"\n")
            assert lone_comments(content.decode()) == lone_comments(old.decode()), file


@pytest.mark.parametrize("name", CORPUS)
def test_no_crash_and_no_warning(name: str, corpus: Callable[[str], Tree]) -> None:
    tree = corpus(name)
    assert tree.diff.err == ""
    assert tree.diff.status == 1
