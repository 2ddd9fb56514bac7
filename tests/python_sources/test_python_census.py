"""A census of programs by other code than the product's: every container that a plain walk of their syntax sees is an
edit, a finding or a counted line.

The walk knows the ``ast`` of Python and no API: a call whose name ends with ``Container`` or ``PodOperator``, and a
dict with a name, an image and a field that only a container of Kubernetes has.
"""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hardener.sources.python.sightings import sightings
from tests.conftest import Harden, git, shared

TREES = ("findings",)
OF_KUBERNETES = {"securityContext", "security_context", "imagePullPolicy", "volumeMounts", "envFrom"}
LEAST = 0.8  # of the containers that are edited, or wait for a decision
BOX = '{"name": "a", "image": "example.com/a:1", "securityContext": {"privileged": True}}'
CALLS = ("V1Container", "ContainerArgs", "PodOperator")


class Container(NamedTuple):
    """A container that the walk sees: its file, its first and last line, and what it is called by."""

    file: str
    first: int
    last: int
    name: str


def census(folder: Path) -> Iterator[Container]:
    for path in sorted(folder.rglob("*.py")):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            name = _container(node)
            if name is not None:
                yield Container(str(path.relative_to(folder)), node.lineno, node.end_lineno or 0, name)  # type: ignore


def _container(node: ast.AST) -> str | None:
    """What a container is called; None for any other expression."""
    if isinstance(node, ast.Call):
        callee = ast.unparse(node.func)
        given = {each.arg: each.value for each in node.keywords if each.arg}
        is_one = (
            callee.endswith(CALLS) and "super()" not in callee and not given.keys().isdisjoint(("image", "task_id"))
        )
        return callee + "/" + ast.unparse(given["name"]) if is_one and "name" in given else None
    if not isinstance(node, ast.Dict):
        return None
    own = {key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)}
    is_one = {"name", "image"} <= own.keys() and not OF_KUBERNETES.isdisjoint(map(str, own))
    return ast.unparse(own["name"]) if is_one else None


def told(report: dict[str, Any], *keys: str) -> set[tuple[str, int]]:
    """The files and lines that records of a report name."""
    return {(record["file"], record["line"]) for key in keys for record in report[key] if record.get("line")}


def is_in(seen: Container, places: set[tuple[str, int]]) -> bool:
    return any((seen.file, line) in places for line in range(seen.first, seen.last + 1))


def copy_of_programs(source: Path, folder: Path) -> None:
    for path in source.rglob("*.py"):
        copy = folder / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    git(folder, "init", "-q")


@pytest.mark.parametrize("name", TREES)
def test_no_container_of_a_program_is_silent(name: str, harden: Harden, tmp_path: Path) -> None:
    copy_of_programs(shared(name), tmp_path)
    seen = list(census(tmp_path))
    assert seen
    report = json.loads(harden("check", ".", "--format", "json", cwd=tmp_path).out)
    edited = told(report, "changes", "held")
    spoken = edited | told(report, "findings", "refused", "waived")
    assert [each for each in seen if not is_in(each, spoken)] == []
    recall = sum(is_in(each, edited) for each in seen)
    assert recall >= LEAST * len(seen), [each for each in seen if not is_in(each, edited)]


FORMS = {
    "what a function returns": 'def f(i):\n    return BOX\n\n\nx = {"spec": {"containers": [f(1)]}}\n',
    "either arm of a condition": 'def f(a):\n    return {"spec": {"containers": [BOX if a else None, BOX]}}\n',
    "an item of a dict": 'ITEMS = {"a": BOX}\nX = {"spec": {"containers": [ITEMS["a"]]}}\n',
    "init containers without a library": 'def f(pod):\n    pod["spec"]["initContainers"] += [BOX]\n',
    "what goes to a parameter": "def f(init_containers):  # of a pod\n    init_containers.append(BOX)\n",
}


def test_the_walk_sees_each_form_and_harden_edits_it(harden: Harden, tmp_path: Path) -> None:
    for number, text in enumerate(FORMS.values()):
        (tmp_path / f"{number}.py").write_text(text.replace("BOX", BOX))
    git(tmp_path, "init", "-q")
    seen = list(census(tmp_path))
    assert {each.file for each in seen} == {f"{number}.py" for number in range(len(FORMS))}
    edited = told(json.loads(harden("check", ".", "--format", "json", cwd=tmp_path).out), "changes")
    assert [each for each in seen if not is_in(each, edited)] == []


SILENT = {
    "a class of a house library": "from house.k8s import schemas\n\nx = schemas.V1Container(name='a', image='a:1')\n",
    "one that is filled in later": "from house.k8s import V1Container\n\n\ndef f(c):\n    return c or V1Container()\n",
    "an operator of the house": "from house import OwnPodOperator\n\nOwnPodOperator(task_id='a', image='a:1')\n",
    "a pod of the house": "from house.k8s import m\n\nx = m.V1Pod(spec=m.Spec([m.Box(image='a:1')]), why=1)\n",
    "settings in snake case": "import dagster_k8s\n\nx = f({}, {'name': 'a', 'image': i, 'image_pull_policy': p})\n",
    "a patch": 'x = {"spec": {"containers": [{"name": "a", "volumeMounts": []}]}}\n',
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_what_nothing_reads_in_a_program_is_counted(text: str, harden: Harden, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.py").write_text(text)
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json", cwd=tmp_path).out)
    found = [(each["file"], each["message"]) for each in report["findings"] if each["id"] == "unread-workload"]
    assert [file for file, _ in found] == ["a.py"]
    assert found[0][1].startswith("not looked at: ") and found[0][1].endswith(" in programs")
    assert [each["places"][0]["file"] for each in report["notes"] if each["id"] == "documents"] == ["docs/a.py"]


def test_other_programs_are_not_counted() -> None:
    others = [
        "Container(name='a', image='a:1')\n",  # of docker
        "from kubernetes import client\n\nclient.V1Pod\nx: client.V1Container = None\n",
        "x = {'name': 'a', 'image': 'a:1', 'env': {}}\n# V1Container(\n",
        "x = {'containers': [{'name': 'a', 'image': 'a:1', 'essential': True}]}\n",  # of ECS
        "def V1Pod(:\n    V1Container(image='a:1')\n",
    ]
    assert [sightings(text.encode()) for text in others] == [[]] * len(others)
    assert sightings(b"V1Container(image='a')\nV1Container(image='b')\n", [(1, 1)]) == [(2, "V1Container")]
