"""Operations on values: what they come to, and which of them contradict each other."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from hardener.charts.values.operations import ConflictError, Kind, Operation, Touched, as_values, overrides

VALUES: dict[str, Any] = {
    "resources": {"limits": {"cpu": "1"}},
    "drop": ["NET_RAW"],
    "containers": [{"name": "a", "drop": []}, {"name": "b"}],
}
SET, APPEND, REMOVE, DROP = Kind.SET, Kind.APPEND, Kind.REMOVE, Kind.DROP


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        ([Operation(SET, ("resources", "limits", "memory"), "2Gi")], {("resources", "limits", "memory"): "2Gi"}),
        ([Operation(SET, ("new", "key"), 1)], {("new", "key"): 1}),
        ([Operation(DROP, ("resources", "limits", "cpu"))], {("resources", "limits", "cpu"): None}),
        ([Operation(APPEND, ("drop",), "ALL")] * 2, {("drop",): ["NET_RAW", "ALL"]}),
        ([Operation(REMOVE, ("drop",), "NET_RAW")], {("drop",): []}),
        (
            [Operation(SET, ("containers", 1, "image"), "x"), Operation(APPEND, ("containers", 0, "drop"), "ALL")],
            {("containers",): [{"name": "a", "drop": ["ALL"]}, {"name": "b", "image": "x"}]},
        ),
    ],
)
def test_what_they_come_to(operations: list[Operation], found: dict[Any, Any]) -> None:
    before = copy.deepcopy(VALUES)
    assert overrides(VALUES, operations) == found
    assert before == VALUES


@pytest.mark.parametrize(
    "operation", [Operation(SET, ("containers", 2, "image"), "x"), Operation(REMOVE, ("drop",), "SYS_ADMIN")]
)
def test_what_cannot_be_made_is_refused(operation: Operation) -> None:
    with pytest.raises(ConflictError):
        overrides(VALUES, [operation])


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (Operation(SET, ("a", "b"), 1), Operation(SET, ("a", "b"), 1), True),
        (Operation(SET, ("a", "b"), 1), Operation(SET, ("a", "b"), True), False),
        (Operation(SET, ("a", "b"), {"c": 1}), Operation(SET, ("a", "b", "c"), 2), False),
        (Operation(SET, ("a",), {}), Operation(APPEND, ("a", "b"), 2), False),
        (Operation(APPEND, ("a",), 1), Operation(APPEND, ("a",), 2), True),
        (Operation(APPEND, ("a",), 1), Operation(REMOVE, ("a",), 2), False),
        (Operation(APPEND, ("a",), 1), Operation(SET, ("a", 0, "b"), 2), True),
        (Operation(SET, ("a", "b"), 1), Operation(SET, ("a", "c"), 2), True),
    ],
)
def test_which_contradict_each_other(one: Operation, other: Operation, agree: bool, turned: bool) -> None:
    first, second = (other, one) if turned else (one, other)
    known = Touched([first])
    if agree:
        known.check(second)
    else:
        with pytest.raises(ConflictError):
            known.check(second)


def test_overrides_are_values() -> None:
    assert as_values({("a", "b"): 1, ("a", "c"): None, ("d",): []}) == {"a": {"b": 1, "c": None}, "d": []}
