"""How the cost of a run grows with what it is given: `python -m benchmarks.growth [SERIES...]`.

Of each series a table: processor time less that of `harden --help` by size, and the exponent, which is the slope of its
logarithm over that of the size, by least squares over the three largest sizes. 1 is linear. It takes some minutes.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import inputs, measure

HARDEN = [sys.executable, "-m", "hardener"]
MOST = 1.15
"""The exponent that no series may exceed: what is above is no noise."""


@dataclass(frozen=True, slots=True)
class Series:
    """``make`` writes an input of a size below a folder that does not exist yet."""

    what: str
    sizes: tuple[int, ...]
    make: Callable[[Path, int], object]


def _documents(folder: Path, count: int) -> None:
    (folder / ".git").mkdir(parents=True)
    inputs.repository(folder, count)


def _file(text: Callable[[int], str]) -> Callable[[Path, int], None]:
    def make(folder: Path, size: int) -> None:
        (folder / ".git").mkdir(parents=True)
        (folder / "app.yaml").write_text(text(size), encoding="utf-8")

    return make


SERIES = {
    "documents": Series("documents of a tree", (1_000, 10_000, 50_000), _documents),
    "namespace": Series("workloads and Services of one namespace", (100, 1_000, 10_000), inputs.one_namespace),
    "kustomizations": Series("kustomizations, each with a workload", (10, 100, 1_000), inputs.kustomizations),
    "policies": Series("Services, each with a NetworkPolicy", (50, 500, 5_000), inputs.policies),
    "lines": Series("lines of a file, of variables", (1_000, 10_000, 100_000), _file(inputs.lines)),
    "data": Series("lines of a file, of a ConfigMap", (1_000, 10_000, 100_000), _file(inputs.data)),
    "passwords": Series("Pods of a file, each with a password", (500, 2_000, 8_000), _file(inputs.passwords)),
    "containers": Series("containers of one pod, as many as are judged", (20, 60, 200), _file(inputs.containers)),
    "ports": Series("ports of a container", (1_000, 4_000, 16_000), _file(inputs.ports)),
    "patches": Series("patches of a kustomization, each for a Pod", (100, 400, 1_600), inputs.patches),
    "patched": Series("patches of one Pod, as many as are checked", (25, 50, 100), partial(inputs.patches, pods=1)),
    "overpatched": Series(
        "patches of one Pod, more than are checked", (400, 1_600, 6_400), partial(inputs.patches, pods=1)
    ),
    "crowd": Series("containers of one pod, more than are judged", (500, 2_000, 20_000), _file(inputs.containers)),
}


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """The slope of the logarithm of ``costs`` over that of ``sizes``, by least squares over the three largest."""
    points = [(math.log(size), math.log(cost)) for size, cost in sorted(zip(sizes, costs, strict=True))[-3:]]
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def main() -> int:
    """Measure the series that are named, or all. Returns 1 where one of them grows faster than it may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("series", nargs="*", choices=[*SERIES, []], help="all of them where none is named")
    parser.add_argument("--times", type=int, default=3, help="runs of each size, of which the best counts")
    parser.add_argument("--short", action="store_true", help="a tenth of each size, once")
    given = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="harden-growth-") as name:
        folder = Path(name).resolve()
        start = measure.best(5, [*HARDEN, "--help"], folder).cpu
        print(f"start-up {start:.3f} s; seconds of processor time less start-up, best of {given.times}")
        for key in given.series or SERIES:
            series = SERIES[key]
            sizes = [max(2, size // 10) for size in series.sizes] if given.short else list(series.sizes)
            costs = []
            for size in sizes:
                tree = folder / f"{key}-{size}"
                series.make(tree, size)
                cost = measure.best(1 if given.short else given.times, [*HARDEN, "diff", "."], tree, expect=(0, 1))
                costs.append(max(cost.cpu - start, 0.001))
            found = exponent(sizes, costs)
            worst = max(worst, found)
            shown = "  ".join(f"{size:,}: {cost:.2f} s" for size, cost in zip(sizes, costs, strict=True))
            print(f"{series.what:<46} {found:5.2f} {'ok' if found <= MOST else 'MISSED':<6}  {shown}", flush=True)
    return 1 if worst > MOST and not given.short else 0


if __name__ == "__main__":
    sys.exit(main())
