"""What is known of a text when it is written spares work and changes nothing: its tree, the places that are touched,
and the data that come out."""

import random
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.authoring.edits import Append, Basis, Drop, Edit, Grade, Insert, Set, WrongShapeError, replay
from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.sources.yaml import Parsed, TextError, parse, reopened, rewrite

from .random_yaml import scalar, value
from .test_properties import text_of

Path = tuple[str | int, ...]


def places(data: Any, path: Path) -> Iterator[Path]:
    """Every path that leads to something."""
    yield path
    if isinstance(data, dict):
        for key, item in data.items():
            yield from places(item, (*path, key))
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from places(item, (*path, index))


def at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def random_edit(rng: random.Random, documents: list[Any]) -> Edit | None:
    """Some edit of ``documents``; None where the chosen place bears none."""
    path = rng.choice([found for number, data in enumerate(documents) for found in places(data, (number,))])
    common: dict[str, Any] = {"piece": cast(Piece, None), "grade": Grade.SAFE, "basis": Basis.PROVED}
    found, what = at(documents, path), rng.randrange(5)
    if isinstance(found, dict) and what < 3:
        return Set(path=(*path, rng.choice(["securityContext", "image", "name", "a"])), value=value(rng, 2), **common)
    if isinstance(found, list) and what == 0:
        return Append(path=path, value=value(rng, 1), **common)
    if isinstance(found, list) and what == 1:
        return Insert(path=(*path, rng.randrange(len(found) + 1)), value=value(rng, 1), **common)
    if len(path) < 2:
        return None
    return Drop(path=path, **common) if what == 2 else Set(path=path, value=scalar(rng), **common)


def steps_of(rng: random.Random, text: str) -> tuple[list[Edit], list[Any]]:
    """Some edits of ``text``, each a step of its own, and the data that they lead to."""
    documents = parse(text).documents
    made: list[Edit] = []
    for _ in range(rng.choice([1, 2, 6])):
        if any(document is None for document in documents):
            break
        edit = random_edit(rng, documents)
        if edit is not None:
            try:
                replay(documents, [edit])
            except WrongShapeError:
                continue
            made.append(edit)
    return made, documents


def outcome(text: str, edits: list[Edit], **known: Any) -> Any:
    def mutate(documents: list[Any]) -> None:
        for edit in edits:
            replay(documents, [edit])

    try:
        result = rewrite(text, mutate, **known)
    except TextError as refused:
        return refused.reason, refused.line
    return result.text, result.hunks, result.after.documents, result.before.documents


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0, max_value=1 << 48))
def test_what_is_known_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    text = text_of(rng)
    if text is None:
        return
    edits, goal = steps_of(rng, text)
    kept = parse(text).tree
    kept.shrink()
    known = {"read": kept, "touched": [edit.path for edit in edits], "goal": goal}
    assert outcome(text, edits, **known) == outcome(text, edits)


def said(read: Parsed, number: int, path: Path) -> tuple[Any, ...]:
    asked = (read.line, read.end_line, read.depth, read.span, read.comment)
    return tuple(question(number, path) for question in asked)


TEXT = """\
# head
a: &one {x: [1, 2], "y z": 'q'}  # flow
b:
  - name: first  # comment
    text: |
      # no comment
      more

  -
    name: second
    ref: *one
c: {}
d:
---
- plain
"""


def test_a_kept_tree_says_what_a_new_one_says() -> None:
    first = parse(TEXT)
    first.tree.shrink()
    again, new = reopened(TEXT, first.tree), parse(TEXT)
    assert again.documents == new.documents
    assert again.comments() == new.comments()
    paths: list[Path] = [path for number, data in enumerate(new.documents) for path in places(data, (number,))]
    for path in [*paths, (0, "none"), (0, "b", 7), (0, "c", "x", "y"), (9,)]:
        assert said(again, int(path[0]), path[1:]) == said(new, int(path[0]), path[1:]), path


@pytest.mark.parametrize(
    ("path", "lines", "head"),
    [
        ((0, "a"), range(2, 3), {2}),
        ((0, "b"), range(3, 12), {3}),
        ((0, "b", 0, "text"), range(5, 8), {5}),
        ((0, "b", 1), range(9, 12), {9}),
        ((0, "none"), range(2, 14), {2}),
        ((1, 0), range(15, 16), {15}),
        ((9,), range(1, 2), {1}),
    ],
)
def test_lines_of_an_entry_and_of_its_head(path: Path, lines: range, head: set[int]) -> None:
    read = parse(TEXT)
    assert (read.lines(path), set(read.head_lines(path))) == (lines, head)


def test_data_that_the_edits_do_not_lead_to_are_no_goal() -> None:
    """What is decided is compared with the text that comes out, not taken for it."""
    text = "a: 1\nb: {c: 2}\n"
    wrong = [{"a": 5, "b": {"c": 3}}]

    def mutate(documents: list[Any]) -> None:
        documents[0]["a"] = 5

    result = rewrite(text, mutate, read=parse(text).tree, touched=[(0, "a")], goal=wrong)
    assert result.text == "a: 5\nb: {c: 2}\n"
    assert not yaml.same(result.after.documents, wrong)
