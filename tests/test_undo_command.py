"""``harden undo`` takes the last run back, and ``harden show`` prints its report again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, git, snapshot, write
from .terminals import on_terminal

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: production}\n"
FILES = {"k8s/web.yaml": DEPLOYMENT, "k8s/a b/ns.yaml": NAMESPACE, "crlf.yaml": DEPLOYMENT.replace("\n", "\r\n")}


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.mark.parametrize("in_git", [True, False])
def test_undo_brings_back_every_byte_and_takes_new_files_away(harden: Harden, tmp_path: Path, in_git: bool) -> None:
    write(tmp_path, FILES)
    if in_git:
        commit(tmp_path)
        write(tmp_path, {"k8s/web.yaml": DEPLOYMENT + "# mine, not committed\n"})
    before = snapshot(tmp_path)
    assert harden("apply", ".", "--yes").status == 0
    assert snapshot(tmp_path) != before
    done = harden("undo", cwd=tmp_path / "k8s") if in_git else harden("undo")
    assert (done.status, done.err, snapshot(tmp_path)) == (0, "", before)
    assert "as before harden apply ." in done.out
    assert ("the same with Git: git restore -- " in done.out) == in_git


def test_undo_works_once(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    commit(tmp_path)
    harden("apply", ".")
    harden("undo")
    done = harden("undo")
    assert (done.status, done.out) == (2, "") and "no run of harden is known" in done.err


@pytest.mark.parametrize("change", ["more", "gone", "a link"])
def test_undo_refuses_where_a_file_changed_since(harden: Harden, tmp_path: Path, change: str) -> None:
    write(tmp_path, FILES)
    commit(tmp_path)
    harden("apply", ".")
    place = tmp_path / "k8s/web.yaml"
    text = place.read_text()
    place.unlink()
    if change == "more":
        place.write_text(text + "# mine\n")
    elif change == "a link":
        place.symlink_to("/dev/null")
    before = snapshot(tmp_path)
    done = harden("undo")
    assert done.status == 2 and snapshot(tmp_path) == before
    assert "1 of " in done.err and "k8s/web.yaml; with Git: git restore -- " in done.err


def test_what_is_kept_is_for_the_user_alone(harden: Harden, tmp_path: Path, state: Path) -> None:
    write(tmp_path, FILES)
    harden("apply", ".", "--yes")
    kept = [path for path in state.rglob("*") if path.is_file()]
    assert kept and all(path.stat().st_mode & 0o077 == 0 for path in [*kept, state / "harden"])


def test_a_run_that_moves_secrets_is_not_kept(harden: Harden, tmp_path: Path, state: Path) -> None:
    settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata: {DB_PASSWORD: hunter2-Xk29s}\n"
    pod = DEPLOYMENT + "        envFrom: [{configMapRef: {name: db}}]\n"
    store = "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: vault}\n"
    store += "spec: {provider: {vault: {}}}\n"
    write(tmp_path, {"work/db.yaml": settings, "work/web.yaml": pod, "work/store.yaml": store})
    commit(tmp_path / "work")
    work = tmp_path / "work"
    assert harden("apply", ".", "--yes", "--secrets-out", "../out", cwd=work).status == 0
    assert "hunter2" not in (work / "db.yaml").read_text()
    kept = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert b"hunter2-Xk29s" not in kept and harden("undo", cwd=work).status == 2


def test_a_run_without_a_place_to_keep_it_goes_on(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"state": "a file", "work/web.yaml": DEPLOYMENT})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    done = harden("apply", "work")
    assert done.status == 0 and "harden undo" not in done.out
    assert harden("undo").status == 2


def test_undo_is_the_last_line_on_a_terminal(tmp_path: Path, state: Path) -> None:
    write(tmp_path, {f"k8s/{'long' * 9}-{number}.yaml": DEPLOYMENT for number in range(9)})
    commit(tmp_path)
    environment = {"XDG_STATE_HOME": str(state)}
    command = [sys.executable, "-m", "hardener"]
    shown = on_terminal([*command, "apply", "k8s"], tmp_path, environment=environment)
    assert shown.rows[-1].rstrip() == "undo: harden undo"
    again = on_terminal([*command, "show"], tmp_path, environment=environment)
    assert again.rows[0].rstrip() == "The last report, of harden apply k8s:" and again.rows[2].startswith(
        "hardened 10 files: "
    )
    assert git(tmp_path, "status", "--short").stdout
    full = on_terminal([*command, "show", "--full"], tmp_path, environment=environment)
    assert len(full.rows) > len(again.rows)


def test_nothing_is_shown_where_nothing_was_printed(harden: Harden, tmp_path: Path) -> None:
    done = harden("show")
    assert (done.status, done.out) == (2, "") and "no report is kept" in done.err
