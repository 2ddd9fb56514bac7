"""A JSON report says of which repository, commit, version and configuration it is, and shows no credential."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hardener import __version__
from hardener.sources.git import checkout

from .conftest import DEPLOYMENT, ROOT, Harden, commit, git, write

SCHEMA = json.loads((ROOT / "hardener/report/schema.json").read_text(encoding="utf-8"))


def report(harden: Harden, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(harden("check", ".", "--format", "json", "--fail-on", "none", *arguments).out)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def head(folder: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    return tmp_path


def test_a_report_names_what_git_says_without_credentials(repository: Path, harden: Harden) -> None:
    git(repository, "remote", "add", "upstream", "https://example.com/other.git")
    git(repository, "remote", "add", "origin", "https://me:s3cretpw@example.com/team/shop.git?private_token=zzz")
    found = report(harden)
    assert found["repository"] == {"address": "https://example.com/team/shop.git", "commit": head(repository)}
    assert found["tool"] == {"name": "harden", "version": __version__}
    git(repository, "pack-refs", "--all")
    git(repository, "checkout", "-q", "--detach")
    assert report(harden)["repository"]["commit"] == head(repository)


def test_a_packed_branch_and_a_second_work_tree_have_a_commit(repository: Path, tmp_path: Path) -> None:
    git(repository, "pack-refs", "--all")
    assert checkout.commit(str(repository)) == head(repository)
    git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "second"))
    assert checkout.commit(str(tmp_path / "second")) == head(repository)


@pytest.fixture(params=["sha1", "sha256"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository with tables of refs, two commits and many branches."""
    folder = tmp_path / "tables"
    kind = ["--ref-format=reftable", f"--object-format={request.param}"]
    if subprocess.run(["git", "init", "-q", *kind, str(folder)], capture_output=True).returncode:
        pytest.skip("needs git 2.45 or newer, which has tables of refs")
    write(folder, {"web.yaml": DEPLOYMENT})
    commit(folder)
    git(folder, "commit", "-q", "--allow-empty", "-m", "more")
    new = "".join(f"create refs/heads/{number % 7}/x{number:03}{'y' * (number % 50)} HEAD~1\n" for number in range(400))
    subprocess.run(["git", "update-ref", "--stdin"], cwd=folder, input=new, text=True, check=True)
    return folder


def test_tables_of_refs_have_a_commit(tables: Path, harden: Harden) -> None:
    assert checkout.commit(str(tables)) == head(tables)
    git(tables, "tag", "-a", "v1", "-m", "one")
    git(tables, "branch", "-D", "0/x000")
    for command in (["pack-refs"], ["checkout", "-q", "3/x003yyy"], ["checkout", "-q", "--detach", "v1"]):
        git(tables, *command)
        assert checkout.commit(str(tables)) == head(tables), command
    git(tables, "worktree", "add", "-q", str(tables / "second"), "6/x398" + "y" * 48)
    assert checkout.commit(str(tables / "second")) == head(tables / "second")
    git(tables, "checkout", "-q", "--orphan", "new")
    assert checkout.commit(str(tables)) is None


def test_a_table_that_is_cut_or_changed_has_no_commit_or_another(tables: Path) -> None:
    git(tables, "pack-refs")
    (table,) = (tables / ".git" / "reftable").glob("*.ref")
    raw = table.read_bytes()
    table.chmod(0o644)
    for at in range(0, 400, 7):
        table.write_bytes(raw[:at])
        checkout.commit(str(tables))
        table.write_bytes(raw[:at] + bytes([raw[at] ^ 0x55]) + raw[at + 1 :])
        checkout.commit(str(tables))
    (tables / ".git" / "reftable" / "tables.list").write_text("../../x.ref\n", encoding="utf-8")
    assert checkout.commit(str(tables)) is None


def test_a_folder_without_git_and_a_stream_have_no_repository(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    assert report(harden)["repository"] is None
    harden("filter", "--report", "report.json", stdin=DEPLOYMENT.encode())
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["repository"] is None


def test_the_hash_is_that_of_what_decides(repository: Path, harden: Harden) -> None:
    plain = report(harden)["configuration"]
    assert plain["file"] is None
    assert report(harden)["configuration"] == plain
    assert report(harden, "--only", "K01")["configuration"] != plain
    assert report(harden, "--out-of-band", "hosts")["configuration"] == plain
    write(repository, {".harden.yaml": "profile: baseline\n"})
    set_by_file = report(harden)["configuration"]
    assert set_by_file["file"] == ".harden.yaml" and set_by_file["sha256"] != plain["sha256"]
    write(repository, {".harden.yaml": "profile: baseline # now\n"})
    assert report(harden)["configuration"]["sha256"] != set_by_file["sha256"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://token@example.com/a.git", "https://example.com/a.git"),
        ("https://u:p%40w@example.com:8443/a/b", "https://example.com:8443/a/b"),
        ("ssh://git@example.com/a.git", "ssh://git@example.com/a.git"),
        ("ssh://me:pw@example.com/a.git", "ssh://example.com/a.git"),
        ("git@example.com:team/a.git", "git@example.com:team/a.git"),
        ("me@example.com:team/a.git", "example.com:team/a.git"),
        ("https://a:b@c@example.com/x#t", "https://example.com/x"),
        ("../other", "../other"),
        ("ext::sh -c pw", None),
        ("other://me:pw@host/x", None),
    ],
)
def test_an_address_loses_its_credentials(given: str, shown: str | None) -> None:
    assert checkout.without_credentials(given) == shown
