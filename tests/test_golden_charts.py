"""The golden cases of charts, with a real helm: every other one with Helm 3, the others with Helm 4.

Where helm is installed the golden runner runs them anyway; else it skips them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hardener.testing.golden import check

from . import helm
from .conftest import ROOT

CASES = sorted(path.parent for path in (ROOT / "golden" / "charts").rglob("before") if path.is_dir())
RUNS = [(3 + number % 2, case) for number, case in enumerate(CASES)]


@pytest.mark.helm
@pytest.mark.parametrize(("major", "case"), RUNS, ids=[f"{case.name}-helm-{major}" for major, case in RUNS])
def test_a_case_holds(major: int, case: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("PATH", f"{helm.program(major).parent}{os.pathsep}{os.environ['PATH']}")
    check(case, accept=bool(request.config.getoption("--harden-accept")))
