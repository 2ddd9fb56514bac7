"""``harden report merge``: the same points as the reports of the pipelines, each once, however often it is given."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, git, run, write

PRIVILEGED = DEPLOYMENT.rstrip("\n") + "\n        securityContext: {privileged: true}\n"


@pytest.fixture
def reports(tmp_path: Path) -> list[str]:
    """Those of two repositories."""
    made = []
    for name in ("shop", "<b>blog"):
        folder = tmp_path / name.strip("<b>")
        write(folder, {"web.yaml": PRIVILEGED})
        commit(folder)
        git(folder, "remote", "add", "origin", f"https://me:s3cretpw@example.com/{name}.git")
        report = run("check", ".", "--format", "json", "--fail-on", "none", cwd=folder).out
        made.append(f"{folder.name}.json")
        (tmp_path / made[-1]).write_text(report, encoding="utf-8")
    return made


def test_the_rows_are_those_of_the_reports(reports: list[str], tmp_path: Path, harden: Harden) -> None:
    done = harden("report", "merge", *reports, *reports, "--format", "json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    given = json.loads((tmp_path / "shop.json").read_text(encoding="utf-8"))
    of_shop = [row for row in found["rows"] if row["repository"] == "https://example.com/shop.git"]
    assert {row["commit"] for row in of_shop} == {given["repository"]["commit"]}
    for key, state in {"changes": "pending", "held": "held", "findings": "finding"}.items():
        assert {row["rule"] for row in of_shop if row["state"] == state} == {record["id"] for record in given[key]}
    assert len({(row["repository"], row["fingerprint"]) for row in found["rows"]}) == len(found["rows"])
    waves = found["waves"]
    assert {wave["repositories"] for wave in waves} == {2}
    ranks = [["safe", "review", "guess", "breaking"].index(wave["grade"]) for wave in waves]
    assert ranks == sorted(ranks)


def test_a_fingerprint_stays_when_lines_move_and_a_newer_commit_counts(
    reports: list[str], tmp_path: Path, harden: Harden
) -> None:
    before = json.loads(harden("report", "merge", "shop.json", "--format", "json").out)["rows"]
    write(tmp_path / "shop", {"web.yaml": "# a line\n" + PRIVILEGED})
    commit(tmp_path / "shop")
    newer = run("check", ".", "--format", "json", "--fail-on", "none", cwd=tmp_path / "shop").out
    (tmp_path / "newer.json").write_text(newer, encoding="utf-8")
    after = json.loads(harden("report", "merge", "shop.json", "newer.json", "--format", "json").out)["rows"]
    assert {row["fingerprint"] for row in after} == {row["fingerprint"] for row in before}
    assert {row["commit"] for row in after} == {json.loads(newer)["repository"]["commit"]}


def test_the_page_and_the_table_escape_names_and_show_no_credential(reports: list[str], harden: Harden) -> None:
    page = harden("report", "merge", *reports).out
    assert "https://example.com/&lt;b&gt;blog.git" in page and "<b>" not in page and "s3cretpw" not in page
    assert "2 repositories" in page and "no-privileged" in page
    table = list(csv.DictReader(io.StringIO(harden("report", "merge", *reports, "--format", "csv").out)))
    assert {row["repository"] for row in table} == {"https://example.com/shop.git", "https://example.com/<b>blog.git"}


@pytest.mark.parametrize("address", ["https://me:s3cretpw@example.com/shop?token=s3cretpw", "ext::s3cretpw"])
def test_an_address_of_another_program_shows_no_credential(
    address: str, reports: list[str], tmp_path: Path, harden: Harden
) -> None:
    report = json.loads((tmp_path / "shop.json").read_text(encoding="utf-8"))
    report["repository"]["address"] = address
    (tmp_path / "shop.json").write_text(json.dumps(report), encoding="utf-8")
    for format in ("html", "json", "csv"):
        made = harden("report", "merge", "shop.json", "--format", format)
        assert made.status == 0 and "s3cretpw" not in made.all


def test_a_cell_is_no_formula(reports: list[str], tmp_path: Path, harden: Harden) -> None:
    report = json.loads((tmp_path / "shop.json").read_text(encoding="utf-8"))
    report["changes"][0]["file"] = "=HYPERLINK(1)"
    (tmp_path / "odd.json").write_text(json.dumps(report), encoding="utf-8")
    assert ",'=HYPERLINK(1)," in harden("report", "merge", "odd.json", "--format", "csv").out


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2}', '{"version": 1, "summary": {}}', "[" * 100_000,
     '{"version": 1, "summary": {}, "repository": [], "changes": [1], "held": [], "findings": [], "waived": []}'],
)  # fmt: skip
def test_what_is_no_report_is_refused_in_a_line(text: str, tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {"odd.json": text})
    done = harden("report", "merge", "odd.json")
    assert done.status == 2 and done.err.startswith("harden: odd.json: ") and done.err.count("\n") == 1
    assert harden("report", "merge", "absent.json").status == 2
