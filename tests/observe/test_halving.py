"""The causes of a failure are found by halving: all of them, none too large, with few runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from hardener.observe.halving import Halving, TooManyError


class Change:
    """Equal to each other: what tells them apart is which one it is."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Change)

    def __hash__(self) -> int:
        return 0


def halving(causes: Iterable[set[int]], most: int = 60) -> Halving[Change]:
    causes = list(causes)

    def holds(chosen: Sequence[Change]) -> bool:
        numbers = {each.number for each in chosen}
        return not any(cause <= numbers for cause in causes)

    return Halving(holds, most)


def numbers(changes: Iterable[Change]) -> list[int]:
    return [each.number for each in changes]


@pytest.mark.parametrize("count", range(1, 21))
def test_a_single_cause_is_found_wherever_it_is(count: int) -> None:
    for at in range(count):
        changes = [Change(number) for number in range(count)]
        search = halving([{at}])
        causes, left = search.causes(changes)
        assert [numbers(cause) for cause in causes] == [[at]]
        assert numbers(left) == [number for number in range(count) if number != at]
        assert search.runs <= 2 * math.ceil(math.log2(count)) + 2


@pytest.mark.parametrize(
    ("count", "causes", "found", "most"),
    [
        (1, [{0}], [[0]], 2),
        (2, [{0, 1}], [[0, 1]], 4),
        (8, [{0, 7}], [[0, 7]], 24),
        (8, [{3, 4}], [[3, 4]], 24),
        (12, [{2}, {9}], [[2], [9]], 20),
        (12, [{2, 3}, {9}], [[2, 3], [9]], 32),
        (6, [{0, 2, 4}], [[0, 2, 4]], 40),
        (20, [], [], 1),
        (0, [], [], 0),
    ],
)
def test_causes(count: int, causes: list[set[int]], found: list[list[int]], most: int) -> None:
    search = halving(causes)
    changes = [Change(number) for number in range(count)]
    got, left = search.causes(changes)
    assert [sorted(numbers(cause)) for cause in got] == found
    assert numbers(left) == [number for number in range(count) if number not in {each[-1].number for each in got}]
    assert search.runs <= most


def test_the_same_changes_are_run_once() -> None:
    asked: list[frozenset[int]] = []

    def holds(chosen: Sequence[int]) -> bool:
        asked.append(frozenset(chosen))
        return 3 not in chosen

    Halving(holds).causes(list(range(10)))
    assert len(asked) == len(set(asked))


def test_runs_are_bounded() -> None:
    search = halving([{number} for number in range(20)], most=7)
    with pytest.raises(TooManyError):
        search.causes([Change(number) for number in range(20)])
    assert search.runs == 7


CAUSES = some.lists(some.sets(some.integers(0, 15), min_size=1, max_size=3), max_size=4)


@settings(max_examples=300, deadline=None)
@given(CAUSES, some.integers(1, 16))
def test_causes_are_minimal_and_what_is_left_holds(causes: list[set[int]], count: int) -> None:
    search = halving(causes, most=10_000)
    found, left = search.causes([Change(number) for number in range(count)])
    assert search.holds(left)
    assert {*numbers(left), *(cause[-1].number for cause in found)} == set(range(count))
    for cause in found:
        assert not search.holds(cause)
        for one in cause:
            assert search.holds([other for other in cause if other is not one])
