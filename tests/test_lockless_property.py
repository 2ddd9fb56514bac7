"""Our ``cached_property`` is that of Python in all but the lock that 3.11 takes."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from hardener.support import lockless_property


@pytest.fixture(params=[lockless_property.cached_property, functools.cached_property], ids=["ours", "python's"])
def square(request: pytest.FixtureRequest) -> Any:
    declare: Any = request.param

    class Square:
        def __init__(self) -> None:
            self.side, self.asked = 2, 0

        @declare  # type: ignore[untyped-decorator]
        def area(self) -> int:
            """Side by side."""
            self.asked += 1
            if self.side < 0:
                raise ValueError(self.side)
            return self.side**2

    return Square


def test_it_is_worked_out_once_for_each_object(square: Any) -> None:
    one, other = square(), square()
    other.side = 3
    assert [one.area, one.area, other.area, one.asked, other.asked] == [4, 4, 9, 1, 1]


def test_it_can_be_set_and_forgotten(square: Any) -> None:
    one = square()
    one.area = 7
    assert (one.area, one.asked) == (7, 0)
    del one.area
    assert (one.area, one.asked) == (4, 1)
    with pytest.raises(AttributeError):
        del square().area


def test_an_error_is_not_kept(square: Any) -> None:
    one = square()
    one.side = -1
    with pytest.raises(ValueError, match="-1"):
        _ = one.area
    one.side = 1
    assert one.area == 1


def test_one_below_looks_above(square: Any) -> None:
    class Cube(square):  # type: ignore[misc]
        @lockless_property.cached_property
        def area(self) -> int:
            return int(6 * super().area)

    assert Cube().area == 24
    assert square.area.__doc__ == "Side by side."
