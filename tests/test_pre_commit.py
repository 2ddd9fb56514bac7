""".pre-commit-hooks.yaml: a real pre-commit, with this checkout as the repository of the hooks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.conftest import DEPLOYMENT, ROOT, commit, git, run, write
from tests.shown import block, blocks

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

KNOWN = DEPLOYMENT.replace("example.com/web:1.2.3", "redis:8.2.1")  # what is safe rests on the image


class Project:
    """A project that uses the hooks; ``home`` keeps what pre-commit installs for them."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        settings = {"PRE_COMMIT_HOME": str(self.home), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments],
            cwd=self.folder, capture_output=True, text=True, env={**os.environ, **settings},
        )  # fmt: skip


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Path]:
    """This checkout, what is not committed included, as a repository of its own; its commit; a home for pre-commit."""
    if find_spec("pre_commit") is None:
        pytest.skip("needs pre-commit: pip install pre-commit")
    folder = tmp_path_factory.mktemp("hooks")
    listed = git(ROOT, "ls-files", "-z", "-co", "--exclude-standard", "--", "hardener", "transforms", "profiles")
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    for name in [*names, "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    commit(folder)
    return folder, git(folder, "rev-parse", "HEAD").stdout.decode().strip(), tmp_path_factory.mktemp("home")


@pytest.fixture
def project(hooks: tuple[Path, str, Path], tmp_path: Path) -> Project:
    """A project with the configuration of docs/ci.md, and one manifest."""
    repository, revision, home = hooks
    config = block("docs/ci.md", "yaml", "pre-commit")
    config = re.sub(r"repo: .*", f"repo: {repository}", config)
    config = re.sub(r"rev: .*", f"rev: {revision}", config)
    write(tmp_path, {"k8s/web.yaml": KNOWN, ".pre-commit-config.yaml": config, "notes.txt": ""})
    commit(tmp_path)
    return Project(tmp_path, home)


def test_the_manifest_of_the_hooks_is_valid(hooks: tuple[Path, str, Path]) -> None:
    repository, _, home = hooks
    done = Project(repository, home).run("validate-manifest", ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_see_whole_trees() -> None:
    assert [hook["id"] for hook in HOOKS] == ["harden", "harden-check"]
    assert not any(hook["pass_filenames"] for hook in HOOKS)


def test_hooks_run_on_all_that_is_read() -> None:
    for hook in HOOKS:
        assert set(hook["types_or"]) == {"yaml", "json", "terraform", "python"}


def test_a_commit_is_stopped_once_and_then_passes(project: Project) -> None:
    manifest = project.folder / "k8s/web.yaml"
    first = project.run("run", "--all-files")
    assert first.returncode == 1 and "files were modified by this hook" in first.stdout, first.stdout + first.stderr
    assert "type: RuntimeDefault" in manifest.read_text(encoding="utf-8")
    assert git(project.folder, "add", "-A").returncode == 0
    second = project.run("run", "--all-files")
    assert second.returncode == 0, second.stdout + second.stderr


def test_the_check_stops_a_commit_and_changes_nothing(project: Project) -> None:
    done = project.run("run", "harden-check", "--all-files")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^check failed: \d+ changes are pending$", done.stdout, re.M)
    assert re.search(r"^next: harden diff \S.* shows each change, harden apply \S.* makes them; -v", done.stdout, re.M)
    assert (project.folder / "k8s/web.yaml").read_text(encoding="utf-8") == KNOWN


def test_a_commit_without_manifests_runs_nothing(project: Project) -> None:
    done = project.run("run", "--files", "notes.txt")
    assert done.returncode == 0 and done.stdout.count("Skipped") == 2, done.stdout


def test_the_check_alone_lets_pass_what_a_baseline_knows(project: Project) -> None:
    config = project.folder / ".pre-commit-config.yaml"
    (own,) = yaml.safe_load(config.read_text(encoding="utf-8"))["repos"]
    own["hooks"] = yaml.safe_load(blocks("docs/ci.md", "yaml", "pre-commit")[1])
    config.write_text(yaml.safe_dump({"repos": [own]}), encoding="utf-8")
    assert run("baseline", "write", "k8s", "--max-grade", "safe", cwd=project.folder).status == 0
    commit(project.folder)
    known = project.run("run", "--all-files")
    assert known.returncode == 0, known.stdout + known.stderr
    write(project.folder, {"k8s/api.yaml": KNOWN.replace("name: web", "name: api")})
    commit(project.folder)
    new = project.run("run", "--all-files")
    assert new.returncode == 1 and "check failed" in new.stdout, new.stdout + new.stderr
