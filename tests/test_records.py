"""Our ``dataclass`` is that of Python in all but the time it takes to declare."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from hardener.support import fast_dataclass


def _pair(declare: Callable[..., Any], **how: Any) -> tuple[Any, Any]:
    @declare(**how)
    class Point:
        ORIGIN: ClassVar[int] = 0
        x: int
        y: list[int] = dataclasses.field(default_factory=list)
        note: str = dataclasses.field(default="", compare=False, repr=False)

    @declare(**how)
    class Named(Point):
        name: str = "n"

    return Point, Named


@pytest.fixture(params=[{}, {"slots": True}, {"frozen": True, "slots": True}, {"frozen": True}, {"eq": False}], ids=str)
def pairs(request: pytest.FixtureRequest) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    return _pair(fast_dataclass.dataclass, **request.param), _pair(dataclasses.dataclass, **request.param)


def _facts(point: Any, named: Any) -> list[object]:
    one, same, other = point(1, [2]), point(1, [2], "a note"), point(1, [3])
    return [
        one == same, same == one, one != same, one == other, one == named(1, [2]), named(1, [2]) == one,
        one == (1, [2]), named(1, [2]) == named(1, [2], name="m"), repr(named(1, [2], "x")).split(".")[-1],
        [field.name for field in dataclasses.fields(named)], dataclasses.replace(one, x=5).x, point.__match_args__,
        named(4).name, point.__hash__ is None, hasattr(one, "__dict__"), named.__doc__,
    ]  # fmt: skip


def test_it_compares_and_prints_as_that_of_python(pairs: tuple[tuple[Any, Any], tuple[Any, Any]]) -> None:
    ours, pythons = pairs
    assert _facts(*ours) == _facts(*pythons)


@fast_dataclass.dataclass(frozen=True, slots=True)
class Key:
    name: str
    number: int = 0


@fast_dataclass.dataclass(frozen=True, slots=True)
class Odd:
    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd)

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "odd"


def test_a_frozen_one_is_a_key() -> None:
    assert {Key("a"): 1, Key("b", 2): 2}[Key("b", 2)] == 2
    assert hash(Key("a")) == hash(Key("a", 0))


def test_own_methods_stay() -> None:
    assert (Odd("a") == Odd("b"), hash(Odd("a")), repr(Odd("a"))) == (True, 7, "odd")


def test_it_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(Key("a", 3))) == Key("a", 3)


def test_one_that_holds_itself_can_be_printed() -> None:
    @fast_dataclass.dataclass
    class Node:
        inside: list[Any]

    node = Node([])
    node.inside.append(node)
    assert "..." in repr(node)
