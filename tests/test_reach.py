"""Forms in which workloads stand outside of plain manifests, from beside the repository: each is edited, or said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .conftest import Harden, git, shared


def report_of(folder: str, harden: Harden, tmp_path: Path) -> dict[str, Any]:
    copy = tmp_path / "tree"
    shutil.copytree(shared("findings", *folder.split("/")), copy)
    git(copy, "init", "-q")
    report: dict[str, Any] = json.loads(harden("check", ".", "--format", "json", cwd=copy).out)
    return report


@pytest.mark.parametrize(
    ("folder", "file", "edit"),
    [
        ("reach/ansible", "tasks/main.yml", "no-privileged"),
        ("reach/heredoc-sh", "deploy.sh", "no-privileged"),
        ("reach/plain-braces", "deploy.yaml", "no-privileged"),
        ("face/our-bug", "a.yaml", "read-only-root-filesystem"),
    ],
)
def test_it_is_edited_where_it_stands(folder: str, file: str, edit: str, harden: Harden, tmp_path: Path) -> None:
    report = report_of(folder, harden, tmp_path)
    assert (file, edit) in {(each["file"], each["id"]) for each in report["changes"]}
    assert report["refused"] == []


SILENT = {
    "fleet/fleet.yaml": "Fleet",
    "helmfile.yaml": "helmfile",
    "kustomization.yaml": "kustomize",
    "main.tf": "Terraform",
    "umbrella/Chart.yaml": "dependencies of charts",
    "web.cue": "CUE",
    "web.jsonnet": "Jsonnet",
    "web.ts": "Pulumi",
}


def test_each_form_that_nothing_reads_has_a_line_with_the_way_out(harden: Harden, tmp_path: Path) -> None:
    found = [
        each
        for each in report_of("reach/silent-forms", harden, tmp_path)["findings"]
        if each["id"] == "unread-workload"
    ]
    assert {each["file"] for each in found} == SILENT.keys()
    assert [each for each in found if SILENT[each["file"]] not in each["message"]] == []
    assert [each for each in found if not (each["line"] and "harden" in each["advice"])] == []


@pytest.mark.parametrize(
    ("folder", "file", "said"),
    [
        ("reach/kust", "flux/ks.yaml", "spec.patches of Kustomization/web changes what is in the folder"),
        ("reach/kust", "comp/kustomization.yaml", "container web: privileged: true"),
    ],
)
def test_what_changes_a_folder_is_said(folder: str, file: str, said: str, harden: Harden, tmp_path: Path) -> None:
    findings = report_of(folder, harden, tmp_path)["findings"]
    assert [each["file"] for each in findings if said in each["message"]] == [file]
