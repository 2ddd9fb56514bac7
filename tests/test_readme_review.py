"""The commands that the README shows for reviews: each of them is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .built import build, builder
from .conftest import DEPLOYMENT, ROOT, Harden, commit, write

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = {"Only what changed, only what is new": [0, 0, 0], "Beside the source": [0, 0, 0]}  # with exit codes


@pytest.mark.kustomize
@pytest.mark.parametrize("title", SECTIONS)
def test_every_command_runs(title: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"vendor/web.yaml": DEPLOYMENT, "vendor/kustomization.yaml": "resources: [web.yaml]\n"})
    commit(tmp_path)
    section = README.partition(f"## {title}\n")[2].partition("\n## ")[0]
    commands = re.search(r"```sh\n(.*?)```", section, re.S)
    assert commands is not None, f"the README has no section {title!r} with commands"
    lines = commands[1].splitlines()
    assert [harden(*line.split()[1:]).status for line in lines] == SECTIONS[title]
    if shown := re.search(r"```yaml\n# kustomization.yaml\n(.*?)```", section, re.S):
        write(tmp_path, {"kustomization.yaml": shown[1]})
        found, complaint = build(builder("kustomize"), tmp_path)
        assert found is not None, complaint
        assert {key[1] for key in found} == {"Deployment", "NetworkPolicy"}
