"""An object is judged by what it says, and not by the language that it is written in: YAML, a program, Terraform."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.pods.operator_templates import TEMPLATES

from .conftest import Harden, git, shared, write
from .test_operator_templates import example

STEP = 4  # of the rows of the table each such one
Told = dict[str, list[tuple[str, ...]]]


def in_terraform(document: dict[str, Any]) -> str:
    return f'resource "kubernetes_manifest" "x" {{\n  manifest = {json.dumps(document, indent=2)}\n}}\n'


LANGUAGES = {
    "yaml": lambda document: yaml.safe_dump(document, sort_keys=False),
    "py": lambda document: f"x = {document!r}\n",
    "tf": in_terraform,
}


def told(harden: Harden, folder: Path, documents: list[dict[str, Any]], language: str) -> Told:
    """The changes and findings in each document, by the name of its file without the ending."""
    write(folder, {f"{number:03}.{language}": LANGUAGES[language](each) for number, each in enumerate(documents)})
    git(folder, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json", cwd=folder).out)
    found: Told = {}
    for key in ("changes", "held", "findings"):
        for each in report[key]:
            if each["id"].startswith("netpol-"):
                continue  # new objects, which no program gets
            record = (key, each["id"], each["severity"], str(each.get("path") or ""))
            found.setdefault(each["file"].partition(".")[0], []).append(record)
    return {name: sorted(records) for name, records in found.items()}


def test_a_custom_resource_is_the_same_in_each_language(harden: Harden, tmp_path: Path) -> None:
    documents = [example(kind, row.pods[0]) for kind, row in TEMPLATES.items() if row.pods][::STEP]
    compare(harden, tmp_path, documents)


@pytest.mark.slow
def test_what_people_write_is_the_same_in_each_language(harden: Harden, tmp_path: Path) -> None:
    files = sorted(shared("findings", "reach", "crs").glob("*.yaml"))
    compare(harden, tmp_path, [yaml.safe_load(file.read_text()) for file in files])


def compare(harden: Harden, folder: Path, documents: list[dict[str, Any]]) -> None:
    wanted = told(harden, folder / "yaml", documents, "yaml")
    assert len(wanted) > len(documents) / 2
    for language in ("py", "tf"):
        found = told(harden, folder / language, documents, language)
        assert {name: found.get(name) for name in wanted if found.get(name) != wanted[name]} == {}
