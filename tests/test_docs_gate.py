"""docs/gate.md and docs/ci.md: a baseline of the target branch, and merge requests judged by what they touch."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, commit, git, run, write
from tests.shown import TOOLS, blocks, shell

DEBUG = """\
apiVersion: v1
kind: Pod
metadata: {name: debug}
spec:
  hostPID: true
  containers: [{name: sh, image: busybox, securityContext: {privileged: true}}]
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository that holds the example as ``k8s`` and its baseline."""
    origin = tmp_path / "origin"
    shutil.copytree(ROOT / "examples" / "shop", origin / "k8s")
    commit(origin)
    assert run("baseline", "write", "k8s", cwd=origin).status == 0
    commit(origin)
    git(origin, "branch", "-M", "main")
    (tmp_path / "temp").mkdir()
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


@pytest.mark.slow
def test_the_baseline_of_the_target_branch(clone: Path) -> None:
    page, temp = "docs/gate.md", str(clone.parent / "temp")
    (lines,) = blocks(page, "sh", "What is known")
    (shown,) = blocks(page, "yaml", "What is known")
    show, action = yaml.safe_load(shown)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert action["with"].keys() <= inputs.keys() and show["env"].keys() == {"BASE"}
    shell(show["run"], clone, RUNNER_TEMP=temp, BASE="main")
    assert (clone.parent / "temp/known").read_text() == (clone / "harden.baseline").read_text()
    assert "check passed" in shell(lines, clone, RUNNER_TEMP=temp)
    # Whoever sends it lists what it adds as known: the baseline of the target branch does not have it.
    write(clone, {"k8s/debug.yaml": DEBUG})
    assert run("baseline", "write", "k8s", cwd=clone).status == 0
    assert "check failed" in shell(lines, clone, RUNNER_TEMP=temp)


@pytest.mark.slow
def test_a_merge_request_is_judged_by_what_it_touches(clone: Path) -> None:
    page = yaml.safe_load(blocks("docs/ci.md", "yaml", "GitLab")[0])
    own = yaml.safe_load((ROOT / "integrations/gitlab/harden.gitlab-ci.yml").read_text(encoding="utf-8"))
    assert page["harden"].keys() <= own["harden"].keys()
    ((_, options),) = page["harden"]["rules"][0]["variables"].items()
    options = options.replace("$CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")

    def judged() -> int:
        line, names = own["harden"]["script"][-1], {"HARDEN_OPTIONS": options}
        names["PATH"] = os.pathsep.join((str(TOOLS), os.environ["PATH"]))
        return subprocess.run(["bash", "-c", line], cwd=clone, capture_output=True, env=os.environ | names).returncode

    assert judged() == 0
    write(clone, {"k8s/debug.yaml": DEBUG})
    assert judged() == 1
