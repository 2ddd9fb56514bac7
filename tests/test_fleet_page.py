"""The page of many repositories in a real Chromium, from ``file://``: what its filters leave, how much it draws, how it
fits, what a screen reader is told. It is the page of ``harden fleet report`` and of ``harden report merge``.

``HARDEN_FLEET_REPOSITORIES=2000 .venv/bin/python -m pytest -rP tests/test_fleet_page.py -k figures`` prints seconds.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.fleet.report import overview
from hardener.report.repositories.page import write_page
from hardener.report.repositories.points import BY, Overview, counts, waves

from . import axe
from .chromium import Tab, started
from .fleet_files import done, entry, failed, many, write
from .test_fleet_report import HOSTILE
from .test_page_in_chromium import CONTRAST

pytestmark = pytest.mark.chromium
REPOSITORIES = int(os.environ.get("HARDEN_FLEET_REPOSITORIES", "150"))
# The cells of a table as numbers and texts.
LINES = """
[...document.querySelectorAll("table[data-by=%s] tbody tr")].map((line) =>
  [...line.cells].map((cell) => cell.className === "n" ? Number(cell.textContent) : cell.textContent))
"""
# Set a field as a person does; the promise holds milliseconds until the frame in which the tables are drawn anew.
CHOOSE = """
new Promise((done) => {
  const field = document.querySelector("#filters [name=%s]"), begun = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
  }).observe(document.getElementById("shown"), { childList: true });
  field.value = %s;
  field.dispatchEvent(new Event("input", { bubbles: true }));
})
"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser.tab()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Overview:
    return overview(str(write(tmp_path_factory.mktemp("fleet") / "fleet.db", many(REPOSITORIES))))


@pytest.fixture(scope="module")
def page(fleet: Overview, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page of three runs."""
    return _page(fleet, tmp_path_factory.mktemp("page"))


def _page(found: Overview, folder: Path) -> str:
    path = folder / "fleet.html"
    with path.open("w", encoding="utf-8") as out:
        write_page(found, out.write)
    return path.as_uri()


def choose(tab: Tab, name: str, value: str) -> float:
    return float(tab.run(CHOOSE % (name, json.dumps(value))))


def lines(tab: Tab, by: str) -> list[list[Any]]:
    found: list[list[Any]] = tab.run(LINES % by)
    return found


def option(tab: Tab, name: str, text: str) -> str:
    """The value of the option of a field that is called ``text``."""
    script = "[...document.querySelector('#filters [name=%s]').options].find((one) => one.textContent === %s).value"
    return str(tab.run(script % (name, json.dumps(text))))


def narrowed(found: Overview, **wanted: str) -> Overview:
    rows = [row for row in found.rows if all(value in BY[name](row) for name, value in wanted.items())]
    return Overview(rows, found.repositories, found.runs)


def expected(found: Overview, by: str) -> list[list[Any]]:
    return [
        [each.name, *each.states.values(), each.critical, len(each.repositories)]
        for each in counts(found, by) if each.repositories
    ]  # fmt: skip


def shown(tab: Tab) -> str:
    return str(tab.run("document.getElementById('shown').textContent"))


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"team": "@example/group-7-1"},
        {"team": "@example/audit", "grade": "guess"},
        {"grade": "safe"},
        {"grade": "review", "team": "@example/group-3-0"},
    ],
    ids=str,
)
def test_the_tables_count_what_the_filter_leaves(wanted: dict[str, str], tab: Tab, page: str, fleet: Overview) -> None:
    tab.open(page)
    for name, text in wanted.items():
        choose(tab, name, option(tab, name, text))
    left = narrowed(fleet, **wanted)
    repositories = len({row.repository for row in left.rows})
    done = len(fleet.repositories) - len(fleet.failed)
    assert shown(tab) == f"{len(left.rows)} of {len(fleet.rows)} points shown, in {repositories} of {done} repositories"
    for by in ("team", "rule", "grade", "severity"):
        assert lines(tab, by) == expected(left, by)[:100], by
    next_ones = [[wave.rule, wave.grade, wave.repositories, wave.objects] for wave in waves(left.rows)]
    assert lines(tab, "waves") == next_ones[:50]
    tab.run("document.querySelector('button[type=reset]').click()")
    tab.until(lambda: shown(tab).startswith(f"{len(fleet.rows)} of "))


def test_severity_repository_and_words(tab: Tab, page: str, fleet: Overview) -> None:
    tab.open(page)
    choose(tab, "severity", option(tab, "severity", "high and worse"))
    choose(tab, "repository", "GROUP-7/")
    choose(tab, "text", "WEB deployment")
    left = [
        row for row in fleet.rows
        if row.severity in ("critical", "high") and "group-7/" in row.repository
        and row.object.startswith("Deployment/") and any("web" in text for text in (row.rule, row.file, row.object))
    ]  # fmt: skip
    assert left and shown(tab).startswith(f"{len(left)} of ")
    assert sorted(line[2] for line in lines(tab, "points")) == sorted(row.rule for row in left)
    choose(tab, "text", "no such words")
    assert shown(tab).startswith("0 of ") and lines(tab, "points") == [["Nothing fits the filter."]]


def test_few_lines_are_drawn_and_a_button_draws_more(tab: Tab, page: str, fleet: Overview) -> None:
    tab.open(page)
    assert len(lines(tab, "points")) == 100 and len(fleet.rows) > 3000
    tab.run("document.getElementById('more-points').click()")
    assert len(lines(tab, "points")) == 200
    assert tab.run("document.getElementById('more-points').textContent") == f"Show 100 more of {len(fleet.rows)}"
    assert tab.run("document.getElementsByTagName('*').length") < 10_000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_it_fits_can_be_read_and_loads_nothing(width: int, dark: bool, tab: Tab, page: str) -> None:
    tab.open(page, width=width, dark=dark)
    assert tab.requests == [page] and tab.complaints == []
    assert tab.run("document.documentElement.scrollWidth") == width
    assert tab.run(CONTRAST) == []
    assert axe.violations(tab) == []


def test_a_screen_reader_is_told_of_tables_and_results(tab: Tab, page: str) -> None:
    tab.open(page)
    told = tab.tree()
    assert ("search", "Filter the points of this page") in told
    assert [name for role, name in told if role == "heading"][1:4] == [
        "Filter",
        "Waves: the safest change next",
        "Runs",
    ]
    assert {name for role, name in told if role == "combobox"} == {"Team", "Rule", "Grade", "Severity", "State"}
    assert ("table", "Points, the worst first") in told
    assert ("columnheader", "pull requests") in told


def test_hostile_names_are_text(tab: Tab, tmp_path: Path) -> None:
    odd = entry("no-privileged", file=f"{HOSTILE}.yaml", object=f"Pod/{HOSTILE}/x", team=HOSTILE)
    run = {f"/srv/{HOSTILE}": done(odd), f"/srv/{HOSTILE}/2": failed(HOSTILE)}
    found = overview(str(write(tmp_path / "fleet.db", [run])))
    tab.open(_page(found, tmp_path))
    assert tab.complaints == [] and len(lines(tab, "points")) == 1
    assert tab.run("document.querySelectorAll('img, main script').length") == 0
    assert "</script><img src=x onerror=alert(1)>\\x1b[31m\\u202e" in lines(tab, "points")[0][4]
    assert tab.run("document.querySelector('#failed tbody td:last-child').textContent").startswith("</script><img")


def test_of_reports_without_teams_and_runs_it_has_no_part(tab: Tab, fleet: Overview, tmp_path: Path) -> None:
    plain = Overview([_plain(row) for row in fleet.rows[:50]], fleet.repositories[:10])
    tab.open(_page(plain, tmp_path))
    assert tab.run("[...document.querySelectorAll('main > section')].map((part) => part.id)") == [
        "filter", "waves", "by-repository", "by-rule", "by-grade", "by-severity", "points",
    ]  # fmt: skip
    assert tab.run("document.querySelector('#filters [name=team]')") is None
    heads = tab.run("[...document.querySelectorAll('#points th[scope=col]')].map((head) => head.textContent)")
    assert heads == ["severity", "grade", "rule", "state", "repository", "file", "object"]


def _plain(row: Any) -> Any:
    return type(row)(**{name: getattr(row, name) for name in row.__struct_fields__[:9]})


def test_figures(tab: Tab, page: str, fleet: Overview) -> None:
    """How long it takes is printed, and how much is drawn is the same however many repositories there are."""
    size = Path(page.removeprefix("file://")).stat().st_size
    print(f"{len(fleet.repositories)} repositories, {len(fleet.rows)} points, page of {size:,} bytes")
    for _ in range(3):
        begun = time.monotonic()
        tab.open(page)
        assert shown(tab)
        print(f"open and filled in {time.monotonic() - begun:.2f} s")
    for name, value in (
        ("repository", "group-7/"),
        ("severity", "0"),
        ("rule", "3"),
        ("text", "web api"),
        ("text", ""),
    ):
        print(f"filter {name} {value!r}: {choose(tab, name, value):.0f} ms")
    assert tab.run("document.getElementsByTagName('*').length") < 10_000
