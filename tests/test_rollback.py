"""Rolling back: what goes with a step, what stays, and what the records of both say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Edit, Grade
from hardener.authoring.profile import Profile
from hardener.authoring.transform import Steps, Transform, transform
from hardener.engine import kubernetes_guard, pipeline
from hardener.engine.outcome import Outcome
from hardener.engine.targets import Targets
from hardener.kubernetes.validity import Violation
from hardener.sources import yaml
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

from .conftest import write

THING = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: thing
spec:
  a:
  - id: a0
  - id: a1
  - id: a2
  b:
  - id: b0
  - id: b1
  - id: b2
"""
BUILDS = "our bug: {} builds on {}, which was rolled back; please report it"
Make = Callable[[Object], Iterator[Edit]]
Run = Callable[..., Outcome]


def step(name: str, make: Make, kind: str = "ConfigMap") -> Transform:
    """A transform ``name`` that makes one step on the object of ``kind``."""

    def function(item: Object) -> Steps:
        if item.kind == kind:
            yield from make(item)

    function.__name__, function.__doc__ = name, "A sentence.\n\nWhy: a reason.\n\nMay break: nothing."
    return transform(each=Object, stage="user")(function).__transform__  # type: ignore[attr-defined,no-any-return]


def bad(make: Make, name: str = "bad") -> Transform:
    """One that the self-check takes out: see ``run``."""

    def function(item: Object) -> Iterator[Edit]:
        yield from make(item)
        yield item.set("metadata", "labels", name, to="bad", grade=Grade.SAFE)

    return step(name, function)


def drops(key: str, index: int) -> Make:
    return lambda item: iter([item.drop("spec", key, index, grade=Grade.SAFE)])


def inserts(key: str, index: int) -> Make:
    return lambda item: iter([item.insert("spec", key, index, value={"id": "new"}, grade=Grade.SAFE)])


def appends(key: str) -> Make:
    return lambda item: iter([item.append("spec", key, value={"id": "new"}, grade=Grade.SAFE)])


def marks(key: str, index: int, grade: Grade = Grade.SAFE) -> Make:
    return lambda item: iter([item.set("spec", key, index, "v", to="x", grade=grade)])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run transforms on ``thing.yaml``; a label with the value "bad" breaks a rule."""

    def rule(data: Any, version: Any, ranges: Any) -> list[Violation]:
        labels = data["metadata"].get("labels", {})
        return [Violation(0, ("metadata", "labels", key), f"{key} is bad") for key in labels if labels[key] == "bad"]

    def running(*transforms: Transform) -> Outcome:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(kubernetes_guard, "violations", rule)
        monkeypatch.setattr(Targets, "of", lambda targets, each: list(targets.tree.objects))
        monkeypatch.setattr(registry, "transforms", lambda: {item.id: item for item in transforms})
        write(tmp_path, {"thing.yaml": THING})
        workspace = Tree.read([str(tmp_path)], root=str(tmp_path))
        return pipeline.run(workspace, Profile("test", members={item.id: True for item in transforms}))

    return running


def marked(outcome: Outcome) -> list[str]:
    """The items that got their mark."""
    texts = [file.text for file in outcome.files] or [THING]
    spec = yaml.parse(texts[0]).documents[0]["spec"]
    return [item["id"] for key in "ab" for item in spec[key] if "v" in item]


def gone(outcome: Outcome) -> list[str | None]:
    return [refused.step for refused in outcome.refused]


@pytest.mark.parametrize(
    ("make", "later", "stays"),
    [
        (drops("a", 1), marks("a", 0), ["a0"]),
        (drops("a", 1), marks("a", 1), []),  # a2 was meant
        (drops("a", 1), marks("b", 1), ["b1"]),  # of another list
        (inserts("a", 1), marks("a", 0), ["a0"]),
        (inserts("a", 1), marks("a", 1), []),  # the new item was meant
        (inserts("a", 1), marks("a", 2), []),  # a1 was meant
        (inserts("a", 1), marks("b", 2), ["b2"]),
        (appends("a"), marks("a", 2), ["a2"]),
        (appends("a"), marks("a", 3), []),  # the new item was meant
    ],
)
def test_a_step_that_meant_another_item_goes_too(make: Make, later: Make, stays: list[str], run: Run) -> None:
    outcome = run(bad(make), step("later", later))
    assert marked(outcome) == stays
    assert gone(outcome) == (["bad"] if stays else ["bad", "later"])
    if not stays:
        assert outcome.refused[1].reason == BUILDS.format("later", "bad")


def test_an_appended_item_is_not_taken_for_the_next_one(run: Run) -> None:
    outcome = run(bad(appends("a")), step("more", appends("a")), step("later", marks("a", 3)))
    assert gone(outcome) == ["bad", "later"] and marked(outcome) == []
    assert [change.transform.id for change in outcome.changes] == ["more"]


def test_what_builds_on_one_that_goes_moves_items_of_its_own(run: Run) -> None:
    def middle(item: Object) -> Iterator[Edit]:
        yield from marks("a", 1)(item)
        yield from drops("b", 0)(item)

    outcome = run(
        bad(drops("a", 0)), step("middle", middle), step("one", marks("a", 1)), step("other", marks("b", 1)),
        step("neither", marks("b", 0)),
    )  # fmt: skip
    assert gone(outcome) == ["bad", "middle", "one", "other", "neither"] and marked(outcome) == []


def test_a_place_moves_with_what_comes_before_it(run: Run) -> None:
    """A kept step puts an item in front of those that another one, which goes, had moved."""
    outcome = run(bad(drops("a", 2)), step("front", inserts("a", 0)), step("later", marks("a", 2)))
    assert gone(outcome) == ["bad"] and marked(outcome) == ["a1"]


def test_records_tell_the_line_of_the_item_that_was_meant(run: Run) -> None:
    def wrong(item: Object) -> Iterator[Edit]:
        yield item.set("spec", "a", 0, "v", to="x", grade=Grade.SAFE)

    outcome = run(
        step("first", drops("a", 0)),
        step("before", marks("a", 0, Grade.BREAKING)),
        bad(wrong),
        step("after", marks("a", 0, Grade.BREAKING)),
    )
    line = THING.splitlines().index("  - id: a1") + 1
    assert [(refused.step, refused.line) for refused in outcome.refused] == [("bad", line)]
    assert [(held.transform.id, held.changes[0].line) for held in outcome.held] == [("before", line), ("after", line)]


def test_what_was_held_back_for_an_object_that_is_not_made_goes_too(run: Run) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "new"}}

    def makes(item: Object) -> Iterator[Edit]:
        yield item.create("accounts", account, grade=Grade.SAFE)

    def sets(item: Object) -> Iterator[Edit]:
        yield item.set("automountServiceAccountToken", to=False, grade=Grade.BREAKING)

    outcome = run(bad(makes), step("held", sets, "ServiceAccount"))
    assert gone(outcome) == ["bad", "held"] and outcome.held == [] and outcome.files == []
