"""What a run keeps for each document: the documents of a tree are alike, and so is what is decided about them."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

from benchmarks import inputs
from hardener.authoring import profile
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.engine.text_checks import UnfitHunkError, is_same_text, patched, patched_parts
from hardener.report.patch import Patch
from hardener.sources.yaml import Hunk
from hardener.support.free_memory import give_back
from hardener.tree.tree import Settings, Tree

MOST_LEFT = 40  # objects in cycles that a document leaves; 92 where what writes it holds itself
MOST = 30_500  # bytes for a Deployment of 65 lines, which take 29,000 with its guesses; more with paths of its own


def hardened(count: int) -> Outcome:
    text = "---\n".join(map(inputs.deployment, range(count)))
    return pipeline.run(Tree.from_text(text), profile.load("restricted"), forks=False)


def kept(count: int) -> int:
    """How many bytes are in use for the outcome of so many Deployments."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    outcome = hardened(count)
    gc.collect()
    found = tracemalloc.get_traced_memory()[0] - before
    assert len(outcome.changes) > 8 * count
    return found


@pytest.mark.slow
def test_a_document_more_takes_no_more_than_its_share() -> None:
    kept(6)  # what is loaded once
    tracemalloc.start()
    try:
        # The lesser of two: what caches let go of meanwhile counts for one of the two, whatever ran before.
        shares = [(kept(18) - kept(6)) / 12 for _ in range(2)]
    finally:
        tracemalloc.stop()
    assert min(shares) < MOST, shares


@pytest.mark.slow
def test_little_is_left_to_the_collector() -> None:
    """It looks once in a million objects, and the first process proves documents, too."""
    left = []
    for count in (3, 3, 12):
        gc.collect()
        gc.disable()
        try:
            outcome = hardened(count)
            left.append(gc.collect())
        finally:
            gc.enable()
        assert outcome.changes
    assert (left[2] - left[1]) / 9 < MOST_LEFT


def test_equal_paths_and_texts_of_documents_are_one_object() -> None:
    changes = hardened(12).changes
    for values in (
        [change.path for change in changes],
        [change.edit.path for change in changes],
        [fact.text for change in changes for fact in change.edit.evidence],
    ):
        assert len({id(value) for value in values}) == len(set(values)) < len(values)


@pytest.fixture
def tree(tmp_path: Path) -> Outcome:
    (tmp_path / ".git").mkdir()
    path = tmp_path / "all.yaml"
    inputs.deployments(path, 9)
    read = Tree.read([str(path)], root=str(tmp_path), settings=Settings())
    return pipeline.run(read, profile.load("restricted"), forks=False)


def test_a_new_text_is_the_text_as_read_with_the_hunks(tree: Outcome) -> None:
    assert any(change.file.is_new for change in tree.files) and len(tree.files) > 1
    for change in tree.files:
        assert change.given is None
        assert change.text == patched(change.file.content.text, change.hunks) != change.file.content.text
        assert len(change.ids) == len(change.id_lines) and list(change.id_lines) == sorted(change.id_lines)


def test_a_new_file_is_printed_by_its_documents_and_is_the_same_text(tree: Outcome) -> None:
    for change in tree.files:
        patch = Patch(change, lambda text, ranges: {})
        pieces, parts = list(patch.pieces()), list(patch.parts())
        assert "".join(pieces) == "".join(parts)
        if change.file.is_new:
            assert len(parts) == 2 and len(pieces) > 9


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([], [], True),
        (["ab", "", "c"], ["a", "bc"], True),
        (["abc"], ["", "abc", ""], True),
        (["ab"], ["abc"], False),
        (["abc"], ["ab"], False),
        (["ab", "c"], ["ab"], False),
        (["ab", "c"], ["ab", "d"], False),
        (["", ""], [""], True),
        ([], ["a"], False),
        (["a"], [], False),
    ],
)
def test_texts_in_pieces_are_compared_as_a_whole(one: list[str], other: list[str], same: bool) -> None:
    assert is_same_text(one, other) is same


def test_a_hunk_that_does_not_fit_is_no_text() -> None:
    text, wrong = "a\nb\n", [Hunk(2, ["c\n"], 2, ["d\n"])]
    assert patched(text, wrong) is None
    with pytest.raises(UnfitHunkError):
        list(patched_parts(text, wrong))
    assert list(patched_parts(text, [Hunk(2, ["b\n"], 2, ["d\n"])])) == ["a\n", "d\n", ""]


def test_memory_is_given_back_wherever_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    give_back()
    monkeypatch.setattr("sys.platform", "darwin")
    give_back()
