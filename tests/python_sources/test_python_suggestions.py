"""Fixes and suggestions for programs: a change comes with the imports that it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..conftest import Harden, write

PROGRAM = """\
from kubernetes.client import (
    V1Container,
    V1PodSpec,
    V1PodTemplateSpec,
    V1ServicePort,
    V1Volume,
)

ports = [V1ServicePort(port=80)]


def pod(image):
    container = V1Container(
        name="main",
        image=image,
    )



    spec = V1PodSpec(
        containers=[container],
        restart_policy="Never",
    )
    return V1PodTemplateSpec(spec=spec)
"""


@pytest.mark.parametrize("format", ["github", "rdjson", "gitlab", "junit", "sarif"])
def test_names_that_go_to_several_places_of_an_import_are_reported(harden: Harden, tmp_path: Path, format: str) -> None:
    write(tmp_path, {"pods.py": PROGRAM})
    done = harden("check", ".", "--format", format)
    assert done.status == 1, done.err


def test_a_fix_holds_the_imports_that_it_needs(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pods.py": PROGRAM})
    found = json.loads(harden("check", ".", "--format", "sarif").out)
    fixes = [fix for result in found["runs"][0]["results"] for fix in result.get("fixes", ())]
    assert fixes
    for fix in fixes:
        texts = "".join(each["insertedContent"]["text"] for each in fix["artifactChanges"][0]["replacements"])
        for name in ("V1SecurityContext", "V1Capabilities", "V1PodSecurityContext"):
            assert texts.count(name) != 1, (name, texts)


def test_lines_that_a_change_needs_elsewhere_are_no_annotation(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pods.py": PROGRAM})
    lines = harden("check", ".", "--format", "github").out.splitlines()
    assert lines and not [line for line in lines if "Part of the changes" in line]
