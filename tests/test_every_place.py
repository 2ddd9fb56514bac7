"""A finding that stands for several objects names each of them, and a baseline knows it by any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Harden, write

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {0}, namespace: shop}}
spec:
  containers:
  - {{name: a, image: "nginx:1.27"}}
"""
ONLY = ("--only", "pin-image-digest")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {f"{name}.yaml": POD.format(name) for name in ("p1", "p2", "p3")})
    return tmp_path


def test_json_names_every_place(tree: Path, harden: Harden) -> None:
    [finding] = json.loads(harden("check", *ONLY, "--format", "json").out)["findings"]
    assert (finding["file"], finding["line"]) == ("p1.yaml", 6)
    assert [(also["file"], also["line"], also["object"]["name"]) for also in finding["also"]] == [
        ("p2.yaml", 6, "p2"),
        ("p3.yaml", 6, "p3"),
    ]


def test_sarif_names_every_place(tree: Path, harden: Harden) -> None:
    [result] = json.loads(harden("check", *ONLY, "--format", "sarif").out)["runs"][0]["results"]
    related = [place["physicalLocation"] for place in result["relatedLocations"]]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in related] == [
        ("p2.yaml", 6),
        ("p3.yaml", 6),
    ]


def test_the_long_report_names_every_place(tree: Path, harden: Harden) -> None:
    out = harden("check", *ONLY, "-v").out
    assert "p1.yaml:6 Pod/p1" in out and "also p2.yaml:6 Pod/p2" in out and "also p3.yaml:6 Pod/p3" in out


@pytest.mark.parametrize("gone", ["p1", "p2", "p3"])
def test_a_baseline_does_not_hang_on_the_first_file(gone: str, tree: Path, harden: Harden) -> None:
    harden("baseline", "write", *ONLY)
    (tree / f"{gone}.yaml").unlink()
    write(tree, {f"{new}.yaml": POD.format(new) for new in ("a0", "z9")})
    ran = harden("check", *ONLY, "--baseline", "harden.baseline", "--fail-on", "low")
    assert ran.status == 0
    assert "1 entry matches nothing in this run" in ran.out and f"Pod shop/{gone}" in ran.out
