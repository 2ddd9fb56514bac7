"""A census by other code than the product's: every container that a plain walk of a tree sees is an edit, a finding, a
workload with a level, or a counted line, at its object or at its lines.

The walk knows YAML as PyYAML composes it, Python as its ``ast`` does (``tests/python_sources/test_python_census.py``),
and of other languages what a search finds. It knows no API.
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

from tests.conftest import SHARED, Harden, git, shared
from tests.python_sources.test_python_census import census as in_python

TREES = (
    "apps", "charts", "conformance", "corpus", "design", "findings", "findings/reach", "images", "seed",
)  # fmt: skip
SAMPLE = ("findings/reach", "seed")  # that every run looks at
CONTAINERS = ("containers", "initContainers", "ephemeralContainers", "container", "script", "steps", "sidecars")
# A kind, and the lines behind it up to the end of the manifest.
_KIND = re.compile(
    r"(?m)^[ \t]*kind:[ \t]*(?:Deployment|Pod|Job|CronJob|StatefulSet|DaemonSet)[ \t\r]*$"
    r"(?:\n(?!---|```|[A-Z_]+$)[^\n]*)*"
)
_BLOCK = re.compile(
    r'(?m)^resource[ \t]+"(?:kubernetes_(?:pod|deployment|daemonset|stateful_set|job|cron_job|replication_controller)'
    r'(?:_v\d)?|helm_release)"[^\n]*(?:\n(?!\})[^\n]*)*'
)
_HEAD = 3  # lines of a manifest before its kind
OTHERS = {
    ".cue": re.compile(r'kind:\s*"(?:Deployment|Pod|Job)"'),
    ".jsonnet": re.compile(r"kind:\s*'(?:Deployment|Pod|Job)'"),
    ".ts": re.compile(r"new k8s\.\w+\.v\d\.(?:Deployment|Pod|Job)\("),
    ".go": re.compile(r"&(?:apps|core|batch)v1\.(?:Deployment|Pod|Job)\{"),
    ".java": re.compile(r"new (?:V1Pod|V1Deployment|PodBuilder|DeploymentBuilder)\("),
    ".tf": _BLOCK,
    **dict.fromkeys((".sh", ".md", ".j2", ".tmpl", ".txt", ".tpl"), _KIND),
}


class Seen(NamedTuple):
    """What the walk sees: a file, its first and last line, the kind and name of the object around, and what it is."""

    file: str
    first: int
    last: int
    kind: str = ""
    name: str = ""
    what: str = ""


def census(folder: Path) -> Iterator[Seen]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and ".git" not in path.parts:
            name = str(path.relative_to(folder))
            if path.suffix in (".yaml", ".yml"):
                yield from _in_yaml(name, path)
            elif (pattern := OTHERS.get(path.suffix)) is not None:
                yield from _found(name, path.read_text(errors="replace"), pattern)
    yield from (Seen(each.file, each.first, each.last, what=each.name) for each in in_python(folder))


def _in_yaml(name: str, path: Path) -> Iterator[Seen]:
    try:
        documents = list(yaml.compose_all(path.read_bytes(), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError):
        found = _found(name, path.read_text(errors="replace"), _KIND)  # a template, or broken
        yield from (each._replace(first=max(1, each.first - _HEAD)) for each in found)
        return
    for document in documents:
        yield from _of(name, document, ("", "", 0, 0), frozenset())


def _found(name: str, text: str, pattern: re.Pattern[str]) -> Iterator[Seen]:
    for match in pattern.finditer(text):
        first = text.count("\n", 0, match.start()) + 1
        yield Seen(name, first, first + match.group().count("\n"), what=match.group().partition("\n")[0])


def _of(file: str, node: Any, around: tuple[str, str, int, int], above: frozenset[int]) -> Iterator[Seen]:
    """The containers in ``node``, each with the innermost object around it."""
    if id(node) in above:
        return
    above |= {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _of(file, each, around, above)
    if not isinstance(node, yaml.MappingNode):
        return
    given = _given(node)
    kind = _text(given.get("kind"))
    if kind == "CustomResourceDefinition":  # its schema describes containers, and has none
        return
    if kind and "apiVersion" in given and not (kind.endswith("List") and "items" in given):
        around = (kind, _name(given), node.start_mark.line + 1, node.end_mark.line + 1)
    for key, value in node.value:
        if _text(key) in CONTAINERS:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if isinstance(each, yaml.MappingNode) and _text(_given(each).get("image")):
                    first = each.start_mark.line + 1
                    lines = around[2:] if around[0] else (first - 3, each.end_mark.line + 1)  # the key stands before it
                    yield Seen(file, *lines, *around[:2], f"{_text(_given(each)['image'])} (line {first})")
        yield from _of(file, value, around, above)


def _given(node: yaml.MappingNode) -> dict[str, Any]:
    return {_text(key): value for key, value in node.value}


def _text(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _name(given: dict[str, Any]) -> str:
    metadata = given.get("metadata")
    own = _given(metadata) if isinstance(metadata, yaml.MappingNode) else {}
    prefix = _text(own.get("generateName"))
    return _text(own.get("name")) or (f"{prefix}*" if prefix else "")


class Told:
    """What a report tells of: objects, lines, and files or folders as a whole."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.objects: set[tuple[str, str, str]] = set()
        self.lines: dict[str, set[int]] = {}
        self.whole = tuple(place for each in report["leftOut"] for place in each["places"])
        self.charts = tuple(
            each["file"].partition("templates/")[0] + "templates/"
            for each in report["findings"]
            if each["id"] == "template" and "templates/" in each["file"]
        )
        for note in report["notes"]:
            for place in note.get("places", ()):
                self.lines.setdefault(place["file"], set()).add(place["line"])
        for key in ("changes", "held", "findings", "refused", "waived", "levels"):
            for record in report[key]:
                self._add(record)

    def _add(self, record: dict[str, Any]) -> None:
        if (item := record.get("object")) is not None:
            self.objects.add((record["file"], item["kind"], item.get("name") or ""))
        if record.get("line"):
            self.lines.setdefault(record["file"], set()).add(record["line"])

    def tells_of(self, seen: Seen) -> bool:
        if seen.file.startswith((*self.whole, *self.charts)) or (seen.file, seen.kind, seen.name) in self.objects:
            return True
        return any(seen.first <= line <= seen.last for line in self.lines.get(seen.file, ()))


def silent(folder: Path, harden: Harden) -> tuple[list[Seen], list[Seen]]:
    """What the walk sees below ``folder``, and what of it a run does not tell of."""
    git(folder, "init", "-q")
    told = Told(json.loads(harden("check", ".", "--format", "json", cwd=folder).out))
    found = list(census(folder))
    return found, [seen for seen in found if not told.tells_of(seen)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.long) for name in TREES]
)
def test_nothing_is_silent(name: str, harden: Harden, tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    shutil.copytree(shared(*name.split("/")), copy, symlinks=True)
    found, missing = silent(copy, harden)
    assert missing == []
    assert found or name == "images"


BUNDLES = sorted(path.name for path in (SHARED / "truth" / "cases").glob("*"))


@pytest.mark.slow
@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", BUNDLES)
def test_nothing_of_a_bundle_is_silent(name: str, harden: Harden, tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    shutil.copytree(shared("truth", "cases", name, "naked"), copy, symlinks=True)
    found, missing = silent(copy, harden)
    assert missing == []
    assert found


BOX = "{name: a, image: 'a:1', securityContext: {privileged: true}}"
POD = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{BOX}]}}\n"
FORMS = {
    "list.yaml": f"apiVersion: v1\nkind: PodList\nitems:\n- metadata: {{name: a}}\n  spec: {{containers: [{BOX}]}}\n",
    "odd.yaml": f"apiVersion: a.b/v1\nkind: Odd\nmetadata: {{name: a}}\nspec: {{pod: {{containers: [{BOX}]}}}}\n",
    "values.yaml": "extra:\n  initContainers:\n  - name: a\n    image: b:1\n",
    "a.tf": 'resource "helm_release" "a" {\n  chart = "redis"\n}\n',
    "a.cue": 'a: {apiVersion: "v1", kind: "Pod"}\n',
    "run.sh": f"kubectl apply -f - <<EOF\n{POD}EOF\n",
    "docs/a.md": "```yaml\napiVersion: v1\nkind: Pod\n```\n",
    "tests/a.cue": 'a: {apiVersion: "v1", kind: "Pod"}\n',
    "chart/templates/a.yaml": "{{- if .Values.a }}\napiVersion: v1\nkind: Pod\n{{- end }}\n",
    "chart/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
    "testdata/a.yaml": POD,
    "a.py": "from house import schemas\n\nx = schemas.V1Container(name='a', image='a:1')\n",
}


def test_the_walk_sees_each_form_and_a_run_tells_of_it(harden: Harden, tmp_path: Path) -> None:
    for name, text in FORMS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found, missing = silent(tmp_path, harden)
    assert {seen.file for seen in found} == FORMS.keys() - {"chart/Chart.yaml"}
    assert missing == []


def test_what_no_line_tells_of_is_silent() -> None:
    report: dict[str, Any] = {key: [] for key in ("changes", "held", "findings", "refused", "waived", "levels")}
    report |= {"notes": [], "leftOut": []}
    one = Seen("a.yaml", 3, 9, "Pod", "a")
    assert not Told(report).tells_of(one)
    report["findings"] = [{"id": "x", "file": "a.yaml", "line": 10, "object": None}]
    assert not Told(report).tells_of(one)
    report["findings"] = [{"id": "x", "file": "a.yaml", "line": 5, "object": None}]
    assert Told(report).tells_of(one)
