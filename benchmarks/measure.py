"""What one child process costs: processor time with that of its own children, and peak memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """``cpu`` and ``wall`` in seconds, ``peak`` in bytes (of the largest process)."""

    cpu: float
    wall: float
    peak: int


class FailedError(Exception):
    """A measured command that did not end as it should."""


def run(
    command: Sequence[str],
    folder: Path,
    *,
    expect: tuple[int, ...] = (0,),
    given: Path | None = None,
) -> Cost:
    """Run ``command`` in ``folder`` with its output thrown away; ``given`` is its standard input. Raises
    FailedError for another exit code."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "NO_COLOR": "1"}
    started = time.perf_counter()
    with tempfile.TemporaryFile() as errors, (given or Path(os.devnull)).open("rb") as standard_input:
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=standard_input, stdout=subprocess.DEVNULL, stderr=errors
        )
        # wait4, unlike wait, says what this child cost and not what all children did.
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in expect:
        raise FailedError(f"{' '.join(command)}: exit code {child.returncode}: {' | '.join(said[-3:])}")
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit)


def best(
    times: int,
    command: Sequence[str],
    folder: Path,
    *,
    expect: tuple[int, ...] = (0,),
    before: Callable[[], object] = lambda: None,
) -> Cost:
    """The least of ``times`` runs, each figure on its own; ``before`` is called ahead of each run."""
    costs = []
    for _ in range(times):
        before()
        costs.append(run(command, folder, expect=expect))
    return least(costs)


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each figure."""
    return Cost(min(cost.cpu for cost in costs), min(cost.wall for cost in costs), min(cost.peak for cost in costs))
