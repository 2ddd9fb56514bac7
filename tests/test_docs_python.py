"""docs/programs.md: its program, the change of it, its findings, its hooks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hardener.commands.hooks import NAMES

from .conftest import commit, run
from .shown import block, hold, read

PAGE = "docs/programs.md"
HEADING = "Programs in Python"


@pytest.fixture
def report(tmp_path: Path) -> str:
    """What the command of the page prints for its program."""
    (tmp_path / "report.py").write_text(block(PAGE, "python", HEADING), encoding="utf-8")
    commit(tmp_path)
    command = re.search(r"`harden (diff --only [^`]+)`", read(PAGE))
    assert command is not None
    done = run(*command[1].split(), cwd=tmp_path)
    assert done.status == 1, done.err
    return done.out + "\n" + done.err  # the patch, and the report beside it


def test_the_change_is_that_of_a_real_run(report: str, request: pytest.FixtureRequest) -> None:
    patch = report[report.index("--- a/report.py") :].partition("\n\nharden ")[0] + "\n"
    hold(request, PAGE, block(PAGE, "diff", HEADING), patch)


def test_the_findings_are_those_of_a_real_run(report: str, request: pytest.FixtureRequest) -> None:
    found = report.partition("Needs manual work")[2].partition("\n")[2].partition("\n\n")[0] + "\n"
    hold(request, PAGE, block(PAGE, "text", HEADING), found)


def test_each_hook_of_the_section_is_printed(tmp_path: Path) -> None:
    named = re.findall(r"`harden hook\s+(\w+)`", read(PAGE))
    assert sorted(named) == sorted(NAMES)
    for name in named:
        done = run("hook", name, cwd=tmp_path)
        assert done.status == 0
        compile(done.out, name, "exec")


YAML_IN_A_TEXT = '''\
import yaml


def pod(name):
    return yaml.safe_load(f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  hostPID: true
  containers: [{{name: a, image: b}}]
""")
'''


def test_what_the_list_of_the_section_says(tmp_path: Path) -> None:
    texts = tmp_path / "texts.py"
    texts.write_text(YAML_IN_A_TEXT, encoding="utf-8")
    assert run("apply", "--quiet", "--yes", "--only", "no-host-pid", "texts.py", cwd=tmp_path).status == 0
    assert texts.read_text(encoding="utf-8") == YAML_IN_A_TEXT.replace("  hostPID: true\n", "")
    waiver = re.search(r"`(# harden: ignore\[no-host-pid\] [^`]+)`", read(PAGE))
    assert waiver is not None
    waived = f'POD = {{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "a"}}, "spec": {{\n    {waiver[1]}\n'
    waived += '    "hostPID": True,\n    "containers": [{"name": "a", "image": "b"}],\n}}\n'
    (tmp_path / "waived.py").write_text(waived, encoding="utf-8")
    done = run("diff", "--only", "no-host-pid", "waived.py", cwd=tmp_path)
    assert (done.status, "1 waived" in done.all) == (0, True)
