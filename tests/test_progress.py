"""What the bar says: the phase, how many of how many, and a short path."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.commands import progress

from .conftest import DEPLOYMENT, Harden, write


def said(bar: progress.Progress) -> str:
    assert bar._bar is not None
    return bar._bar.tasks[0].description


def test_the_bar_says_phase_count_and_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.chdir(tmp_path)
    with progress.Progress() as bar:
        progress.phase(bar, "reading")(str(tmp_path / "k8s" / "web.yaml"))
        assert said(bar) == "reading 1 k8s/web.yaml"
        decide, prove = progress.phase(bar, "deciding", 3), progress.later(bar, "proving")
        decide("cpu-limit")
        assert said(bar) == "deciding 1 of 3 cpu-limit"
        for name in ("a.yaml", "b.yaml"):
            prove(name)
        assert said(bar) == "proving 2 b.yaml"
        progress.said(bar)("render 7")
        assert said(bar) == "render 7"
        progress.phase(bar, "deciding", 3)("cpu-limit")
        assert said(bar) == "deciding 1 of 3 cpu-limit"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("web.yaml", "web.yaml"),
        ("CWD/k8s/web.yaml", "k8s/web.yaml"),
        ("/elsewhere/web.yaml", "/elsewhere/web.yaml"),
        ("a/" * 40 + "web.yaml", "…" + ("a/" * 40 + "web.yaml")[-47:]),
        ("a\033[2Jb.yaml", "a\\x1b[2Jb.yaml"),
    ],
)
def test_a_path_is_short(name: str, shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert progress.short(name.replace("CWD", str(tmp_path))) == shown


def test_a_run_has_three_phases(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "api.yaml": DEPLOYMENT.replace("web", "api")})
    begun: list[tuple[str, int | None]] = []
    monkeypatch.setattr(progress.Progress, "begin", lambda self, name, total=None: begun.append((name, total)))
    assert harden("check").status == 1
    names = [name for name, _ in begun]
    assert names == ["reading", "deciding", "proving"] and (begun[1][1] or 0) > 100
