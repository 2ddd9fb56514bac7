"""Which of several objects of one name is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Nearby
from hardener.tree.tree import Tree

from .conftest import write

POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: asks{}}}\nspec: {{containers: [{{name: a, image: a}}]}}\n"
MAP = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: x{}, labels: {{here: {}}}}}\n"


def pod(namespace: str = "") -> str:
    return POD.format(namespace and f", namespace: {namespace}")


def account(here: str, namespace: str = "") -> str:
    return MAP.format(namespace and f", namespace: {namespace}", here)


PLACES = [
    ("the same file before its folder", {"a/p.yaml": pod() + account("file"), "a/q.yaml": account("folder")}, ["file"]),
    ("its folder before others", {"a/p.yaml": pod(), "a/q.yaml": account("folder"), "b/q.yaml": account("far")},
     ["folder"]),
    ("a build before its folder",
     {"a/kustomization.yaml": "resources: [p.yaml, ../b/q.yaml]", "a/p.yaml": pod(), "a/q.yaml": account("folder"),
      "b/q.yaml": account("build")}, ["build"]),
    ("a namespace that is written before what is near",
     {"a/p.yaml": pod("own"), "a/sub/q.yaml": account("near"), "b/q.yaml": account("namespace", "own")}, ["namespace"]),
    ("never another namespace", {"a/p.yaml": pod("own") + account("file", "other"), "b/q.yaml": account("far")},
     ["far"]),
    ("the deepest folder above", {"a/b/p.yaml": pod(), "a/c/q.yaml": account("near"), "d/q.yaml": account("far")},
     ["near"]),
    ("all that are equally far", {"a/p.yaml": pod(), "b/q.yaml": account("one"), "c/q.yaml": account("other")},
     ["one", "other"]),
    ("nothing", {"a/p.yaml": pod()}, []),
]  # fmt: skip


@pytest.mark.parametrize(("files", "here"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_what_is_meant(files: dict[str, str], here: list[str], tmp_path: Path) -> None:
    write(tmp_path, files)
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    near = Nearby(tree.ask(Builds), tree.of("", "ServiceAccount"))
    found = near.of(tree.pod_templates[0].object)
    assert [item.text("metadata", "labels", "here") for item in found] == here


def test_of_very_many_a_few_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"p.yaml": pod(), **{f"{n}/q.yaml": account(f"l{n}") for n in range(100)}})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    near = Nearby(tree.ask(Builds), tree.of("", "ServiceAccount"))
    assert 0 < len(near.of(tree.pod_templates[0].object)) < 20


def test_it_tells_whether_they_stand_beside(tmp_path: Path) -> None:
    write(tmp_path, {"a/p.yaml": pod(), "a/q.yaml": account("folder"), "b/p.yaml": pod()})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    near = Nearby(tree.ask(Builds), tree.of("", "ServiceAccount"))
    assert [near.placed(template.object)[1] for template in tree.pod_templates] == [True, False]
