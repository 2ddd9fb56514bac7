"""A baseline: what it lists does not fail a check, what is new does, and what is gone is said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import CORPUS, DEPLOYMENT, Harden, corpus_copy, run, write

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
CONTAINER = "  - name: c\n    image: example.com/c:1\n    env: [{name: DB_PASSWORD, value: hunter2-Zq81xy}]\n"


@pytest.fixture
def tree(tmp_path: Path, harden: Harden) -> Path:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "pod.yaml": POD + CONTAINER})
    assert harden("check", "--fail-on", "low").status == 1
    assert harden("baseline", "write").out.startswith("harden.baseline: ")
    return tmp_path


def check(harden: Harden, *arguments: str) -> tuple[int, str]:
    done = harden("check", "--fail-on", "low", "--baseline", "harden.baseline", *arguments)
    return done.status, done.out


def test_what_is_listed_does_not_fail(tree: Path, harden: Harden) -> None:
    status, out = check(harden)
    assert (status, "check passed" in out, "match nothing" in out) == (0, True, False)


def test_the_file_is_the_same_every_time_and_holds_no_secret(tree: Path, harden: Harden) -> None:
    first = (tree / "harden.baseline").read_text()
    harden("baseline", "write")
    assert (tree / "harden.baseline").read_text() == first
    assert "hunter2" not in first
    assert {"what", "id", "file", "object", "path", "count"} == set(json.loads(first)["entries"][0])


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "# a comment\n\n" + text,
        lambda text: text.replace("  - name: c\n", "  - name: c\n    imagePullPolicy: Always\n"),
        lambda text: text.replace("example.com/c:1", "example.com/c:2"),
    ],
)
def test_an_edit_around_it_changes_nothing(edit: object, tree: Path, harden: Harden) -> None:
    write(tree, {"pod.yaml": edit(POD + CONTAINER)})  # type: ignore[operator]
    assert check(harden)[0] == 0


def test_a_container_before_it_is_new_and_the_old_one_known(tree: Path, harden: Harden) -> None:
    write(tree, {"pod.yaml": POD + "  - name: new\n    image: example.com/n:1\n" + CONTAINER})
    status, out = check(harden, "-v")
    assert status == 1
    assert "containers[0]" in out and "containers[1]" not in out


def test_a_new_workload_fails(tree: Path, harden: Harden) -> None:
    write(tree, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    status, out = check(harden)
    assert (status, "pending changes are low or worse" in out) == (1, True)
    assert "Deployment/api" in out


def test_what_is_gone_is_stale(tree: Path, harden: Harden) -> None:
    (tree / "web.yaml").unlink()
    status, out = check(harden)
    assert (status, bool(re.search(r"\d+ entries match nothing in this run: ", out))) == (0, True)
    assert "no match: change" in out and "baseline write" not in out  # it would take in what is new, too
    harden("baseline", "write")
    assert "match nothing" not in check(harden)[1]


@pytest.mark.parametrize("narrow", [["web.yaml"], ["--skip", "cpu-limit"], ["--only", "cpu-limit"]])
def test_what_a_narrower_run_does_not_look_at_is_not_stale(narrow: list[str], tree: Path, harden: Harden) -> None:
    out = check(harden, *narrow)[1]
    assert ("are pending" in out, "nothing in this run" in out) == (False, False)


def test_another_profile_is_said(tree: Path, harden: Harden) -> None:
    assert "was written for profile restricted, this is strict" in check(harden, "--profile", "strict")[1]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"version": 1, "entries": [{}]}', '{"version": 2}'])
def test_what_is_no_baseline_is_a_mistake(content: str | None, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT} | ({} if content is None else {"b": content}))
    done = harden("check", "--baseline", "b")
    assert (done.status, done.err.count("\n"), "harden: b: " in done.err) == (2, 1, True)


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("name", CORPUS)
def test_a_corpus_tree_passes_with_its_baseline(name: str, tmp_path: Path) -> None:
    tree = corpus_copy(name, tmp_path)
    assert run("baseline", "write", ".", cwd=tree).status == 0
    done = run("check", "--fail-on", "low", "--baseline", "../harden.baseline", cwd=tree)
    assert (done.status, "nothing in this run" in done.out) == (0, False), done.out[-2000:]


@pytest.mark.parametrize("written, checked", [("review", "safe"), ("safe", "review"), ("safe", "breaking")])
def test_what_another_grade_holds_back_is_known(written: str, checked: str, harden: Harden, tmp_path: Path) -> None:
    pod = POD.replace("spec:\n", "spec:\n  hostPID: true\n") + CONTAINER
    write(tmp_path, {"web.yaml": DEPLOYMENT, "pod.yaml": pod})
    harden("baseline", "write", "--max-grade", written)
    known = ("check", "--only", "K01", "--max-grade", checked, "--baseline", "harden.baseline", "--fail-on", "medium")
    done = harden(*known)
    assert done.status == 0, done.out
    write(tmp_path, {"new.yaml": pod.replace("name: p}", "name: new}")})
    done = harden(*known)
    assert done.status == 1 and "Pod/new" in done.out and "Pod/p" not in done.out.partition("Pod Security")[0]
