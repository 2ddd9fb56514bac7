"""The time of a session: read, estimated, said beforehand, and what is kept of workloads whatever ends it."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path

import pytest

from hardener.observe.results import Failure, Result
from hardener.observe.time_budget import Budget, OverError, default, estimate, read, said
from hardener.report.observed import finished_line

from .test_sessions import READ_ONLY, Bench, bench_in, workload


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600), ("90s", 90), ("1h", 3600), ("1h30m", 5400), ("2m5s", 125), ("", None), ("0m", None), ("10", None),
        ("m", None), ("-1m", None), ("5m1h", None), ("1 h", None), ("99999999m", None),
    ],
)  # fmt: skip
def test_a_time_is_hours_minutes_and_seconds(text: str, seconds: float | None) -> None:
    assert read(text) == seconds


@pytest.mark.parametrize(("seconds", "whole"), [(20, 600), (150, 600), (600, 2400)])
def test_a_tree_has_ten_minutes_or_four_looks(seconds: int, whole: float) -> None:
    assert default(seconds) == whole


def test_an_estimate_grows_with_the_workloads_and_not_with_those_side_by_side() -> None:
    assert estimate(0, 20, 4) == 0
    assert estimate(1, 20, 4) == estimate(4, 20, 4) < estimate(5, 20, 4) == estimate(5, 20, 4)
    assert estimate(9, 20, 1) > 2 * estimate(9, 20, 4)


@pytest.mark.parametrize(("seconds", "text"), [(12.2, "12 s"), (89, "89 s"), (170, "3 minutes")])
def test_a_time_is_said(seconds: float, text: str) -> None:
    assert said(seconds) == text


def test_a_budget_ends_waits() -> None:
    budget = Budget(0)
    assert isinstance(budget, threading.Event) and not budget.wait(0), "it has not begun"
    budget.begin()
    with pytest.raises(OverError):
        budget.wait(0)
    budget.set()
    assert budget.wait(0), "somebody has ended it"


@pytest.mark.parametrize(
    ("state", "failed", "text"),
    [
        ("held", (), "comes up with every change"),
        ("partly", ("run-as-user", "cpu-limit"), "does not come up with run-as-user, cpu-limit"),
        ("partly", (), "is not known to come up with every change"),
        ("not-as-it-is", (), "does not come up as it is"),
        ("not-run", (), "not hardened"),
    ],
)  # fmt: skip
def test_a_workload_has_a_line(state: str, failed: tuple[str, ...], text: str) -> None:
    result = Result("Deployment/web", "shop", "web.yaml", 1, state, runs=3)
    result.failed = [Failure((id,), "cannot") for id in failed]
    assert finished_line(result, "1 of 9", 31.4) == f"1 of 9: shop/Deployment/web {text} (3 runs, 31 s)"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_in(tmp_path)


@pytest.mark.slow
def test_each_workload_has_a_line_without_a_terminal(bench: Bench) -> None:
    bench.write(workload("web"), workload("other"))
    done = bench.run()
    first, *lines = done.stderr.splitlines()
    assert first.startswith("2 workloads, about ")
    assert {line.partition(" (")[0].partition(": ")[2] for line in lines} == {
        "Deployment/web comes up with every change", "Deployment/other comes up with every change",
    }  # fmt: skip
    assert [line.partition(":")[0] for line in lines] == ["1 of 2", "2 of 2"]


@pytest.mark.slow
def test_what_the_time_does_not_reach_is_said_and_the_rest_is_kept(bench: Bench) -> None:
    probe = "          readinessProbe: {exec: {command: [a]}, initialDelaySeconds: 600}\n"
    bench.write(workload("web"), workload("late", image="late", more=probe), images="web late")
    found = bench.observe("--budget", "5s")
    assert (found["Deployment/late"]["state"], found["Deployment/late"]["held"]) == ("not-run", [])
    assert "--budget" in found["Deployment/late"]["reason"]


@pytest.mark.slow
def test_a_budget_that_is_no_time(bench: Bench) -> None:
    done = bench.run("--budget", "soon")
    assert done.returncode == 2
    assert done.stderr == "harden: --budget soon: this is no time: write one such as 90s, 10m or 1h\n"


def line_of(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(text)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGHUP])
def test_what_is_known_of_a_workload_is_kept_whatever_ends_the_run(bench: Bench, sign: signal.Signals) -> None:
    probe = "          readinessProbe: {exec: {command: [a]}, initialDelaySeconds: 2}\n"
    bench.write(workload("web"), workload("slow", image="slow", more=probe), images="web slow")
    bench.say({"image": "/slow", "fails": [[READ_ONLY]], "log": "cannot"})
    process = subprocess.Popen(
        bench.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=bench.environment,
        cwd=bench.tree, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )  # fmt: skip
    with process:
        line_of(process, "Deployment/web comes up with every change")
        process.send_signal(sign)
        process.communicate(timeout=60)
    lock = bench.lock()
    assert lock.count("came up") == 0 and "workload: Deployment/web" in lock and "held:" in lock
    if sign != signal.SIGKILL:
        bench.is_clean()
        assert "workload: Deployment/slow" in lock


@pytest.mark.slow
def test_a_check_keeps_nothing(bench: Bench) -> None:
    before = bench.lock()
    bench.observe("--check")
    assert bench.lock() == before
