"""``harden plan`` splits what is to be done, ``harden apply --plan N`` makes a part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, git, write

PART = re.compile(
    r"^ +(\d+)  (safe|review)  (K\d\d(?:, K\d\d)*)  (\d+) lines?( \(more than \d+: one object\))?, ", re.M
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    known = DEPLOYMENT.replace("example.com/web:1.2.3", "nginx:1.27")
    write(tmp_path, {f"k8s/{name}.yaml": known.replace("web", name) for name in ("api", "shop", "web")})
    commit(tmp_path)
    return tmp_path


def parts(harden: Harden, *options: str) -> list[tuple[str, str, int, bool]]:
    done = harden("plan", "k8s", *options)
    assert (done.status, done.err) == (0, "")
    found = PART.findall(done.out)
    assert [int(number) for number, *_ in found] == list(range(1, len(found) + 1))
    return [(grade, risks, int(size), bool(alone)) for _, grade, risks, size, alone in found]


def test_the_parts_are_small_and_the_least_risk_comes_first(harden: Harden, tree: Path) -> None:
    found = parts(harden, "--lines", "40")
    grades = [grade for grade, *_ in found]
    assert len(found) > 3 and set(grades) == {"safe", "review"}
    assert grades == sorted(grades, key=["safe", "review"].index)
    assert all(size <= 40 or alone for _, _, size, alone in found)
    assert len(parts(harden, "--lines", "1000")) == len(set(grades))
    assert git(tree, "status", "--short").stdout == b""


def test_what_cannot_be_split_stands_alone_with_its_size(harden: Harden, tree: Path) -> None:
    found = parts(harden, "--lines", "1")
    assert any(size > 1 and alone for _, _, size, alone in found)
    assert all(alone == (size > 1) for _, _, size, alone in found)


def test_a_part_is_as_large_as_it_says(harden: Harden, tree: Path) -> None:
    first, *others = parts(harden, "--lines", "40")
    assert harden("apply", "k8s", "--plan", "1", "--lines", "40").status == 0
    git(tree, "add", "-AN")
    counted = [line.split()[:2] for line in git(tree, "diff", "--numstat").stdout.decode().splitlines()]
    assert sum(int(number) for row in counted for number in row) <= first[2] + len(counted)
    assert len(parts(harden, "--lines", "40")) == len(others)


def test_all_parts_one_after_the_other_leave_nothing(harden: Harden, tree: Path) -> None:
    for _ in range(20):
        if not parts(harden, "--lines", "60"):
            break
        assert harden("apply", "k8s", "--plan", "1", "--lines", "60").status == 0
    assert harden("diff", "k8s").status == 0
    assert harden("plan", "k8s").out == "nothing to apply\n"


def test_a_part_that_is_not_there(harden: Harden, tree: Path) -> None:
    done = harden("apply", "k8s", "--plan", "99")
    assert (done.status, done.out) == (2, "")
    assert re.fullmatch(r"harden: --plan 99: the plan has \d+ parts?; harden plan lists them\n", done.err)
    assert harden("apply", "k8s", "--plan", "1", "--output-dir", "out").status == 2


def test_the_options_of_a_run_count(harden: Harden, tree: Path) -> None:
    assert {grade for grade, *_ in parts(harden, "--max-grade", "safe")} == {"safe"}
    assert {risks for _, risks, *_ in parts(harden, "--only", "K05")} == {"K05"}
    out = harden("plan", "k8s", "--only", "K05").out
    assert "next: harden apply k8s --only K05 --plan 1 makes part 1; " in out
