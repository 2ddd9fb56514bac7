"""Work that a process shares with copies of itself: all results, in order, whatever becomes of a copy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from hardener.support import forked_work

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process")

COUNT = 1000
OWN = os.getpid()


def results(work: Callable[[int], str], count: int = COUNT, processes: int = 3) -> list[str]:
    return list(
        forked_work.results(work, lambda _, made: made.encode(), lambda _, packed: packed.decode(), count, processes)
    )


@pytest.fixture(autouse=True)
def all_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Asks at the end whether a copy is left that nobody waited for. Services of other tests may be children too."""
    fork, copies = os.fork, []

    def noted() -> int:
        copies.append(fork())
        return copies[-1]

    monkeypatch.setattr(os, "fork", noted)
    yield
    for copy in copies:
        with pytest.raises(ChildProcessError):
            os.waitpid(copy, os.WNOHANG)


@pytest.mark.parametrize("processes", [1, 2, 3, 40])
@pytest.mark.parametrize("count", [0, 1, 33, COUNT])
def test_results_come_in_order_and_copies_work_on_their_share(count: int, processes: int) -> None:
    made = results(lambda number: f"{number} {os.getpid()}", count, processes)
    assert [each.partition(" ")[0] for each in made] == [str(number) for number in range(count)]
    runs = -(-count // forked_work._RUN)
    assert len({each.partition(" ")[2] for each in made}) == min(processes, runs)


def test_results_are_of_any_size() -> None:
    assert results(lambda number: "x" * (number * 90)) == ["x" * (number * 90) for number in range(COUNT)]


def test_what_a_copy_does_not_give_is_worked_out_here() -> None:
    def work(number: int) -> str:
        if number > 500 and os.getpid() != OWN:
            os._exit(1)  # as a process that the system ends
        return str(number)

    assert results(work) == [str(number) for number in range(COUNT)]


def test_what_the_work_raises_is_raised_here() -> None:
    def work(number: int) -> str:
        if number == 700:
            raise ValueError("seven hundred")
        return str(number)

    with pytest.raises(ValueError, match="seven hundred"):
        results(work)


def test_without_copies_all_is_worked_out_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> int:
        raise OSError("no more processes")

    monkeypatch.setattr(os, "fork", none)
    assert results(str) == [str(number) for number in range(COUNT)]


def test_a_caller_may_stop_early() -> None:
    found = forked_work.results(str, lambda _, made: made.encode() * 9999, lambda _, packed: packed.decode(), COUNT, 2)
    assert next(found) == "0"
    found.close()  # type: ignore[attr-defined]
