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
