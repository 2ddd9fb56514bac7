"""action.yml: its steps, run by bash as a runner of GitHub runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import DEPLOYMENT, ROOT, commit, write

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
DEFAULTS = {name: item["default"] for name, item in ACTION["inputs"].items()}
HARDENED = "runAsNonRoot: true"


@dataclass
class Job:
    """What the steps of a job left behind."""

    status: int
    log: str
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    path: str = ""


Run = Callable[..., Job]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of a runner; what one job installs there, the next finds."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture
def action(runner: Path, tmp_path: Path) -> Run:
    """Runs the action in the folder ``work`` of the test."""
    work = tmp_path / "work"
    write(work, {"k8s/web.yaml": DEPLOYMENT})
    commit(work)
    return lambda **inputs: run_action(runner, work, **inputs)


def run_action(runner: Path, work: Path, **inputs: str) -> Job:
    """The steps of action.yml with ``inputs``, in ``work``."""
    given = DEFAULTS | {"python": sys.executable} | {name.replace("_", "-"): value for name, value in inputs.items()}
    assert given.keys() == DEFAULTS.keys(), "an input that action.yml does not have"
    values = {f"inputs.{name}": value for name, value in given.items()} | {"github.action_path": str(ROOT)}
    files = {name: runner / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
    for path in files.values():
        path.write_text("")
    job = Job(0, "")
    for step in STEPS:
        only = re.fullmatch(r"\$\{\{ inputs\.command (==|!=) 'install' \}\}", step.get("if", ""))
        assert only or "if" not in step
        if only and (given["command"] == "install") != (only[1] == "=="):
            continue
        script = runner / "step.sh"
        script.write_text(step["run"])
        environment = {name: expanded(text, values) for name, text in step.get("env", {}).items()}
        environment |= {name: str(path) for name, path in files.items()} | {"RUNNER_TEMP": str(runner)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=work, capture_output=True, text=True, env={**os.environ, **environment},
        )  # fmt: skip
        job.status, job.log = done.returncode, job.log + done.stdout + done.stderr
        if done.returncode:
            break
    job.outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    job.summary, job.path = files["GITHUB_STEP_SUMMARY"].read_text(), files["GITHUB_PATH"].read_text().strip()
    return job


def expanded(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: values[found[1]], text)


def test_inputs_come_in_through_the_environment_alone() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert step["shell"] == "bash" and "uses" not in step
        assert "${{" not in step["run"], step["name"]
    used = {
        name
        for step in STEPS
        for text in step.get("env", {}).values()
        for name in re.findall(r"inputs\.([\w-]+)", text)
    }
    assert used == DEFAULTS.keys()


@pytest.mark.parametrize(
    ("inputs", "status", "changed"),
    [
        ({}, 1, False),
        ({"command": "diff", "paths": "k8s\n"}, 1, False),
        ({"command": "apply", "paths": "k8s"}, 0, True),
        ({"command": "apply", "paths": "k8s", "options": "--skip\nrun-as-non-root\n--quiet"}, 0, False),
        ({"command": "apply", "paths": "k8s", "profile": "baseline", "max_risk": "safe"}, 0, False),
        ({"command": "format"}, 2, False),
        ({"paths": "gone"}, 2, False),
        ({"require": "k8s/*.yaml\nk8s"}, 1, False),
        ({"require": "k8s/*.yaml\napps"}, 2, False),
        ({"fail_on": "high"}, 0, False),
        ({"fail_on": "medium"}, 1, False),
        ({"fail_on": "none", "paths": "k8s"}, 0, False),
        ({"fail_on": "worst"}, 2, False),
        ({"fail_on": "worst", "command": "diff"}, 1, False),
        ({"no_waivers": "true", "allow_empty": "true"}, 1, False),
        ({"no_waivers": "true", "command": "apply", "paths": "k8s"}, 0, True),
        ({"paths": "--help"}, 2, False),
        ({"profile": "restrictd"}, 2, False),
        ({"reports": ""}, 1, False),
        ({"reports": "xml"}, 2, False),
        ({"reports": "../x"}, 2, False),
    ],
)
def test_a_job(inputs: dict[str, str], status: int, changed: bool, action: Run, tmp_path: Path) -> None:
    job = action(**inputs)
    assert job.status == status, job.log
    assert (HARDENED in (tmp_path / "work/k8s/web.yaml").read_text()) == changed
    if status < 2:
        assert job.outputs["status"] == str(status)
        report = Path(job.outputs["reports"], "harden.txt").read_text()
        heads = {"check": "check ", "diff": "# ", "apply": "hardened "}
        assert report.startswith(("changed nothing", "harden ", heads[inputs.get("command", "check")]))
        assert re.search(r"^::stop-commands::(\w+)\n" + re.escape(report) + r"::\1::$", job.log, re.M)
        assert job.summary.startswith("<!-- harden -->\n") == ("reports" not in inputs)


def test_a_job_whose_manifests_are_hardened_passes(action: Run) -> None:
    assert action(command="apply").status == 0
    job = action()
    assert (job.status, job.outputs["status"]) == (0, "0"), job.log


@pytest.mark.parametrize("name", [name for name in DEFAULTS if name not in ("command", "python")])
def test_an_input_is_never_run(name: str, action: Run, tmp_path: Path) -> None:
    action(**{name: "x$(touch pwned)`touch pwned`; touch pwned\n\"; touch pwned; '"})
    assert not list(tmp_path.rglob("pwned"))


HOSTILE = (
    "venv",
    "ensurepip",
    "pip",
    "hardener",
    "typing",
    "runpy",
    "yaml",
    "typer",
    "ruamel",
    "pathspec",
    "hatchling",
)


@pytest.mark.slow
def test_no_module_of_the_checkout_is_imported(tmp_path: Path) -> None:
    """A pull request may bring a venv.py, or a package that says it holds rules."""
    work, fresh = tmp_path / "work", tmp_path / "fresh"
    fresh.mkdir()
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'a').write(__name__ + chr(10))\nraise SystemExit(9)\n"
    entry = "[hardener.transforms]\nhostile = hostile\n"
    write(work, {"k8s/web.yaml": DEPLOYMENT, "hostile.py": code, "hostile-1.dist-info/entry_points.txt": entry,
                 "hostile-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: hostile\nVersion: 1\n",
                 "setup.py": code, "sitecustomize.py": code, **{f"{name}.py": code for name in HOSTILE}})  # fmt: skip
    commit(work)
    job = run_action(fresh, work, command="apply", paths="k8s")
    assert (job.status, ran.exists()) == (0, False), job.log
    assert HARDENED in (work / "k8s/web.yaml").read_text()


def test_reports_are_files_and_annotations(action: Run) -> None:
    job = action(reports="github\nsarif patch")
    folder = Path(job.outputs["reports"])
    assert re.search("^::(error|warning|notice) file=k8s/web.yaml,line=", job.log, re.M)
    assert json.loads((folder / "harden.sarif").read_text())["version"] == "2.1.0"
    assert (folder / "harden.patch").read_text().startswith("diff --git a/k8s/")
    assert job.summary == ""


def test_a_manifest_gives_the_runner_no_command(action: Run, tmp_path: Path) -> None:
    """The runner looks for ``::`` at the start of a line, behind blanks."""
    write(tmp_path / "work", {"k8s/web.yaml": DEPLOYMENT + "        args:\n        - |\n          ::add-mask::web\n"})
    log = action(command="diff").log
    assert "add-mask" in log, "the test shows nothing"
    open_part = re.sub(r"^::stop-commands::(\w+)\n.*?^::\1::$", "", log, flags=re.S | re.M)
    assert not re.search(r"^\s*::add-mask", open_part, re.M)


def test_install_puts_harden_on_the_path(action: Run) -> None:
    job = action(command="install")
    assert (job.status, job.outputs) == (0, {}), job.log
    shown = subprocess.run(
        ["harden", "--version"],
        env={"PATH": f"{job.path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert shown.stdout.startswith("harden "), shown.stderr
