"""docs/terraform.md: its file, the change of it, its findings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import commit, run
from .shown import block, hold, read

PAGE = "docs/terraform.md"
HEADING = "Workloads"


@pytest.fixture
def report(tmp_path: Path) -> str:
    """What the command of the page prints for its file."""
    (tmp_path / "main.tf").write_text(block(PAGE, "hcl", HEADING), encoding="utf-8")
    commit(tmp_path)
    command = re.search(r"`harden (diff --only [^`]+)`", read(PAGE))
    assert command is not None
    done = run(*command[1].split(), cwd=tmp_path)
    assert done.status == 1, done.err
    return done.out + "\n" + done.err  # the patch, and the report beside it


def test_the_change_is_that_of_a_real_run(report: str, request: pytest.FixtureRequest) -> None:
    patch = report[report.index("--- a/main.tf") :].partition("\n\nharden ")[0] + "\n"
    hold(request, PAGE, block(PAGE, "diff", HEADING), patch)


def test_the_findings_are_those_of_a_real_run(report: str, request: pytest.FixtureRequest) -> None:
    found = report[min(report.index(part) for part in ("Not made", "Needs manual work") if part in report) :]
    hold(request, PAGE, block(PAGE, "text", HEADING), found.rpartition("\n\n")[0] + "\n")
