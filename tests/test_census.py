"""A census by other code than the product's: every container that a plain walk of a tree sees is an edit, a finding, a
workload with a level, or a counted line.

The walk knows YAML as PyYAML reads it, and of other languages what a search finds. It knows no API.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.conftest import Harden, git, shared

TREES = (
    "apps", "charts", "corpus/argo-cd", "corpus/bad-pods", "corpus/kube-prometheus", "corpus/kubernetes-examples",
    "corpus/microservices-demo", "corpus/podinfo", "findings", "findings/reach", "seed",
)  # fmt: skip
SAMPLE = ("findings/reach", "seed")  # that every run looks at
OTHERS = {
    ".cue": re.compile(r'kind:\s*"(?:Deployment|Pod|Job)"'),
    ".jsonnet": re.compile(r"kind:\s*'(?:Deployment|Pod|Job)'"),
    ".ts": re.compile(r"new k8s\.\w+\.v\d\.(?:Deployment|Pod|Job)\("),
    ".go": re.compile(r"&(?:apps|core|batch)v1\.(?:Deployment|Pod|Job)\{"),
    ".java": re.compile(r"new (?:V1Pod|V1Deployment|PodBuilder|DeploymentBuilder)\("),
    **dict.fromkeys((".sh", ".md", ".j2", ".tmpl", ".txt"), re.compile(r"(?m)^kind: (?:Deployment|Pod|Job)$")),
    ".tf": re.compile(r'(?m)^resource "(?:kubernetes_(?:pod|deployment|job|replication_controller)\w*|helm_release)"'),
}
CONTAINERS = ("containers", "initContainers", "container", "script", "steps", "sidecars")
_TEST_DATA = {"testdata", "fixtures", "golden", "node_modules"}


class Container(NamedTuple):
    """A container that the walk sees: its file, the kind and name of the object around it, and its image."""

    file: str
    kind: str
    name: str
    image: str


def in_yaml(folder: Path) -> Iterator[Container]:
    for path in sorted(folder.rglob("*.y*ml")):
        if path.is_file() and not _TEST_DATA.intersection(path.relative_to(folder).parts):
            try:
                documents = list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
            except (yaml.YAMLError, ValueError):
                continue
            for document in documents:
                yield from _of(str(path.relative_to(folder)), document)


def _of(file: str, value: Any, kind: str = "None", name: str = "") -> Iterator[Container]:
    """The containers in ``value``, each with the innermost object around it."""
    if isinstance(value, list):
        for child in value:
            yield from _of(file, child, kind, name)
    if not isinstance(value, dict) or value.get("kind") == "CustomResourceDefinition":  # its schema describes them
        return
    if isinstance(value.get("items"), list) and isinstance(value.get("kind"), str) and value["kind"].endswith("List"):
        own = {
            "apiVersion": value.get("apiVersion"),
            "kind": value["kind"].removesuffix("List"),
        }  # kubectl gives it to them
        value = value | {"items": [own | item if isinstance(item, dict) else item for item in value["items"]]}
    elif isinstance(value.get("kind"), str) and value.get("apiVersion"):
        metadata = value["metadata"] if isinstance(value.get("metadata"), dict) else {}
        prefix = metadata.get("generateName")
        kind, name = value["kind"], str(metadata.get("name") or (f"{prefix}*" if prefix else ""))
    for key, child in value.items():
        if key in CONTAINERS:
            listed = child if isinstance(child, list) else [child]
            images = [each["image"] for each in listed if isinstance(each, dict) and each.get("image")]
            yield from (Container(file, kind, name, str(image)) for image in images)
        yield from _of(file, child, kind, name)


def in_others(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        pattern = OTHERS.get(path.suffix)
        if pattern is not None and path.is_file() and pattern.search(path.read_text(errors="replace")):
            yield str(path.relative_to(folder))


class Told:
    """What a report tells of: files as a whole, and objects in them."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.files: set[str] = {place["file"] for note in report["notes"] for place in note.get("places", ())}
        self.objects: set[tuple[str, str, str]] = set()
        self.left_out = [place for each in report["leftOut"] for place in each.get("places", ())]
        records = [*report["changes"], *report["held"], *report["findings"], *report["refused"], *report["waived"]]
        for record in records:
            self._add(record)
        for workload in report["levels"]:
            self._add(workload)

    def _add(self, record: dict[str, Any]) -> None:
        file, item = record.get("file", ""), record.get("object")
        if item is None:
            self.files.add(file)
        else:
            self.objects.add((file, item["kind"], item.get("name") or ""))

    def tells_of(self, seen: Container) -> bool:
        if seen.file in self.files or any(seen.file.startswith(place) for place in self.left_out):
            return True
        return (seen.file, seen.kind, seen.name) in self.objects


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.slow) for name in TREES]
)
def test_nothing_is_silent(name: str, harden: Harden, tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    shutil.copytree(shared(*name.split("/")), copy, symlinks=True)
    git(copy, "init", "-q")
    told = Told(json.loads(harden("check", ".", "--format", "json", cwd=copy).out))
    census = list(in_yaml(copy))
    assert census
    assert [seen for seen in census if not told.tells_of(seen)] == []
    spoken = told.files | {file for file, _, _ in told.objects}
    assert [file for file in in_others(copy) if file not in spoken] == []
