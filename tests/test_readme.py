"""README.md says what the program does: what it prints, the two commands, and no more than fits."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .conftest import ROOT, commit, run
from .shown import block, hold, read

PAGE = "README.md"
SHOWN = "What it looks like"
MOST = 8192  # bytes


def test_it_is_short() -> None:
    assert len(read(PAGE).encode()) <= MOST


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example in a repository."""
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    commit(tmp_path)
    return tmp_path


def hunk(report: str) -> str:
    """The hunk that takes away ``privileged``, and the lines of its file above it."""
    lines = report.splitlines(keepends=True)
    patch = lines.index("diff --git a/shop/api.yaml b/shop/api.yaml\n")
    gone = next(number for number, line in enumerate(lines) if line.startswith("-") and "privileged: true" in line)
    start = max(number for number in range(patch, gone) if lines[number].startswith("@@"))
    end = next(
        number
        for number in range(gone, len(lines))
        if lines[number].startswith(" ---") or lines[number][0] not in " +-"
    )
    return "".join((*lines[patch : patch + 3], *lines[start:end]))


def test_the_diff_is_that_of_a_real_run(shop: Path, request: pytest.FixtureRequest) -> None:
    done = run("diff", "shop", cwd=shop)
    assert done.status == 1, done.err
    hold(request, PAGE, block(PAGE, "diff", SHOWN), hunk(done.all))


def test_the_example_is_hardened_and_stays_so(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    assert run("apply", "examples", "--quiet", "--yes", cwd=tmp_path).status == 0
    assert run("diff", "examples", "--quiet", cwd=tmp_path).status == 0


@pytest.mark.parametrize(("page", "heading"), [(PAGE, "Try it"), ("docs/install.md", "From a checkout")])
def test_the_two_commands_are_there_and_can_be_run(page: str, heading: str) -> None:
    for line in block(page, "sh", heading).splitlines():
        assert os.access(ROOT / line.split()[0], os.X_OK), line
