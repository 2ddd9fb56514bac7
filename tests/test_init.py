"""harden init: new files alone, none through a link, and each of them what its reader takes."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import config
from hardener.authoring.schemas import config_schema
from hardener.commands import init as init_command
from hardener.report import pages
from tests.conftest import DEPLOYMENT, Harden, commit, run, snapshot, write
from tests.test_schemas_for_editors import valid

ALL = ("--pre-commit", "--workflow", "github", "--workflow", "gitlab")
FILES = {init_command.CONFIG, init_command.PRE_COMMIT, init_command.GITHUB, init_command.GITLAB}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A repository with one manifest, and the working directory."""
    write(tmp_path, {"k8s/web.yaml": DEPLOYMENT})
    commit(tmp_path)
    return tmp_path


def made(folder: Path) -> dict[str, str]:
    found = {name: content.decode() for name, (_, content) in snapshot(folder).items()}
    return {name: text for name, text in found.items() if not name.startswith((".git/", "k8s/"))}


def test_it_writes_a_configuration_and_says_the_next_step(web: Path, harden: Harden) -> None:
    done = harden("init", "k8s")
    assert (done.status, set(made(web))) == (0, {".harden.yaml"})
    assert done.out.startswith(".harden.yaml: written\n")
    assert done.out.splitlines()[-1].startswith("Next: harden lock k8s")
    assert harden("diff", "k8s").status == 1
    assert config.load(str(web)).profile == "restricted"


def test_what_it_writes_as_comments_is_right_too(web: Path, harden: Harden) -> None:
    harden("init")
    lines = made(web)[".harden.yaml"].splitlines()
    shown = [line.removeprefix("# ") for line in lines if line.startswith("# ") and not line.startswith("# What")]
    text = "\n".join(shown)
    assert len(lines) <= 15 and len(shown) > 5
    document = yaml.safe_load(text)
    assert {"kubernetes-version", "platform", "exclude", "options", "exceptions"} == document.keys()
    assert valid(config_schema(), text)
    write(web, {".harden.yaml": text})
    assert harden("diff", "k8s", "--quiet").status == 1
    (entry,) = config.load(str(web)).exemptions
    assert entry.id == "run-as-non-root"
    assert "waiver-too-long" not in harden("check", "k8s", "--format", "json").out


def test_all_of_it(web: Path, harden: Harden) -> None:
    done = harden("init", "k8s", *ALL, "--profile", "baseline")
    assert done.status == 0 and set(made(web)) == FILES
    files = made(web)
    assert yaml.safe_load(files[".harden.yaml"]) == {"profile": "baseline"}
    (repository,) = yaml.safe_load(files[".pre-commit-config.yaml"])["repos"]
    assert [hook["args"] for hook in repository["hooks"]] == [["--max-grade", "safe", "k8s"]] * 2
    steps = yaml.safe_load(files[init_command.GITHUB])["jobs"]["harden"]["steps"]
    assert steps[1]["with"]["paths"] == "k8s\n"
    job = yaml.safe_load(files[init_command.GITLAB])["harden"]
    assert "harden check k8s $HARDEN_OPTIONS" in job["script"]
    assert job["variables"] == {"HARDEN_OPTIONS": "--max-grade safe"}
    assert init_command.INCLUDE in done.out
    assert harden("check", ".", "--allow-empty").status == 1, "the new files are no manifests"


def test_nothing_is_overwritten(web: Path, harden: Harden) -> None:
    there = {".harden.yaml": "profile: strict\n", ".pre-commit-config.yaml": "repos: []\n"}
    write(web, there)
    done = harden("init", "k8s", *ALL)
    assert done.status == 0 and made(web).items() > there.items() and set(made(web)) == FILES
    assert ".harden.yaml: is there, and stays as it is" in done.out
    assert "For .pre-commit-config.yaml, below repos:\n- repo: " in done.out
    before = made(web)
    again = harden("init", "k8s", *ALL)
    assert (again.status, made(web)) == (0, before)
    assert "written" not in again.out


def test_a_second_run_shows_nothing_to_paste_that_is_there(web: Path, harden: Harden) -> None:
    first = harden("init", "k8s", *ALL)
    assert "Replace HOST/OWNER/REPOSITORY and COMMIT" in first.out and "For .gitlab-ci.yml:" in first.out
    write(web, {".gitlab-ci.yml": f"{init_command.INCLUDE}\n"})
    second = harden("init", "k8s", *ALL)
    assert second.status == 0 and "For ." not in second.out and "Replace" not in second.out


@pytest.mark.parametrize(
    ("text", "pasted"),
    [
        ("repos: []\n", True),
        ("repos:\n- repo: x\n  hooks:\n  # - id: harden\n  - id: hardened\n", True),
        (b"\xff\xfe", True),
        ("repos:\n- repo: x\n  hooks:\n  - id: harden\n", False),
        ("repos:\n- repo: x\n  hooks:\n  - args: [.]\n    id: 'harden-check'  # late\n", False),
    ],
)
def test_hooks_are_shown_where_there_are_none(text: str | bytes, pasted: bool, web: Path, harden: Harden) -> None:
    write(web, {".pre-commit-config.yaml": text})
    done = harden("init", "k8s", "--pre-commit")
    assert done.status == 0 and ("below repos:" in done.out) == pasted
    assert ("Replace " in done.out) == pasted


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("url", "action"),
    [
        ("https://github.com/tools/harden", f"tools/harden@{COMMIT}"),
        ("https://gitlab.example.com/tools/harden", "OWNER/REPOSITORY@COMMIT"),
        ("https://github.example.com/tools/harden", "OWNER/REPOSITORY@COMMIT"),
        ("https://github.com/group/tools/harden", "OWNER/REPOSITORY@COMMIT"),
        ("https://github.com/harden", "OWNER/REPOSITORY@COMMIT"),
        ("https://git.example.com", "OWNER/REPOSITORY@COMMIT"),
    ],
)
def test_a_workflow_names_no_repository_of_strangers(
    url: str, action: str, web: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "installed_from", lambda: (url, COMMIT))
    done = harden("init", "k8s", "--workflow", "github")
    assert done.status == 0, done.err
    assert f"uses: {action}\n" in made(web)[init_command.GITHUB]
    assert ("Replace " in done.out) == (action == "OWNER/REPOSITORY@COMMIT")


def test_a_folder_with_a_blank_is_refused_for_scripts_alone(web: Path, harden: Harden) -> None:
    write(web, {"my dir/web.yaml": DEPLOYMENT})
    assert "name the folder above it" in harden("init", "my dir", "--pre-commit").err
    done = harden("init", "my dir")
    assert (done.status, done.err) == (0, "")
    commands = re.findall(r"harden (?:lock|diff|baseline write) .*?(?=, |; | lets)", done.out.splitlines()[-1])
    assert [shlex.split(command)[-1] for command in commands] == ["my dir", "safe", "my dir"]
    assert harden(*shlex.split(commands[2])[1:]).status == 0


def test_it_knows_where_it_is_installed_from(web: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_id = COMMIT
    monkeypatch.setattr(pages, "installed_from", lambda: ("https://git.example/tools/harden", commit_id))
    monkeypatch.setattr(pages, "_base", lambda: f"https://git.example/tools/harden/blob/{commit_id}/docs")
    harden("init", "k8s", *ALL)
    files = made(web)
    assert files[".harden.yaml"].startswith(
        "# yaml-language-server: $schema=https://git.example/tools/harden/raw/"
        f"{commit_id}/docs/schemas/config.schema.json\n"
    )
    assert f"git+https://git.example/tools/harden@{commit_id}" in files[init_command.GITLAB]
    assert f"rev: {commit_id}" in files[".pre-commit-config.yaml"]
    files.pop(init_command.GITHUB)  # it can name repositories of GitHub alone
    assert "OWNER" not in "".join(files.values())


def test_a_profile_of_ones_own_is_named_as_the_configuration_sees_it(web: Path) -> None:
    write(web, {"k8s/our #1.yaml": "extends: baseline\n"})
    done = run("init", "--profile", "./our #1.yaml", cwd=web / "k8s")
    assert done.status == 0, done.err
    assert config.load(str(web)).profile == "./k8s/our #1.yaml"
    assert run("diff", "k8s", "--quiet", cwd=web).status == 1


@pytest.mark.parametrize("link", [".harden.yaml", ".github", ".github/workflows", ".gitlab"])
def test_nothing_is_written_through_a_link(link: str, web: Path, harden: Harden, tmp_path_factory: Any) -> None:
    outside: Path = tmp_path_factory.mktemp("outside")
    (web / link).parent.mkdir(exist_ok=True)
    (web / link).symlink_to(outside / "x" if link == ".harden.yaml" else outside)
    done = harden("init", "k8s", *ALL)
    assert os.listdir(outside) == []
    if link == ".harden.yaml":
        assert done.status == 0 and "is there, and stays as it is" in done.out
    else:
        assert done.status == 2 and "behind a symbolic link" in done.err and len(done.err.splitlines()) == 1
        assert made(web) == {}, "all of it or nothing"


def test_the_files_go_to_the_root_of_git(web: Path) -> None:
    done = run("init", "--pre-commit", cwd=web / "k8s")
    assert done.out.startswith("../.harden.yaml: written\n")
    assert set(made(web)) == {".harden.yaml", ".pre-commit-config.yaml"}
    assert "args: [--max-grade, safe, k8s]" in made(web)[".pre-commit-config.yaml"]


def test_outside_of_git(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    done = harden("init", "--workflow", "github")
    assert done.status == 2 and "are for a Git repository" in done.err and made(tmp_path).keys() == {"web.yaml"}
    assert harden("init").status == 0 and ".harden.yaml" in made(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gone",), "gone: no such file or folder"),
        (("k8s", "--profile", "restrictd"), "did you mean restricted?"),
        (("k8s", "--workflow", "jenkins"), "jenkins"),
        (("a b", "--pre-commit"), "name the folder above it"),
        (("$(touch pwned)", "--workflow", "gitlab"), "name the folder above it"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    arguments: tuple[str, ...], said: str, web: Path, harden: Harden
) -> None:
    for name in ("a b", "$(touch pwned)"):
        (web / name).mkdir()
    done = harden("init", *arguments)
    assert done.status == 2 and said in done.err and len(done.err.splitlines()) == 1
    assert made(web) == {}


@pytest.mark.parametrize("name", ["yes", "1.5", "true", "on", "null", "k8s/apps", "ö"])
def test_a_name_stays_a_text(name: str, web: Path, harden: Harden) -> None:
    (web / name).mkdir(parents=True)
    assert harden("init", name, *ALL).status == 0
    files = made(web)
    (repository,) = yaml.safe_load(files[".pre-commit-config.yaml"])["repos"]
    assert repository["hooks"][0]["args"] == ["--max-grade", "safe", name]
    assert yaml.safe_load(files[init_command.GITHUB])["jobs"]["harden"]["steps"][1]["with"]["paths"] == f"{name}\n"
