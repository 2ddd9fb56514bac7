"""Runs that are ended while they write: no mixed tree, no stray file, nothing lost.

`HARDEN_KILLS=all pytest -n 2 -rP tests/test_kills.py` ends apply over 300 files at 200 places, and each other way to
write at 20, and shows what came of it: some twenty minutes, less with ``--basetemp`` in memory. Else a sample is taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kills import SIGNALS, modes, trial

ALL = os.environ.get("HARDEN_KILLS") == "all"
MODES = modes(300 if ALL else 8)
PARTS = 4 if ALL else 1  # of the kills of apply, for as many processes
CASES = [(name, part) for name in MODES for part in range(PARTS if name == "apply" else 1)]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "part"), CASES)
def test_a_run_that_is_ended_leaves_all_or_nothing(name: str, part: int, tmp_path: Path) -> None:
    many = (200 if name == "apply" else 20) if ALL else (4 if name == "apply" else 1)
    numbers = range(many)[part::PARTS] if name == "apply" else range(many)

    def kills(total: int) -> Iterator[tuple[int, int]]:
        """Evenly over all changes, the signals in turn; in a sample every other one is SIGKILL."""
        for turn, number in enumerate(numbers):
            signal = SIGNALS[turn % 4] if ALL else SIGNALS[number // 2 % 3 + 1 if number % 2 else 0]
            yield 1 + (2 * number + 1) * total // (2 * many), signal

    seen = trial(MODES[name], tmp_path, kills, again=10 if ALL and name == "apply" else 1)
    print(
        f"{name}: {len(numbers)} kills among {seen.total} changes: {seen.before} as before, {seen.after} as after",
        end="",
    )
    print(f", {seen.taken_back} taken back by the next run, {len(seen.wrong)} wrong")
    assert not seen.wrong, "\n".join(seen.wrong)
    assert seen.before + seen.after == len(numbers)
    if name == "apply":  # else no kill met a run whose files were taking their places, and nothing was shown
        assert seen.taken_back > 0
