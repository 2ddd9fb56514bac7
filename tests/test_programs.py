"""Every program that harden starts stands in docs/design/programs.md, and none is started in another way."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardener.charts import helm
from hardener.charts.files import copy as chart_copy
from hardener.fleet import checkout
from hardener.fleet.addresses import parsed
from hardener.sources.git import program as git_program
from hardener.support import programs

from .conftest import ROOT, commit, git, write

PAGE = (ROOT / "docs" / "design" / "programs.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(hardener/[^`]+)` \| `([^`]+)` \|", re.M)
DOOR = "hardener.support.programs"
STARTING = re.compile(
    r"(?:os\.(?:system|popen|startfile|fork|forkpty|posix_spawnp?|exec\w+|spawn\w+)"
    r"|(?:subprocess|multiprocessing|pty|webbrowser|_posixsubprocess)\b.*"
    r"|asyncio\.(?:create_subprocess\w*|subprocess)\b.*|concurrent\.futures\.ProcessPool\w*|ctypes\b.*)"
)


def _names(path: Path) -> Iterator[str]:
    """Every dotted name that the module uses or imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield _dotted(node)


def _dotted(node: ast.expr) -> str:
    """The text of a dotted name; what is not a name in it is empty."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _starters() -> set[str]:
    found = set()
    for path in sorted([*(ROOT / "hardener").rglob("*.py"), *(ROOT / "transforms").rglob("*.py")]):
        names = set(_names(path))
        asks = any(name == DOOR or name.startswith(DOOR + ".") for name in names) and names & {
            "programs.run",
            "programs.started",
            "programs.bounded",
        }
        if asks or any(STARTING.fullmatch(name) for name in names):
            found.add(path.relative_to(ROOT).as_posix())
    return found


def test_the_page_names_all_that_start_a_program() -> None:
    assert _starters() == {module for module, _ in ROW.findall(PAGE)}


@pytest.mark.parametrize(
    "line",
    ["import subprocess", "from subprocess import run", "os.system(x)", "os.execvp(x)",
     "from multiprocessing import Pool",
     "import asyncio\nasyncio.create_subprocess_exec(x)", "from os import posix_spawn"],
)  # fmt: skip
def test_the_test_sees_what_starts_a_program(line: str, tmp_path: Path) -> None:
    write(tmp_path, {"x.py": line + "\n"})
    assert any(STARTING.fullmatch(name) for name in _names(tmp_path / "x.py"))


def test_the_page_names_each_option_and_variable_of_git(tmp_path: Path) -> None:
    write(tmp_path, {"a": "a\n"})
    commit(tmp_path)
    options = {option for option in git_program._OPTIONS if option not in ("-c", "-C")}
    assert not {option for option in options if option.replace(os.devnull, "/dev/null") not in PAGE}
    with git_program.Git(str(tmp_path)) as asked:
        assert not {name for name in asked._environment if name not in PAGE}
    source = (ROOT / "hardener" / "commands" / "changed_since.py").read_text(encoding="utf-8")
    asked_for = set(re.findall(r'git\.ask\(\s*"([a-z-]+)"', source))
    assert asked_for == {"rev-parse", "merge-base", "diff-index", "cat-file"}
    assert all(f"`{name}`" in PAGE for name in asked_for)


def test_the_page_names_each_setting_and_variable_of_git_of_a_fleet() -> None:
    own = PAGE.partition("## Git of a fleet")[2].partition("\n## ")[0]
    assert not {each for each in checkout._SETTINGS if each.replace(os.devnull, "/dev/null") not in own}
    limits = checkout.Limits(1.0, 1, 1)
    environment = checkout._Git("/x", parsed("https://example.com/x"), limits, 1.0)._environment
    ours = {name for name in environment if environment[name] != os.environ.get(name)}
    assert "GIT_ALLOW_PROTOCOL" in ours and not {name for name in ours if name not in own}
    source = (ROOT / "hardener" / "fleet" / "checkout.py").read_text(encoding="utf-8")
    asked_for = set(re.findall(r'(?:git|self)\(\s*"([a-z-]+)"', source))
    assert "fetch" in asked_for and not {name for name in asked_for if f"`{name}`" not in PAGE}


def test_the_page_names_each_option_and_variable_of_helm() -> None:
    assert not {name for name in helm._environment("/nowhere") if f"`{name}" not in PAGE}
    source = (ROOT / "hardener" / "charts" / "helm.py").read_text(encoding="utf-8")
    options = set(re.findall(r'f?"(--[a-z-]+)=?', source))
    assert "--values" in options and not {option for option in options if f"`{option}`" not in PAGE}
    limits = (f"{helm.OUTPUT // 1024**2} MiB", f"{helm.MEMORY // 1024**3} GiB", f"{helm.SECONDS:g} seconds",
              f"{chart_copy.BYTES // 1024**2} MiB", f"{chart_copy.FILES:,} files")  # fmt: skip
    assert not [limit for limit in limits if limit not in PAGE]


def _fake(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho ran >>{folder}/RAN\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="scripts with #!")
@pytest.mark.parametrize("entries", [".", "", "bin", "./bin"])
def test_a_program_of_the_working_directory_is_not_started(
    entries: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake(tmp_path, "git")
    _fake(tmp_path, "bin/git")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([entries, os.environ["PATH"]]))
    done = programs.run("git", ["--version"], seconds=60)
    assert done.stdout.startswith(b"git version") and not (tmp_path / "RAN").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="scripts with #!")
def test_git_is_none_of_the_work_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a": "a\n"})
    commit(tmp_path)
    _fake(tmp_path, "bin/git")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))
    with git_program.Git(str(tmp_path)) as asked:
        assert asked.ask("rev-parse", "HEAD")
    assert not (tmp_path / "bin" / "RAN").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [("no-such-program-of-ours", "no-such-program-of-ours is not installed"), ("sleep", "sleep gives no answer")],
)  # fmt: skip
def test_a_program_that_does_not_answer_is_named(name: str, why: str) -> None:
    with pytest.raises(programs.ProgramError, match=f"^{why}"):
        programs.run(name, ["60"], seconds=0.2)


def _everything_set(path: Path, mark: Path) -> None:
    """A configuration that names a program of its own wherever Git has a place for one."""
    run = f"sh -c 'echo ran >>{mark}' #"
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.alternateRefsCommand",
        "diff.external", "filter.x.clean", "filter.x.smudge", "filter.x.process", "diff.x.textconv", "diff.x.command",
        "credential.helper", "uploadpack.packObjectsHook", "alias.diff-index", "alias.ls-tree", "pager.diff-index",
        "gpg.program", "interactive.diffFilter",
    ):  # fmt: skip
        git(path, "config", key, run)
    git(path, "config", "core.hooksPath", str(path / "hooks"))
    for name in ("post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        _fake(path / "hooks", name)
    for branch, url in (("x", f"ext::sh -c echo% ran% >>{mark}"),):
        git(path, "config", f"remote.{branch}.url", url)
        git(path, "config", f"remote.{branch}.promisor", "true")


@pytest.mark.skipif(sys.platform == "win32", reason="scripts with #!")
def test_git_runs_nothing_that_a_repository_names(tmp_path: Path) -> None:
    mark, tree = tmp_path / "RAN", tmp_path / "tree"
    write(tree, {"a.yaml": "a: 1\n", ".gitattributes": "* filter=x diff=x\n", "sub/a": "a\n"})
    commit(tree / "sub")
    commit(tree)
    _everything_set(tree, mark)
    _everything_set(tree / "sub", mark)
    write(tree, {"a.yaml": "a: 2\n", "sub/a": "b\n"})
    with git_program.Git(str(tree), tracking=True) as asked:
        for arguments in (
            ("ls-tree", "-r", "HEAD"),
            ("diff-index", "-p", "--ignore-submodules=dirty", "HEAD", "--"),
            ("log",),
        ):
            assert asked.ask(*arguments)
    assert not mark.exists() and not (tree / "hooks" / "RAN").exists()
