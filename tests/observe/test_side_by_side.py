"""How many workloads run side by side."""

from __future__ import annotations

import pytest

from hardener.observe.side_by_side import at_once, batches, free_memory, processors, up_together

MIB = 1024**2
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("used", "cores", "free", "count"),
    [
        ([10 * MIB] * 9, 2, 16 * GIB, 4),
        ([10 * MIB] * 9, 4, 16 * GIB, 8),
        ([10 * MIB] * 9, 64, 64 * GIB, 16),
        ([10 * MIB] * 9, 2, 600 * MIB, 2),
        ([10 * MIB, 2 * GIB], 4, 16 * GIB, 4),
        ([3 * GIB], 4, 4 * GIB, 1),
        ([None], 2, 16 * GIB, 4),
        ([], 2, 0, 1),
        ([GIB], 2, None, 4),
    ],
    ids=["processors", "more of them", "not too many", "little memory", "a large one", "one at least", "not known",
         "nothing", "no word of memory"],
)  # fmt: skip
def test_side_by_side(used: list[int | None], cores: int, free: int | None, count: int) -> None:
    assert at_once(used, cores, free) == count


@pytest.mark.parametrize(("free", "count"), [(None, 16), (64 * GIB, 16), (GIB, 4), (0, 1)])
def test_as_they_are(free: int | None, count: int) -> None:
    assert up_together(free) == count


def test_this_machine_says_something() -> None:
    free = free_memory()
    assert processors() >= 1 and (free is None or free >= 0)


@pytest.mark.parametrize(
    ("sizes", "most", "found"),
    [
        ([], 4, []),
        ([1, 2, 1], 4, [[1, 2, 1]]),
        ([1, 2, 2], 4, [[1, 2], [2]]),
        ([1, 9, 1], 4, [[1], [9], [1]]),
    ],
)
def test_batches(sizes: list[int], most: int, found: list[list[int]]) -> None:
    assert list(batches(sizes, lambda size: size, most)) == found
