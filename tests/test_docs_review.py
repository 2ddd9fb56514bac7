"""docs/exceptions.md and docs/rendered.md: the commands for reviews, and for what is written beside the source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .built import build, builder
from .conftest import DEPLOYMENT, Harden, commit, git, write
from .shown import block, section

# Page and heading, with the exit codes of its commands.
SECTIONS = {
    ("docs/exceptions.md", "Only what changed, only what is new"): [0, 0, 0],
    ("docs/rendered.md", "Beside the source"): [0, 0, 0],
}


@pytest.mark.kustomize
@pytest.mark.parametrize(("page", "heading"), SECTIONS)
def test_every_command_runs(page: str, heading: str, harden: Harden, tmp_path: Path) -> None:
    for folder in ("k8s", "vendor"):
        write(tmp_path, {f"{folder}/web.yaml": DEPLOYMENT, f"{folder}/kustomization.yaml": "resources: [web.yaml]\n"})
    commit(tmp_path)
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    lines = block(page, "sh", heading).splitlines()
    assert [harden(*line.split()[1:]).status for line in lines] == SECTIONS[page, heading]
    if shown := re.search(r"```yaml\n# kustomization.yaml\n(.*?)```", section(page, heading), re.S):
        write(tmp_path, {"kustomization.yaml": shown[1]})
        found, complaint = build(builder("kustomize"), tmp_path)
        assert found is not None, complaint
        assert {key[1] for key in found} == {"Deployment", "NetworkPolicy"}
