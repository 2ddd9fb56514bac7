"""What Kubernetes refuses: each rule with the naive change that breaks it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from hardener.kubernetes.validity import Violation, changed_violations, is_compared, new_violations, violations
from hardener.sources import yaml
from tests.naive_edits import NAIVE, RIGHT, Naive

# Rows that one document cannot show: 23 and 24 are also the report's ("recreate"), but what they forbid is here.
ROWS = set(range(1, 39))
HOSTILE: list[Any] = [None, True, 0, -1, 1.5, "", "x", "${X}", "a\nb", [], {}, [[]], [None, "x"], {"a": None}, {1: 2}]


def parsed(text: str) -> Any:
    (document,) = yaml.parse(text).documents
    return document


def changed(naive: Naive) -> tuple[Any, Any]:
    before = parsed(naive.document)
    after = copy.deepcopy(before)
    for op, path, *value in naive.ops:
        parent = after
        for part in path[:-1]:
            parent = parent[part] if isinstance(part, int) else parent.setdefault(part, {})
        if op == "set":
            parent[path[-1]] = value[0]
        elif op == "append":
            parent.setdefault(path[-1], []).append(value[0])
        else:
            del parent[path[-1]]
    return before, after


def found(naive: Naive) -> list[Violation]:
    before, after = changed(naive)
    beside = [parsed(naive.beside)] if naive.beside else []
    ranges = [item for item in beside if item["kind"] == "LimitRange"]
    accounts = {item["metadata"]["name"] for item in beside if item["kind"] == "ServiceAccount"}
    assert naive.rule not in {item.rule for item in violations(before, naive.version, ranges)}
    states = (violations(state, naive.version, ranges) for state in (before, after))
    return [*new_violations(*states), *changed_violations(before, after, accounts)]


@pytest.mark.parametrize("naive", NAIVE, ids=str)
def test_a_naive_change_breaks_its_rule_alone(naive: Naive) -> None:
    broken = found(naive)
    assert {item.rule for item in broken} == {naive.rule}
    for item in broken:
        assert item.message and "\n" not in item.message


@pytest.mark.parametrize("right", RIGHT, ids=str)
def test_what_is_right_breaks_none(right: Naive) -> None:
    assert found(right) == []


def test_every_row_has_a_naive_change() -> None:
    assert {naive.rule for naive in NAIVE} == ROWS


@pytest.mark.parametrize("naive", NAIVE, ids=str)
def test_what_no_comparison_needs_is_only_spared_where_none_would_tell(naive: Naive) -> None:
    before, after = changed(naive)
    if changed_violations(before, after):
        assert any(is_compared(path, takes=True) for _, path, *_ in naive.ops)


def test_a_list_is_judged_item_by_item() -> None:
    _, after = changed(NAIVE[0])
    listed = {"apiVersion": "v1", "kind": "List", "items": [None, after, {"kind": "List", "items": [after]}]}
    where = ("spec", "template", "spec", "containers", 0, "securityContext", "allowPrivilegeEscalation")
    assert {item.path for item in violations(listed)} == {("items", 1, *where), ("items", 2, "items", 0, *where)}


def test_what_was_broken_before_is_not_new() -> None:
    one, other = Violation(13, ("a",), "x"), Violation(13, ("b",), "x")
    assert new_violations([one], [one]) == []
    assert new_violations([one], [other, one]) == [other]
    assert new_violations([one], [one, one]) == [one]


def test_a_template_of_another_project_is_judged_too() -> None:
    _, after = changed(NAIVE[0])
    after |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    assert {item.rule for item in violations(after)} == {1}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(child, (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("naive", NAIVE, ids=str)
def test_no_shape_makes_it_raise(naive: Naive) -> None:
    before, after = changed(naive)
    beside = parsed(naive.beside) if naive.beside else None
    for path in places(after):
        for value in HOSTILE:
            state = {"": copy.deepcopy(after)}
            parent: Any = state
            for part in ("", *path)[:-1]:
                parent = parent[part]
            parent[("", *path)[-1]] = copy.deepcopy(value)
            violations(state[""], naive.version, [beside])
            changed_violations(before, state[""])
            changed_violations(state[""], after)
    for path in places(beside):
        for value in HOSTILE:
            state = {"": copy.deepcopy(beside)}
            parent = state
            for part in ("", *path)[:-1]:
                parent = parent[part]
            parent[("", *path)[-1]] = value
            violations(after, naive.version, [state[""]])


def test_a_deep_list_makes_it_not_raise() -> None:
    document: Any = None
    for _ in range(5000):
        document = {"kind": "List", "items": [document]}
    assert violations(document) == []
