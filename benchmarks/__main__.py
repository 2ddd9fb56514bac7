"""Measure, compare with the naive way in the same run, and print a table. Ratios are of processor time; where a
registry is waited for, of time on the clock.

A bar that is missed is printed as such and does not fail the run: a busy machine is no bug. A crash does.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import events, heads, inputs, measure, naive, net, python_files, registry

HARDEN = [sys.executable, "-m", "hardener"]
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "argo-cd"
MEMORY_FACTOR, MEMORY_BASE = 25, 60_000_000  # peak memory <= 25 times the input + 60 MB
_COMMANDS = {"apply": ["apply"], "diff": ["diff"], "diff --format json": ["diff", "--format", "json"]}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``bar`` is None for a figure that others are divided by."""

    what: str
    measured: float
    bar: float | None
    detail: str

    def __str__(self) -> str:
        if self.bar is None:
            return f"{self.what:<58} {self.measured:>8.3f} s  {'':>14}  {self.detail}"
        verdict = "ok" if self.measured <= self.bar else "MISSED"
        return f"{self.what:<58} {self.measured:>8.3f}  bar {self.bar:<8.5g} {verdict:<6} {self.detail}"


def _ratio(what: str, cost: measure.Cost, base: measure.Cost, bar: float) -> Row:
    detail = f"cpu {cost.cpu:.3f} s, wall {cost.wall:.3f} s ({cost.wall / base.wall:.2f} of the baseline's wall)"
    return Row(what, cost.cpu / base.cpu, bar, detail)


def _memory(what: str, cost: measure.Cost, size: int) -> Row:
    allowed = MEMORY_FACTOR * size + MEMORY_BASE
    detail = f"peak {cost.peak / 1e6:.0f} MB, input {size / 1e6:.2f} MB, allowed {allowed / 1e6:.0f} MB"
    return Row(what, cost.peak / allowed, 1.0, detail)


def start_up(folder: Path, times: int) -> Iterator[Row]:
    """Against ``import typer``: ``--help``, one file alone, one file in a repository of 1,000 documents."""
    base = measure.best(times, [sys.executable, "-c", "import typer"], folder)
    yield Row("import typer", base.cpu, None, f"wall {base.wall:.3f} s")
    yield _ratio("harden --help / import typer", measure.best(times, [*HARDEN, "--help"], folder), base, 2)

    alone = folder / "alone"
    alone.mkdir()
    one = alone / "app.yaml"

    def write_one() -> None:
        one.write_text(inputs.deployment(0), encoding="utf-8")

    cost = measure.best(times, [*HARDEN, "apply", one.name], alone, before=write_one)
    yield _ratio("harden apply, one file / import typer", cost, base, 4)

    tree = folder / "tree"
    (tree / ".git").mkdir(parents=True)  # enough to be a Git root for evidence, and costs no git process
    one = inputs.repository(tree, 1000)
    command = [*HARDEN, "diff", str(one.relative_to(tree))]
    cost = measure.best(max(2, times // 2), command, tree, expect=(1,))
    yield _ratio("harden diff, one file of 1,000 documents / import typer", cost, base, 8)


def throughput(folder: Path, times: int, *, many: int, factor: int) -> Iterator[Row]:
    """``many`` Deployments in one file against naive ruamel, of middling size and small, then ``factor`` times as many
    against ``many``."""
    file = inputs.deployments(folder / "many.yaml", many)
    size = file.stat().st_size
    base = measure.best(1, [sys.executable, naive.__file__, str(file)], folder)
    yield Row(f"naive ruamel round trip of {many:,} Deployments", base.cpu, None, f"wall {base.wall:.3f} s")
    floor = measure.best(times, [sys.executable, events.__file__, str(file)], folder)
    yield Row(f"libyaml's events of {many:,} Deployments, with Python", floor.cpu, None, f"wall {floor.wall:.3f} s")
    work = folder / "work" / file.name

    def fresh(file: Path) -> None:
        shutil.rmtree(work.parent, ignore_errors=True)  # what an apply put beside it is evidence for the next run
        work.parent.mkdir()
        shutil.copyfile(file, work)

    def run(file: Path, *command: str) -> measure.Cost:
        expect = (0 if command[0] == "apply" else 1,)
        before = partial(fresh, file)
        return measure.best(times, [*HARDEN, *command, work.name], work.parent, expect=expect, before=before)

    for name, command in _COMMANDS.items():
        cost = run(file, *command)
        yield _ratio(f"harden {name}, {many:,} Deployments / naive", cost, base, 0.3)
        yield _memory(f"harden {name}, {many:,} Deployments: memory / allowed", cost, size)
        if name == "diff":
            few = cost
    small = inputs.small_deployments(folder / "small.yaml", many)
    base = measure.best(times, [sys.executable, naive.__file__, str(small)], folder)
    yield Row(f"naive ruamel round trip of {many:,} small Deployments", base.cpu, None, f"wall {base.wall:.3f} s")
    for name, command in _COMMANDS.items():
        yield _ratio(f"harden {name}, {many:,} small Deployments / naive", run(small, *command), base, 0.7)
    fresh(inputs.deployments(folder / "more.yaml", many * factor))
    cost = measure.run([*HARDEN, "diff", work.name], work.parent, expect=(1,))
    yield _ratio(f"harden diff, {many * factor:,} / {many:,} Deployments", cost, few, 1.1 * factor)
    yield _memory(f"harden diff, {many * factor:,} Deployments: memory / allowed", cost, work.stat().st_size)


def application(folder: Path, times: int, *, few: int, factor: int) -> Iterator[Row]:
    """Workloads with Services that talk to each other, spread over namespaces: ``few``, then ``factor`` times as many.

    What the tree says as a whole (who selects, names and reaches whom) has to cost no more for each in a large one.
    """
    costs = []
    for count, runs in ((few, times), (few * factor, 1)):
        tree = inputs.application(folder / f"of-{count}", count)
        costs.append(measure.best(runs, [*HARDEN, "diff", "."], tree, expect=(1,)))
    yield Row(f"harden diff, {few:,} workloads and Services", costs[0].cpu, None, f"wall {costs[0].wall:.3f} s")
    yield _ratio(f"harden diff, {few * factor:,} / {few:,} of them", costs[1], costs[0], 1.3 * factor)


def corpus(folder: Path) -> Iterator[Row]:
    """The argo-cd tree, most of it CRDs, against naive ruamel on the same files."""
    tree = folder / "argo-cd"
    shutil.copytree(CORPUS, tree)
    files = sorted(str(path) for path in tree.rglob("*") if path.suffix in (".yaml", ".yml"))
    base = measure.run([sys.executable, naive.__file__, *files], folder)
    yield Row("naive ruamel round trip of the argo-cd corpus", base.cpu, None, f"wall {base.wall:.3f} s")
    cost = measure.best(2, [*HARDEN, "diff", "."], tree, expect=(1,))
    yield _ratio("harden diff, argo-cd corpus / naive", cost, base, 0.03)
    yield Row("the net under all readers / harden diff, argo-cd corpus", net.share(tree), 0.05, "in one process")
    yield _memory(
        "harden diff, argo-cd corpus: memory / allowed", cost, sum(Path(file).stat().st_size for file in files)
    )


def python_tree(folder: Path, times: int, *, count: int) -> Iterator[Row]:
    """``harden diff`` of ``count`` Python files, 2 % of which make objects, against reading all and compiling those
    that the gate for bytes lets through: the whole run, and what the other 98 % of the files cost."""
    trees = {name: folder / name for name in ("all", "those")}
    for name, tree in trees.items():
        python_files.tree(tree, count, others=name == "all")
    command = [sys.executable, python_files.__file__, str(trees["all"])]
    bases, costs, alone = [], [], []
    for _ in range(times):  # in turn, so that a busy machine is busy for all
        bases.append(measure.run(command, folder))
        costs.append(measure.run([*HARDEN, "diff", "."], trees["all"], expect=(1,)))
        alone.append(measure.run([*HARDEN, "diff", "."], trees["those"], expect=(1,)))
    base, cost, least = map(measure.least, (bases, costs, alone))
    yield Row(f"read {count} Python files, compile some", base.cpu, None, f"wall {base.wall:.3f} s")
    yield _ratio(f"harden diff of {count} Python files / read and compile", cost, base, 6)
    detail = f"cpu {cost.cpu:.3f} s, of which {least.cpu:.3f} s for the {count // 50} that make objects"
    yield Row(
        f"the net under all readers / diff of {count} Python files", net.share(trees["all"]), 0.05, "in one process"
    )
    yield Row("harden diff, what the other 98 % add / read and compile", (cost.cpu - least.cpu) / base.cpu, 1.5, detail)


def locking(folder: Path, times: int, *, count: int) -> Iterator[Row]:
    """``harden lock`` of ``count`` images of a registry on loopback, against one HEAD for each.

    A HEAD knows the digest. The lock holds the config too: a GET of the manifest and one of the config, or for an index
    of two platforms five in all, of which no bar is known.
    """
    with registry.running(folder) as address:
        for platforms, bar in ((1, 3.0), (2, None)):
            tree = folder / f"of-{platforms}"
            names = registry.fill(address, tree.name, count, platforms)
            file = inputs.pods(tree, names)
            listed = folder / f"{tree.name}.txt"
            listed.write_text("\n".join(names), encoding="utf-8")
            lock = tree / "harden.lock"
            bases, costs, checks = [], [], []
            for _ in range(times):  # in turn, so that a busy machine is busy for both
                lock.unlink(missing_ok=True)
                bases.append(measure.run([sys.executable, heads.__file__], folder, given=listed))
                costs.append(measure.run([*HARDEN, "lock", file.name], tree))
                checks.append(measure.run([*HARDEN, "lock", "--check", file.name], tree))
            base, cost, check = map(measure.least, (bases, costs, checks))
            of = f"{count} images" if platforms == 1 else f"{count} indexes of {platforms}"
            yield Row(f"HEAD of {of}", base.wall, None, f"cpu {base.cpu:.3f} s")
            ratio = cost.wall / base.wall
            if bar is None:
                yield Row(f"harden lock, {of}", cost.wall, None, f"cpu {cost.cpu:.3f} s ({ratio:.2f} of HEAD's wall)")
            else:
                detail = f"cpu {cost.cpu:.3f} s, wall {cost.wall:.3f} s"
                yield Row(f"harden lock, {of} / HEAD: wall", ratio, bar, detail)
                detail = f"cpu {check.cpu:.3f} s ({check.wall / base.wall:.2f} of HEAD's wall)"
                yield Row(f"harden lock --check, {of}", check.wall, None, detail)


def main() -> int:
    """Run the benchmarks. Returns 1 when a measured command crashed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the documents and no corpus, for CI")
    short = parser.parse_args().short
    parts: list[Callable[[Path], Iterator[Row]]] = [partial(start_up, times=3 if short else 10)]
    if short:
        parts.append(partial(throughput, times=1, many=300, factor=5))
        parts.append(partial(application, times=1, few=200, factor=5))
        parts.append(partial(python_tree, times=2, count=1000))
    else:
        parts.append(partial(throughput, times=3, many=1000, factor=10))
        parts.append(partial(application, times=2, few=500, factor=10))
        parts.append(partial(python_tree, times=5, count=3000))
        if CORPUS.is_dir():
            parts.append(corpus)
        else:
            print("the argo-cd corpus is not beside this repository, so it is left out")
    if reason := registry.missing():
        print(f"{reason}, so harden lock is left out")
    else:
        parts.append(partial(locking, times=2 if short else 5, count=50 if short else 500))
    missed = crashed = 0
    print(f"{'what':<58} {'measured':>8}")
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="harden-benchmark-") as folder:
            try:
                for row in part(Path(folder).resolve()):
                    print(row, flush=True)
                    missed += row.bar is not None and row.measured > row.bar
            except measure.FailedError as error:
                print(f"CRASHED: {error}", flush=True)
                crashed += 1
    print(f"{missed} missed, {crashed} crashed" if missed or crashed else "every bar is held")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
