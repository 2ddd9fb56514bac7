"""What takes a run back: the command that a report ends with does, and says what it does not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, git, snapshot, write


def command_of(out: str) -> str:
    """The command that undoes; nothing else stands on its line."""
    found = re.search(r"^undo: (.*)$", out, re.M)
    assert found, out
    assert " #" not in found[1]
    return found[1]


def typed(command: str, folder: Path) -> None:
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_undo_command_undoes(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a b/web.yaml": DEPLOYMENT, "c/web.yaml": DEPLOYMENT})
    commit(tmp_path)
    out = harden("apply", ".").out
    typed(command_of(out), tmp_path)
    assert (tmp_path / "a b/web.yaml").read_text() == (tmp_path / "c/web.yaml").read_text() == DEPLOYMENT


def test_the_undo_command_takes_new_files_away(harden: Harden, tmp_path: Path) -> None:
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: production}\n"
    write(tmp_path, {"a b/ns.yaml": namespace, "web.yaml": DEPLOYMENT})
    commit(tmp_path)
    before = snapshot(tmp_path)
    command = command_of(harden("apply", ".").out)
    assert snapshot(tmp_path) != before
    typed(command, tmp_path)
    assert snapshot(tmp_path) == before


def test_the_undo_command_keeps_what_is_not_committed_beside(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"d/{number}.yaml": DEPLOYMENT for number in range(9)} | {"d/note.yaml": "a: 1\n"})
    commit(tmp_path)
    write(tmp_path, {"d/note.yaml": "a: 2\n"})
    command = command_of(harden("apply", ".", "--yes").out)
    typed(command, tmp_path)
    assert (tmp_path / "d/4.yaml").read_text() == DEPLOYMENT
    assert (tmp_path / "d/note.yaml").read_text() == "a: 2\n"


MANY = [f"{number}-{'long' * 15}" for number in range(20)]


def test_the_undo_command_of_many_files_says_what_else_it_undoes(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"d/{name}.yaml": DEPLOYMENT for name in MANY})
    commit(tmp_path)
    out = harden("apply", ".").out
    command = command_of(out)
    assert command == "git restore -- d && rm -- d/harden-networkpolicies.yaml"
    assert f"\nthe undo line takes back every unstaged change in d, also yours\nundo: {command}\n" in out
    typed(command, tmp_path)
    assert (tmp_path / f"d/{MANY[4]}.yaml").read_text() == DEPLOYMENT


def test_the_undo_command_of_many_new_files(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"{name}/web.yaml": DEPLOYMENT for name in MANY})
    commit(tmp_path)
    command = command_of(harden("apply", ".").out)
    assert command == "git restore -- . && git clean -f -- ':(glob)**/harden-networkpolicies.yaml'"
    before = snapshot(tmp_path)
    typed(command, tmp_path)
    assert snapshot(tmp_path).keys() == before.keys() - {f"{name}/harden-networkpolicies.yaml" for name in MANY}


def test_the_undo_command_knows_what_is_called_after_a_namespace(harden: Harden, tmp_path: Path) -> None:
    shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop%d}\n---\n"
    write(tmp_path, {f"{name}/web.yaml": shop % number + DEPLOYMENT for number, name in enumerate(MANY)})
    commit(tmp_path)
    before = snapshot(tmp_path)
    command = command_of(harden("apply", ".").out)
    assert "git clean -f -- ':(glob)**/*_harden-networkpolicies.yaml'" in command
    assert len(snapshot(tmp_path)) == len(before) + len(MANY)
    typed(command, tmp_path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("paths", "restored", "cleaned"),
    [
        (
            ["a b", "d/"],
            "'a b' d",
            "':(glob)a b/**/harden-networkpolicies.yaml' ':(glob)d/**/harden-networkpolicies.yaml'",
        ),
        ([f"d/{n}/web.yaml" for n in range(6)], " ".join(f"d/{n}/web.yaml" for n in range(6)), ""),
        (["d/*/web.yaml"], "d", ""),
    ],
)
def test_the_undo_command_leaves_other_folders_alone(
    paths: list[str], restored: str, cleaned: str, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardener.report.terminal.undo._LONGEST", 50)
    write(tmp_path, {f"{folder}/{n}/web.yaml": DEPLOYMENT for folder in ("a b", "d") for n in range(6)})
    write(tmp_path, {"other/harden-networkpolicies.yaml": "# mine\n"})
    commit(tmp_path)
    (tmp_path / "other/mine.yaml").write_text(DEPLOYMENT)
    before = snapshot(tmp_path)
    out = harden("apply", *paths).out
    command = command_of(out)
    assert command.startswith(f"git restore -- {restored} && ")
    assert cleaned in command
    assert ("unstaged" in out) == ("web.yaml" not in restored)
    typed(command, tmp_path)
    assert snapshot(tmp_path) == before


def test_uncommitted_changes_are_one_warning_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "api.yaml": DEPLOYMENT.replace("web", "api")})
    commit(tmp_path)
    (tmp_path / "web.yaml").write_text(DEPLOYMENT + "# new\n")
    done = harden("apply", ".")
    assert done.status == 0
    said = (
        "1 of 2 files has changes that are neither staged nor committed: web.yaml; the undo line takes those back, too"
    )
    assert done.err == f"harden: {said}\n"
    assert "outside Git" not in done.err
    typed(command_of(done.out), tmp_path)
    assert (tmp_path / "web.yaml").read_text() == DEPLOYMENT


@pytest.mark.parametrize("announced", [False, True])
def test_what_git_does_not_have_is_left_out_and_said(announced: bool, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"tracked.yaml": DEPLOYMENT})
    commit(tmp_path)
    (tmp_path / "fresh.yaml").write_text(DEPLOYMENT)
    if announced:  # git restore would empty it
        assert git(tmp_path, "add", "-N", "fresh.yaml").returncode == 0
    done = harden("apply", ".")
    assert done.err == "harden: 1 of 2 files is not in Git, so Git cannot undo this: fresh.yaml\n"
    note = "the undo line leaves out 1 of 2 changed files, which Git does not have: fresh.yaml"
    assert f"\n{note}\nundo: git restore -- tracked.yaml &&" in done.out
    hardened = (tmp_path / "fresh.yaml").read_text()
    typed(command_of(done.out), tmp_path)
    assert (tmp_path / "tracked.yaml").read_text() == DEPLOYMENT
    assert (tmp_path / "fresh.yaml").read_text() == hardened != DEPLOYMENT


def test_where_git_has_none_of_the_files_there_is_no_restore(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"note.txt": "a\n"})
    commit(tmp_path)
    (tmp_path / "fresh.yaml").write_text(DEPLOYMENT)
    assert "git restore" not in harden("apply", ".").out


def test_staged_changes_come_back(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    (tmp_path / "web.yaml").write_text(DEPLOYMENT + "# staged\n")
    git(tmp_path, "add", "web.yaml")
    done = harden("apply", ".")
    assert done.err == ""
    typed(command_of(done.out), tmp_path)
    assert (tmp_path / "web.yaml").read_text() == DEPLOYMENT + "# staged\n"


@pytest.mark.parametrize("where", ["", "other", "own", "one/deep"])
@pytest.mark.parametrize("longest", [1000, 10])
def test_the_undo_command_goes_to_the_work_trees_of_the_files(
    where: str, longest: int, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardener.report.terminal.undo._LONGEST", longest)
    for name in ("one", "two's"):
        write(tmp_path, {f"{name}/deep/{n}.yaml": DEPLOYMENT.replace("web", f"w{n}") for n in range(2)})
        write(tmp_path, {f"{name}/{n}/web.yaml": DEPLOYMENT for n in range(2)})
        commit(tmp_path / name)
    (tmp_path / "other").mkdir()
    write(tmp_path, {"own/a.txt": "a\n"})
    commit(tmp_path / "own")
    before = snapshot(tmp_path)
    here = tmp_path / where
    done = harden("apply", str(tmp_path / "one"), str(tmp_path / "two's"), cwd=here)
    assert done.err == ""
    assert snapshot(tmp_path) != before
    command = command_of(done.out)
    assert command.count("git -C ") >= (1 if where.startswith("one") else 2)
    typed(command, here)
    assert snapshot(tmp_path) == before


def test_the_undo_command_takes_a_name_for_no_pattern(harden: Harden, tmp_path: Path) -> None:
    odd = ["a*.yaml", "[b].yaml", ":c.yaml", "-d.yaml", "new\nline.yaml", "it's.yaml"]
    write(
        tmp_path, {name: DEPLOYMENT.replace("web", f"w{n}") for n, name in enumerate(odd)} | {"a-note.yaml": "a: 1\n"}
    )
    commit(tmp_path)
    (tmp_path / "a-note.yaml").write_text("a: 2\n")
    before = snapshot(tmp_path)
    command = command_of(harden("apply", ".").out)
    assert snapshot(tmp_path) != before
    typed(command, tmp_path)
    assert snapshot(tmp_path) == before


def test_outside_git_is_one_warning_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    done = harden("apply", ".")
    assert (done.status, done.err) == (0, "harden: 1 of 1 file is outside Git, so Git cannot undo this\n")
