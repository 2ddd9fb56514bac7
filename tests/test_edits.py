"""Edits on plain data: where they land, what they refuse, and how paths move when list items go."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from hardener.authoring.edits import (
    Append,
    Basis,
    Drop,
    Edit,
    Grade,
    Insert,
    Set,
    WrongShapeError,
    copied_along,
    places,
    replay,
)
from hardener.engine.document import Document
from hardener.engine.index_shifts import as_inserted, as_read, as_written, shifts
from hardener.sources.files import Content
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.open_values import opened
from hardener.support.data_path import Path, below, dotted, value_at


def piece() -> Piece:
    return Piece(ManifestFile("/x.yaml", "x.yaml", Content("", False, 0, 0), True), 0, 0, 0)


def put(*path: str | int, to: Any, type_name: str | None = None) -> Edit:
    return Set(
        piece=piece(), path=path, value=to, grade=Grade.SAFE, basis=Basis.PROVED, type_name=type_name, typed=1
    )  # fmt: skip


def add(*path: str | int, value: Any) -> Edit:
    return Append(piece=piece(), path=path, value=value, grade=Grade.SAFE, basis=Basis.PROVED)


def before(*path: str | int, value: Any) -> Insert:
    return Insert(piece=piece(), path=path, value=value, grade=Grade.SAFE, basis=Basis.PROVED)


def drop(*path: str | int) -> Edit:
    return Drop(piece=piece(), path=path, grade=Grade.SAFE, basis=Basis.PROVED)


@pytest.mark.parametrize(
    ("data", "step", "expected"),
    [
        ({"a": 1}, [put(0, "a", to=2)], {"a": 2}),
        ({"l": [1, 2]}, [before(0, "l", 0, value=0)], {"l": [0, 1, 2]}),
        ({"l": [1, 2]}, [before(0, "l", 1, value=8), before(0, "l", 1, value=9)], {"l": [1, 8, 9, 2]}),
        ({"l": [1, 2]}, [before(0, "l", 2, value=3), add(0, "l", value=4)], {"l": [1, 2, 3, 4]}),
        ({"l": [1, 2]}, [before(0, "l", 1, value=9), drop(0, "l", 1)], {"l": [1, 9]}),
        ({}, [put(0, "a", "b", to=True)], {"a": {"b": True}}),
        ({"a": None}, [put(0, "a", "b", to=True)], {"a": {"b": True}}),
        ({"a": {"b": 1}}, [drop(0, "a", "b")], {"a": {}}),
        ({"l": [1, 2, 3]}, [drop(0, "l", 0), drop(0, "l", 2)], {"l": [2]}),
        ({"l": [1, 2]}, [put(0, "l", 1, to=9), drop(0, "l", 0)], {"l": [9]}),
        ({}, [add(0, "l", value=1), add(0, "l", value=2)], {"l": [1, 2]}),
        ({"l": None}, [add(0, "l", value=1)], {"l": [1]}),
        ({"v": {"hostPath": {}}}, [drop(0, "v", "hostPath"), put(0, "v", "emptyDir", to={})], {"v": {"emptyDir": {}}}),
    ],
)
def test_a_step_means_the_data_before_it(data: Any, step: list[Edit], expected: Any) -> None:
    documents = [deepcopy(data)]
    replay(documents, step)
    assert documents == [expected]


@pytest.mark.parametrize(
    ("keys", "new", "expected"),
    [
        (["name", "image", "env"], "resources", ["name", "image", "env", "resources"]),
        (["name", "image", "livenessProbe"], "securityContext", None),
    ],
)
def test_a_new_key_is_placed_by_the_order_of_its_type(keys: list[str], new: str, expected: list[str] | None) -> None:
    documents: list[Any] = [dict.fromkeys(keys, 1)]
    replay(documents, [put(0, new, to=2, type_name="Container")])
    found = list(documents[0])
    assert found == expected if expected else found.index(new) == found.index("image") + 1


@pytest.mark.parametrize(
    ("data", "edit"),
    [
        ({"a": "text"}, put(0, "a", "b", to=1)),
        ({"a": [1]}, put(0, "a", "b", to=1)),
        ({"l": {"x": 1}}, add(0, "l", value=1)),
    ],
)
def test_a_wrong_shape_is_told_before_anything_changed(data: Any, edit: Edit) -> None:
    with pytest.raises(WrongShapeError):
        places([data], [put(0, "new", to=1), edit])
    with pytest.raises(WrongShapeError):
        replay([deepcopy(data)], [edit])


def test_values_are_never_shared_between_documents() -> None:
    value: dict[str, Any] = {"drop": ["ALL"]}
    documents: list[Any] = [{}, {}]
    replay(documents, [put(0, "c", to=value)])
    replay(documents, [put(1, "c", to=value)])
    documents[0]["c"]["drop"].append("x")
    assert documents[1]["c"]["drop"] == value["drop"] == ["ALL"]


def test_an_appended_item_has_the_index_it_gets() -> None:
    step = [add(0, "l", value="c"), add(0, "l", value="d"), put(0, "a", to=1)]
    assert [path for path, _ in places([{"l": ["a", "b"]}], step)] == [(0, "l", 2), (0, "l", 3), (0, "a")]


@pytest.mark.parametrize(
    ("path", "step", "written", "read"),
    [
        ((0, "l", 0), 0, (0, "l", 0), (0, "l", 0)),
        ((0, "l", 1), 0, None, (0, "l", 1)),
        ((0, "l", 3, "x"), 0, (0, "l", 1, "x"), (0, "l", 3, "x")),
        ((0, "l", 0), 1, (0, "l", 0), (0, "l", 0)),
        ((0, "l", 1, "x"), 1, (0, "l", 1, "x"), (0, "l", 3, "x")),
        ((0, "m", 1), 1, (0, "m", 1), (0, "m", 1)),
    ],
)
def test_paths_move_with_removed_items(path: Path, step: int, written: Path | None, read: Path) -> None:
    changed = piece()
    changed.run = Document([(drop(0, "l", 1), drop(0, "l", 2)), (put(0, "a", to=1),)])
    shifted = shifts(changed)
    assert as_written(path, step, shifted) == written
    assert as_read(path, step, shifted) == read


@pytest.mark.parametrize(
    ("path", "step", "written", "read"),
    [
        ((0, "l", 0), 0, (0, "l", 0), (0, "l", 0)),
        ((0, "l", 1, "x"), 0, (0, "l", 2, "x"), (0, "l", 1, "x")),
        ((0, "l", 2, "m", 0), 0, None, (0, "l", 2, "m", 0)),
        ((0, "l", 2, "m", 1), 0, (0, "l", 3, "m", 0), (0, "l", 2, "m", 1)),
        ((0, "l", 0), 1, (0, "l", 0), (0, "l", 0)),
        ((0, "l", 1), 1, (0, "l", 1), (0, "l", 1)),  # the item that came
        ((0, "l", 2), 1, (0, "l", 2), (0, "l", 1)),
        ((0, "l", 3), 1, (0, "l", 3), (0, "l", 2)),
    ],
)
def test_paths_move_with_inserted_items(path: Path, step: int, written: Path | None, read: Path) -> None:
    changed = piece()
    changed.run = Document([(before(0, "l", 1, value=9), drop(0, "l", 2, "m", 0)), (put(0, "a", to=1),)])
    shifted = shifts(changed)
    assert as_written(path, step, shifted) == written
    assert as_read(path, step, shifted) == read


def test_an_inserted_item_is_found_where_it_stands_in_the_end() -> None:
    changed = piece()
    one, two, late = (before(0, "l", index, value=index) for index in (1, 1, 0))
    changed.run = Document([(drop(0, "l", 0), one, two), (late,)])
    assert [as_inserted(edit, 0, changed) for edit in (one, two)] == [(0, "l", 1), (0, "l", 2)]
    assert as_inserted(late, 1, changed) == (0, "l", 0)


@pytest.mark.parametrize("path", [(0, "none", 0), (0, "l", 3), (0, "a", 0)])
def test_nothing_is_inserted_where_no_list_has_such_a_place(path: Path) -> None:
    with pytest.raises(WrongShapeError):
        places([{"l": [1, 2], "a": {}}], [before(*path, value=1)])


def test_paths_are_said_as_people_write_them() -> None:
    assert dotted(("spec", "containers", 0, "image")) == "spec.containers[0].image"
    assert dotted(("metadata", "annotations", "a.b/c")) == 'metadata.annotations["a.b/c"]'


@pytest.mark.parametrize(
    ("paths", "tree"),
    [
        ([], {}),
        ([(0, "a", "b"), (0, "a", "c", 1)], {0: {"a": {"b": {}, "c": {1: {}}}}}),
        ([(0, "a", "b"), (0, "a")], {0: {"a": {}}}),
        ([(0, "a"), (0, "a", "b")], {0: {"a": {}}}),
    ],
)
def test_paths_as_one_tree(paths: list[Path], tree: dict[Any, Any]) -> None:
    assert below(paths) == tree


@pytest.mark.parametrize(
    "path",
    [
        (0, "a", "b"),
        (0, "a", "new", "c"),
        (0, "list"),
        (0, "list", 1, "x"),
        (0, "list", 9),
        (1, "k"),
        (2, "k"),
        (0, "t"),
    ],
)
def test_what_is_changed_in_a_copy_along_a_path_changes_nothing_else(path: Path) -> None:
    data: list[Any] = [
        {"a": {"b": 1, "kept": {"c": [1]}}, "list": [{"x": 1}, {"x": opened({"y": 1}, "**z")}], "t": "text"},
        opened({"k": {}}, "**more"),
        None,
    ]
    before = deepcopy(data)
    made = copied_along(data, below([path]))
    assert made == data and type(made[1]) is type(data[1])
    for depth in range(len(path), 0, -1):  # every container on the way is its own
        there = value_at(made, path[:depth])
        if isinstance(there, dict | list):
            there.clear()
    made.clear()
    assert data == before
    other = copied_along(data, below([(0, "a", "b")]))
    assert other[0]["list"] is data[0]["list"] and other[0]["a"]["kept"] is data[0]["a"]["kept"]
    assert other[0] is not data[0] and other[0]["a"] is not data[0]["a"]
