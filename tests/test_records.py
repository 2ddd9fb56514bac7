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
        named(4).name, point.__hash__ is None, hasattr(one, "__dict__"), named(y=[3], x=4).y, point(1).y is point(1).y,
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


@pytest.fixture(
    params=[(fast_dataclass.dataclass, 0), (fast_dataclass.dataclass, 9), (dataclasses.dataclass, 0)],
    ids=["ours", "ours, compiled", "python's"],
)
def made(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """Two classes, of which some objects were made: ours are filled one way at first, and another one later."""
    declare, earlier = request.param

    @declare(slots=True, kw_only=True)
    class Base:
        name: str
        notes: list[str] = dataclasses.field(default_factory=list)
        length: int = dataclasses.field(init=False)
        seen: set[str] = dataclasses.field(init=False, default_factory=set)
        turns: int = dataclasses.field(init=False, default=3)

        def __post_init__(self) -> None:
            self.length = len(self.name)

    @declare(slots=True)
    class Placed(Base):
        name: str
        line: int = 1

    classes: tuple[Any, Any] = Base, Placed
    for each in classes * earlier:
        each(name="earlier")
    return classes


def test_it_takes_what_that_of_python_takes(made: tuple[Any, Any]) -> None:
    base, placed = made
    one, other = base(name="abc"), placed("xy", 7, notes=["a"])
    assert (one.length, one.notes, one.seen, one.turns) == (3, [], set(), 3)
    assert (other.line, other.name, other.length, other.notes, placed("x").line) == (7, "xy", 2, ["a"], 1)
    assert base(name="a").seen is not base(name="b").seen


@pytest.mark.parametrize(
    ("given", "named"), [((), {}), (("a",), {}), ((), {"name": "a", "nam": 1}), ((), {"name": "a", "length": 2})]
)
def test_wrong_arguments_are_named(made: tuple[Any, Any], given: tuple[str, ...], named: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=r"Base\.__init__\(\)"):
        made[0](*given, **named)


@pytest.mark.parametrize(
    ("given", "named", "said"),
    [
        (("a", 1, 2), {}, "takes from 2 to 3 positional arguments but 4 were given"),
        (("a",), {"name": "b"}, "got multiple values for argument 'name'"),
        ((), {"line": 3}, "missing 1 required positional argument: 'name'"),
    ],
)
def test_too_many_or_too_few_are_told(made: tuple[Any, Any], given: Any, named: Any, said: str) -> None:
    with pytest.raises(TypeError, match=rf"Placed\.__init__\(\) {said}"):
        made[1](*given, **named)
    assert made[1]("a", 3).line == 3


def test_a_field_may_have_any_name() -> None:
    @fast_dataclass.dataclass(frozen=True)
    class Odd:
        one: int
        arguments: int
        named: int
        fields: int = 4

    for _ in range(9):
        assert Odd(1, arguments=2, named=3) == Odd(one=1, arguments=2, named=3, fields=4)


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
