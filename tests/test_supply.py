"""What is installed and released: the locks hold what pyproject.toml asks for; nothing names what is not there."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .conftest import DEPLOYMENT, ROOT, commit, git, write

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
BUILD = GROUPS["build"]
EXTRAS = [item for items in PROJECT["project"]["optional-dependencies"].values() for item in items]
WANTED = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-extras.lock": [*PROJECT["project"]["dependencies"], *EXTRAS],
    "requirements-build.lock": BUILD,
    "requirements-release.lock": BUILD + [item for item in GROUPS["release"] if isinstance(item, str)],
}
_PIN = re.compile(
    r"^([\w.-]+)==([^\s;\\]+)(?: ; ([^\\\n]+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)


def pins(name: str) -> dict[str, list[tuple[Version, str | None]]]:
    """The versions that the lock ``name`` holds, each with its marker."""
    found: dict[str, list[tuple[Version, str | None]]] = {}
    for package, version, marker, _ in _PIN.findall((ROOT / name).read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(package), []).append((Version(version), marker or None))
    return found


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_holds_what_is_asked_for(name: str) -> None:
    held = pins(name)
    for text in WANTED[name]:
        wanted = Requirement(text)
        versions = [version for version, _ in held.get(canonicalize_name(wanted.name), [])]
        assert versions and all(wanted.specifier.contains(version) for version in versions), f".ci/locks: {text}"


@pytest.mark.parametrize("name", WANTED)
def test_every_line_of_a_lock_has_a_version_and_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    rest = [line for line in _PIN.sub("", text).splitlines() if not re.fullmatch(r" *#.*", line)]
    assert rest == [] and pins(name)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_a_lock_holds_what_its_packages_need(name: str) -> None:
    """As far as they are installed here."""
    held, looked_at = pins(name), 0
    for package in held:
        try:
            needed = importlib.metadata.requires(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        looked_at += 1
        for one in map(Requirement, needed):
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                assert canonicalize_name(one.name) in held, f"{package} needs {one}"
    assert looked_at > len(held) / 2


def test_two_locks_agree_for_one_environment() -> None:
    run, build = pins("requirements.lock"), pins("requirements-build.lock")
    for package in run.keys() & build.keys():
        assert {version for version, _ in run[package]} == {version for version, _ in build[package]}, package


@pytest.mark.parametrize("name", WANTED)
def test_the_markers_of_a_lock_choose_at_most_one_version(name: str) -> None:
    for package, versions in pins(name).items():
        chosen = [version for version, marker in versions if marker is None or Marker(marker).evaluate()]
        assert len(chosen) <= 1, package


def test_the_build_is_what_the_package_says() -> None:
    assert PROJECT["build-system"]["requires"] == BUILD


# -- how Python is started


@pytest.mark.parametrize("path", ["action.yml", "integrations/container/Containerfile", ".ci/release", ".ci/locks"])
def test_python_is_started_isolated(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    started = re.findall(r'(?:/bin/python"?|HARDEN_PYTHON"|\bpython3|\$python"|PYTHON:-python3}")[",]* "?(-\w+)', text)
    assert len(started) >= 2 and set(started) == {"-I"}
    for line in text.splitlines():
        if "pip install" in line and "--no-index" not in line and not line.lstrip().startswith(("#", "install=")):
            assert "--require-hashes" in line or "uv==" in line, line


HOSTILE = ("venv", "yaml", "typer", "ruamel", "pathspec", "msgspec", "hostile", "json", "gc", "hashlib")


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", [[str(Path(sys.executable).with_name("harden"))], [sys.executable, "-P", "-m", "hardener"],
              [sys.executable, "-I", "-m", "hardener"], [sys.executable, "-m", "hardener"]],
    ids=["harden", "-P -m", "-I -m", "-m"],
)  # fmt: skip
def test_no_module_of_the_folder_is_imported(start: list[str], tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'a').write(__name__)\n"
    entry = {"hostile-1.dist-info/entry_points.txt": "[hardener.transforms]\nhostile = hostile\n"}
    write(tmp_path / "work", {"web.yaml": DEPLOYMENT, **entry, **{f"{name}.py": code for name in HOSTILE}})
    commit(tmp_path / "work")
    done = subprocess.run([*start, "diff", "web.yaml"], cwd=tmp_path / "work", capture_output=True, text=True)
    assert (done.returncode, ran.exists()) == (1, False), done.stderr


# -- what is said


def test_nothing_names_a_package_that_is_not_there() -> None:
    """There is no ``hardener`` on the index; an extra of the one that is installed needs none."""
    wrong = re.compile(r"pip install (?:-\S+ )*['\"]?hardener(?! @|\\?\[)|pipx install harden|uvx harden")
    names = git(ROOT, "ls-files", "-z", "--cached").stdout.decode().split("\0")
    looked_at = [
        ROOT / name for name in names if name.endswith((".md", ".py", ".yml", ".yaml", ".txt", "Containerfile"))
    ]
    found = [
        path
        for path in looked_at
        if path.is_file() and wrong.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert [path.name for path in found if path != Path(__file__)] == [] and len(looked_at) > 100


def test_the_workflow_of_a_release_is_pinned_and_small_in_rights() -> None:
    path = ROOT / ".github/workflows/release.yml"
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "write", "id-token": "write", "attestations": "write"}
    for step in job["steps"]:
        assert "run" in step or re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"])
        assert "${{" not in step.get("run", "")
    scripts = "\n".join(step.get("run", "") for step in job["steps"])
    assert ".ci/release dist" in scripts and any(
        "attest-build-provenance" in step.get("uses", "") for step in job["steps"]
    )


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What .ci/manifests makes of a release: the sdist and the wheel stand for real ones."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "hardener-9.8.7-py3-none-any.whl").write_bytes(b"a wheel")
    (folder / "hardener-9.8.7.tar.gz").write_bytes(b"a source")
    (folder / "SHA256SUMS").write_text("")
    command = [
        sys.executable,
        "-I",
        str(ROOT / ".ci/manifests"),
        str(folder),
        "https://git.example/tools/harden",
        "0" * 40,
    ]
    subprocess.run(command, check=True)
    return folder


def test_what_package_managers_read_names_the_files_of_the_release(manifests: Path) -> None:
    lines = [line.split("  ") for line in (manifests / "SHA256SUMS").read_text().splitlines()]
    sums = {name: sum for sum, name in lines}
    assert sums.keys() == {"kubectl-harden-9.8.7.tar.gz", "harden-docs-9.8.7.tar.gz", "harden.yaml", "hardener.rb"}
    for name, sum in sums.items():
        assert hashlib.sha256((manifests / name).read_bytes()).hexdigest() == sum
    plugin = yaml.safe_load((manifests / "harden.yaml").read_text())
    assert (plugin["kind"], plugin["spec"]["version"]) == ("Plugin", "v9.8.7")
    assert len(plugin["spec"]["shortDescription"]) <= 50  # krew.sigs.k8s.io, "Naming guide"
    (platform,) = plugin["spec"]["platforms"]
    release = "https://git.example/tools/harden/releases/download/v9.8.7"
    assert platform["uri"] == f"{release}/kubectl-harden-9.8.7.tar.gz"
    assert platform["sha256"] == sums["kubectl-harden-9.8.7.tar.gz"]
    formula = (manifests / "hardener.rb").read_text()
    assert f'url "{release}/hardener-9.8.7.tar.gz"' in formula
    assert f'sha256 "{hashlib.sha256(b"a source").hexdigest()}"' in formula
    for text in (formula, (manifests / "harden.yaml").read_text()):
        assert not re.search(r"HOST/|OWNER|VERSION|SHA256|COMMIT", text)


def test_the_pages_of_a_release_name_its_repository_and_commit(manifests: Path) -> None:
    with tarfile.open(manifests / "harden-docs-9.8.7.tar.gz") as archive:
        texts = {
            member.name: stream.read().decode()
            for member in archive.getmembers()
            if (stream := archive.extractfile(member)) is not None
        }
    assert "git+https://git.example/tools/harden@" + "0" * 40 in texts["docs/install.md"]
    assert "uses: tools/harden@" + "0" * 40 in texts["integrations/github/check.yaml"]
    for name, text in texts.items():
        assert not re.search(r"HOST/OWNER|OWNER/REPOSITORY", text), name


@pytest.mark.parametrize(("program", "starts"), [("uvx", "--quiet --from"), ("pipx", "run --quiet --spec"), (None, "")])
def test_the_plugin_of_krew_starts_the_wheel_beside_it(
    program: str | None, starts: str, manifests: Path, tmp_path: Path
) -> None:
    plugin, programs = tmp_path / "plugin", tmp_path / "programs"
    programs.mkdir()
    with tarfile.open(manifests / "kubectl-harden-9.8.7.tar.gz") as archive:
        archive.extractall(plugin, filter="data")
    for name in ("dirname", "readlink", "sh"):
        (programs / name).symlink_to(str(shutil.which(name)))
    if program is not None:
        (programs / program).write_text('#!/bin/sh\necho "$@"\n')
        (programs / program).chmod(0o755)
    (tmp_path / "kubectl-harden").symlink_to(plugin / "kubectl-harden")  # as krew puts it on PATH
    command = [str(tmp_path / "kubectl-harden"), "check", "a b"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": str(programs)})
    if program is None:
        assert (done.returncode, done.stdout) == (2, "") and "needs uv or pipx" in done.stderr
    else:
        wheel = plugin / "hardener-9.8.7-py3-none-any.whl"
        assert done.stdout == f"{starts} {wheel} kubectl-harden check a b\n"


def test_the_flake_asks_for_what_the_package_asks_for() -> None:
    text = (ROOT / "flake.nix").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^ +dependencies = \[\n(.*?)\];", text, re.S | re.M)
    asked = {canonicalize_name(name) for name in re.findall(r"python\.([\w-]+)", listed)} | {"tree-sitter-hcl"}
    assert asked == {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]}
    version, sum = re.findall(r'^ +(?:version|sha256) = "(.*)";', text, re.M)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (entry,) = re.findall(r"^tree-sitter-hcl==(.*?)^[^ ]", lock, re.S | re.M)
    assert entry.startswith(f"{version} ") and f"sha256:{sum}" in entry


def _is_for_here(marker: str | None) -> bool:
    return marker is None or Marker(marker).evaluate()


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("HARDEN_RELEASE") != "all", reason="builds a release twice: HARDEN_RELEASE=all")
def test_a_release_is_built_twice_and_is_the_same(tmp_path: Path) -> None:
    done = subprocess.run([ROOT / ".ci/release", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    bill = json.loads((tmp_path / "harden.cdx.json").read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == "hardener"
    locked = pins("requirements-extras.lock").items()
    here = {name for name, held in locked if any(_is_for_here(marker) for _, marker in held)}
    assert {"cryptography"} <= here
    assert {canonicalize_name(item["name"]) for item in bill["components"]} == here
    assert [item["name"] for item in bill["components"] if not item.get("licenses")] == []
    root, graph = bill["metadata"]["component"]["bom-ref"], {one["ref"]: one for one in bill["dependencies"]}
    wanted = {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]}
    assert {canonicalize_name(ref.partition("==")[0]) for ref in graph[root]["dependsOn"]} >= wanted & here
    assert len(list(tmp_path.glob("hardener-*"))) == 2


@pytest.mark.parametrize("name", ["gitlab/harden.gitlab-ci.yml", "jenkins/Jenkinsfile", "azure/azure-pipelines.yml"])
def test_a_pipeline_installs_what_the_locks_name(name: str) -> None:
    text = re.sub(r"\s*\\{0,2}\n\s+(?=-r|'hardener)", " ", (ROOT / "integrations" / name).read_text(encoding="utf-8"))
    first, second = re.findall(r"pip\"? install (.*)", text)
    assert "--require-hashes --only-binary :all: " in first and first.count("-r ") == 2
    assert "requirements.lock" in first and "requirements-build.lock" in first
    assert "--no-index --no-deps --no-build-isolation 'hardener @ git+https://" in second
    assert re.search(r"git clone .*\s.*checkout --quiet COMMIT", text)
