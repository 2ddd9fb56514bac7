"""``harden fleet report`` of files that a test writes: what is counted, what changed between runs, what failed, and
what hostile names come to."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hardener.fleet import store

from .conftest import Harden
from .fleet_files import done, entry, failed, write

SHOP, BLOG, OLD = (f"https://example.com/{name}.git" for name in ("shop", "blog", "old"))
PRIVILEGED = entry("no-privileged", severity="critical", team="@shop/core")
MEMORY = entry("memory-limit", severity="medium", grade="review")
HELD = entry("read-only-root", "held", "breaking", object="Deployment/shop/db")
TOKEN = entry("secret-in-env", "finding", None, team="@shop/core @shop/audit")
WAIVED = entry("run-as-user", "waived", "review")


@pytest.fixture
def fleet(tmp_path: Path) -> str:
    """Three runs: in the second a point of the shop is new and one is gone; in the third the blog fails."""
    runs: list[Mapping[str, store.Result]] = [
        {SHOP: done(PRIVILEGED, MEMORY, WAIVED), BLOG: done(PRIVILEGED)},
        {SHOP: done(PRIVILEGED, HELD, WAIVED), BLOG: done(PRIVILEGED)},
        {SHOP: done(PRIVILEGED, HELD, TOKEN, WAIVED), BLOG: failed("does not answer"), OLD: done(PRIVILEGED)},
    ]
    return str(write(tmp_path / "fleet.db", runs))


def told(harden: Harden, fleet: str, *options: str) -> dict[str, Any]:
    done = harden("fleet", "report", "--db", fleet, "--format", "json", *options)
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_the_trend_counts_what_is_new_and_gone_run_by_run(fleet: str, harden: Harden) -> None:
    names = ("number", "done", "failed", "open", "new", "gone")
    runs = [tuple(run[name] for name in names) for run in told(harden, fleet)["runs"]]
    assert runs == [
        (3, 2, 1, 4, 2, 0),  # the blog failed: none of its points is open, new or gone
        (2, 2, 0, 3, 1, 1),
        (1, 2, 0, 3, 3, 0),
    ]


def test_points_that_come_back_after_a_failure_are_not_new(tmp_path: Path, harden: Harden) -> None:
    path = write(
        tmp_path / "fleet.db", [{SHOP: done(PRIVILEGED)}, {SHOP: failed("x")}, {SHOP: done(PRIVILEGED, MEMORY)}]
    )
    last = told(harden, str(path))["runs"][0]
    assert (last["open"], last["new"], last["gone"]) == (2, 1, 0)


def test_a_waived_point_is_gone_and_one_that_waits_is_the_same(tmp_path: Path, harden: Harden) -> None:
    waits, waived = (entry("no-privileged", state) for state in ("held", "waived"))
    runs = [{SHOP: done(PRIVILEGED)}, {SHOP: done(waits)}, {SHOP: done(waived)}]
    found = told(harden, str(write(tmp_path / "fleet.db", runs)))["runs"]
    assert [(run["open"], run["new"], run["gone"]) for run in found] == [(0, 0, 1), (1, 0, 0), (1, 1, 0)]


@pytest.mark.parametrize(
    ("by", "expected"),
    {
        "team": [
            ("@shop/core", 1, 0, 1, 0, 1, 1), ("no team", 1, 1, 0, 1, 1, 2), ("@shop/audit", 0, 0, 1, 0, 0, 1),
        ],
        "repository": [(SHOP, 1, 1, 1, 1, 1, 1), (OLD, 1, 0, 0, 0, 1, 1)],
        "grade": [
            ("safe", 2, 0, 0, 0, 2, 2), ("review", 0, 0, 0, 1, 0, 1), ("breaking", 0, 1, 0, 0, 0, 1),
            ("no grade", 0, 0, 1, 0, 0, 1),
        ],
        "severity": [("critical", 2, 0, 0, 0, 2, 2), ("high", 0, 1, 1, 1, 0, 1)],
    }.items(),
)  # fmt: skip
def test_points_are_counted_by(by: str, expected: list[tuple[Any, ...]], tmp_path: Path, harden: Harden) -> None:
    of_old = entry("no-privileged", severity="critical")
    run = {SHOP: done(PRIVILEGED, HELD, TOKEN, WAIVED), BLOG: failed("x"), OLD: done(of_old)}
    names = ("name", "pending", "held", "finding", "waived", "critical", "repositories")
    found = told(harden, str(write(tmp_path / "fleet.db", [run])))["counts"][by]
    assert [tuple(count[name] for name in names) for count in found] == expected


def test_waves_are_the_safest_first_and_of_these_the_most_frequent(tmp_path: Path, harden: Harden) -> None:
    other = entry("no-privileged", object="Pod/shop/one", severity="critical")
    seldom = entry("always-pull-images")
    run = {SHOP: done(PRIVILEGED, other, MEMORY, seldom, HELD, TOKEN), BLOG: done(PRIVILEGED), OLD: done(MEMORY)}
    found = told(harden, str(write(tmp_path / "fleet.db", [run])))["waves"]
    assert [tuple(wave.values()) for wave in found] == [
        ("no-privileged", "safe", 2, 3), ("always-pull-images", "safe", 1, 1), ("memory-limit", "review", 2, 2),
    ]  # fmt: skip


def test_a_run_is_shown_by_its_number_with_the_failed_ones_by_name(fleet: str, harden: Harden) -> None:
    found = told(harden, fleet)
    (broken,) = (each for each in found["repositories"] if each["reason"])
    assert (broken["name"], broken["reason"]) == (BLOG, "does not answer") and broken["last"].endswith("Z")
    assert {row["repository"] for row in found["rows"]} == {SHOP, OLD}
    assert len(told(harden, fleet, "--run", "1")["rows"]) == 4
    refused = harden("fleet", "report", "--db", fleet, "--run", "9")
    assert refused.status == 2 and refused.err.startswith("harden: --run 9: ")


def test_the_text_says_what_is_next_and_what_failed(fleet: str, harden: Harden) -> None:
    text = harden("fleet", "report", "--db", fleet).out
    assert text.startswith("3 repositories, 5 points; run 3, finished ")
    waves, _, rest = text.partition("By team")
    assert "no-privileged  safe               2        2" in waves
    assert rest.endswith(f"reason\n  {BLOG}  {told(harden, fleet)['repositories'][0]['last']}  does not answer\n")


def test_an_unfinished_run_says_that_it_is(tmp_path: Path, harden: Harden) -> None:
    path = write(tmp_path / "fleet.db", [{SHOP: done(PRIVILEGED)}], finish=False)
    assert ", not finished\n" in harden("fleet", "report", "--db", str(path)).out
    assert ", not finished, " in harden("fleet", "report", "--db", str(path), "--format", "html").out


def test_the_csv_has_a_row_for_each_point_and_says_that_some_failed(fleet: str, harden: Harden) -> None:
    made = harden("fleet", "report", "--db", fleet, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(made.out)))
    assert len(rows) == 5 and {row["team"] for row in rows} == {"", "'@shop/core", "'@shop/core @shop/audit"}
    assert all(row["first_seen"].endswith("Z") for row in rows)
    assert made.err == "harden: 1 repository failed; the table has no row of it; --format text names them\n"


SECRET = "ghp_" + "a1B2c3D4" * 4 + "e5F6"
HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m\u202e"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    """A file whose names mean something to a browser, a terminal, a runner of jobs, and a spreadsheet."""
    odd = entry("no-privileged", file=f"{HOSTILE}.yaml", object=f"Pod/{HOSTILE}/x", team=FORMULA)
    runs = [{
        "https://me:s3cretpw@example.com/x.git": done(odd),
        "ext::sh -c touch% /tmp/x": done(entry("no-privileged", file=FORMULA)),
        f"/srv/{HOSTILE}@2": done(odd),
        SHOP: failed(f"{HOSTILE} https://me:s3cretpw@example.com/shop {SECRET}\n::error::x"),
    }]  # fmt: skip
    return str(write(tmp_path / "hostile.db", runs))


@pytest.mark.parametrize("format", ["text", "html", "json", "csv"])
def test_hostile_names_are_text_and_no_secret_is_shown(format: str, hostile: str, harden: Harden) -> None:
    out = harden("fleet", "report", "--db", hostile, "--format", format).out
    for bad in ("s3cretpw", SECRET, "ext::sh", "\x1b", "\u202e", "\n::error"):
        assert bad not in out, bad
    if format == "html":
        assert "<img" not in out and out.count("</script>") == 2  # the points, and the script
    if format == "csv":
        assert {row["team"] for row in csv.DictReader(io.StringIO(out))} == {"", f"'{FORMULA}"}


def test_a_path_is_shown_as_it_is(tmp_path: Path, harden: Harden) -> None:
    paths = ["/srv/a::b", "/srv/c@d:e"]
    write(tmp_path / "harden-fleet.db", [{path: done(entry("no-privileged")) for path in paths}])
    found = json.loads(harden("fleet", "report", "--format", "json").out)
    assert [each["name"] for each in found["repositories"]] == paths


@pytest.mark.parametrize(
    ("statement", "message"),
    {
        "UPDATE entry SET severity = 'odd'": "a row is not as harden fleet run writes it",
        "UPDATE entry SET grade = 'odd'": "a row is not as harden fleet run writes it",
        "UPDATE entry SET file = x'00'": "a row is not as harden fleet run writes it",
        "UPDATE run SET started = x'05'": "a row is not as harden fleet run writes it",
        "DELETE FROM run": "has no run; harden fleet run makes one",
        "PRAGMA user_version = 9": "was written by another version of harden, with tables 9 and not 1",
        "DROP TABLE seen": "is the file of another program; name another one",
    }.items(),
)
def test_a_file_that_is_not_as_it_should_be_is_refused_in_a_line(
    statement: str, message: str, tmp_path: Path, harden: Harden
) -> None:
    path = write(tmp_path / "fleet.db", [{SHOP: done(PRIVILEGED)}])
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    made = harden("fleet", "report", "--db", "fleet.db")
    assert (made.status, made.err) == (2, f"harden: fleet.db: {message}\n")


def test_a_missing_file_is_named(harden: Harden) -> None:
    made = harden("fleet", "report")
    assert (made.status, made.err) == (
        2, "harden: harden-fleet.db: there is no such file; harden fleet run writes it\n",
    )  # fmt: skip
