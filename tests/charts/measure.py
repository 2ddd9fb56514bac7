"""What values of real charts reach, compared object by object with other code than that which looked for them.

``python -m tests.charts.measure CHART[=VALUES]...`` prints, for each chart and each helm, a line: containers, edits
that are wanted and those that values make, renders of helm, seconds of processor time (those of helm included), and
what came out otherwise than wanted (nothing). ``-v`` also prints transforms, and the reasons of what is left;
``--helm 4`` asks one helm alone. The last lines are the sums, and the medians of renders and seconds.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hardener.charts.files.copy import Copied
from hardener.charts.hardened_chart import MOST_RENDERS, ChartRun, HardenedChart, Refuses, harden_chart, name_of
from hardener.charts.helm import ChartError, Helm
from hardener.charts.values.values_file import new_file
from hardener.commands.run import Choices, plan_of
from hardener.engine.outcome import Change, Outcome
from hardener.tree.tree import Tree

from .. import helm as helms

_ITEM = re.compile(r"\[[^\]]*\]")
# What follows from values and does no harm, as docs/helm.md names it.
_FOLLOWS = re.compile(r"\.env\[(?:GOMAXPROCS|GOMEMLIMIT)\]|\.annotations\.[^=]*checksum")


def measured(
    chart: Path, major: int, *, release: str = "release", values: Sequence[str] = (), most: int = MOST_RENDERS
) -> tuple[HardenedChart, list[Change], float]:
    """The chart hardened with Helm ``major`` by at most ``most`` trials, the changes that were wanted, and the seconds
    of processor time that it took."""
    program = Helm.found(str(helms.downloaded(major)), str(chart))
    plan = plan_of(Choices(), str(chart.parent))
    wanted: list[Change] = []

    def harden(tree: Tree, refuses: Refuses) -> Outcome:
        plan.gate.choose = lambda step: False if refuses(step) else None
        outcome = plan.run(tree, lambda name: None)
        if not wanted:
            wanted.extend(outcome.changes)
        return outcome

    started = _processor_time()
    run = ChartRun(chart=str(chart), root=str(chart.parent), release=release, values=values, most_renders=most)
    found = harden_chart(
        run, program, plan.settings, harden,
        lambda overrides, base: {"harden-values.yaml": new_file(overrides, base=base, header=[])},
    )  # fmt: skip
    return found, wanted, _processor_time() - started


def _processor_time() -> float:
    """Seconds of this process and of those that it has started and seen end."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def otherwise(
    chart: Path, found: HardenedChart, major: int, *, release: str = "release", values: Sequence[str] = ()
) -> list[str]:
    """What the chart renders otherwise with the overrides than without, beside what the changes say; and what helm
    says against them."""
    program = Helm.found(str(helms.downloaded(major)), str(chart))
    with Copied(str(chart), helm=program, values=values) as copy, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "harden-values.yaml")
        Path(path).write_text(found.written.get("harden-values.yaml", ""), encoding="utf-8")
        before, again = (_objects(program.template(copy.folder, release=release, values=values)) for _ in range(2))
        after = _objects(program.template(copy.folder, release=release, values=[*values, path]))
        refused = _lints(program, copy.folder, values) and not _lints(program, copy.folder, [*values, path])
        without = _objects(program.template(copy.folder, release=release, values=values))
    by_chance = before.keys() ^ again.keys()  # names that are others in each render
    for objects in (before, again, after, without):
        for key in {*by_chance, *((after.keys() | without.keys()) - before.keys() if by_chance else ())}:
            objects.pop(key, None)
    random = {(key, leaf.partition("=")[0]) for key, leaf in _leaves(before) ^ _leaves(again)}

    def differ(one: dict[tuple[str, str], Any], other: dict[tuple[str, str], Any]) -> set[tuple[tuple[str, str], str]]:
        both = _leaves(one) ^ _leaves(other)
        return {(key, leaf) for key, leaf in both if (key, leaf.partition("=")[0]) not in random}

    said = differ(before, after)
    wished: dict[tuple[str, str], list[str]] = {}
    for change in found.outcome.changes:
        parts = [part for part in change.path[1:] if isinstance(part, str)]
        wished.setdefault((change.object.kind, change.object.name), []).append("." + ".".join(parts))
    wrong = [
        f"{' '.join(key)} {leaf}"
        for key, leaf in sorted(said)
        if _FOLLOWS.search(leaf) is None
        and not any(f"{_ITEM.sub('', leaf)}.".startswith((f"{path}.", f"{path}=")) for path in wished.get(key, ()))
    ]
    if differ(without, before):
        wrong.append("without the file it is not what it was")
    if refused:
        wrong.append("helm lint refuses the values")
    return wrong


def _lints(program: Helm, folder: str, values: Sequence[str]) -> bool:
    try:
        program.lint(folder, values=values)
    except ChartError:
        return False
    return True


def _objects(text: str) -> dict[tuple[str, str], Any]:
    from ruamel.yaml import YAML

    found = [document for document in YAML(typ="safe").load_all(text) if isinstance(document, dict)]
    return {(document.get("kind", ""), document["metadata"]["name"]): document for document in found}


def _leaves(objects: dict[tuple[str, str], Any]) -> set[tuple[tuple[str, str], str]]:
    found: set[tuple[tuple[str, str], str]] = set()

    def walk(key: tuple[str, str], value: Any, path: str) -> None:
        if isinstance(value, dict):
            for name, child in value.items():
                walk(key, child, f"{path}.{name}")
        elif isinstance(value, list):
            for child in value:
                walk(key, child, f"{path}[{child.get('name', '') if isinstance(child, dict) else ''}]")
        elif value is not None:
            found.add((key, f"{path}={value!r}"))

    for key, document in objects.items():
        walk(key, document, "")
    return found


class Row(NamedTuple):
    """What is printed of one chart."""

    containers: int
    wanted: int
    reached: int
    renders: int
    seconds: float
    wrong: int


def row(chart: Path, values: Sequence[str], major: int, *, verbose: bool) -> Row:
    """Measure ``chart`` with Helm ``major``, and print it."""
    found, wanted, seconds = measured(chart, major, values=values)
    steps = {name_of(change.siblings) for change in found.outcome.changes}
    made = {id(change) for change in wanted if name_of(change.siblings) in steps}
    containers = sum(len(template.containers) for template in found.outcome.tree.pod_templates)
    wrong = otherwise(chart, found, major, values=values)
    _line(f"{chart.name} (helm {major})", Row(containers, len(wanted), len(made), found.renders, seconds, len(wrong)))
    for one in wrong:
        print(f"    otherwise: {one}")
    if verbose:
        by_id = Counter(change.transform.id for change in wanted)
        by_values = Counter(change.transform.id for change in wanted if id(change) in made)
        for name, count in sorted(by_id.items()):
            print(f"    {name}: {by_values[name]} of {count}")
        for finding in found.outcome.findings:
            if "do not reach" in finding.message:
                print(f"    {finding.object}: {finding.id}: {finding.message.partition('do not reach it: ')[2]}")
    return Row(containers, len(wanted), len(made), found.renders, seconds, len(wrong))


def _line(name: str, row: Row) -> None:
    of = f"{row.reached} of {row.wanted}"
    print(f"{name:28}{row.containers:4}{of:>12}{row.renders:6}{row.seconds:8.1f} s{row.wrong:4}", flush=True)


def main() -> None:
    """Measure the charts of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.charts.measure")
    parser.add_argument("charts", nargs="+", metavar="CHART[=VALUES]")
    parser.add_argument("--helm", type=int, action="append", choices=list(helms.PACKAGES))
    parser.add_argument("-v", dest="verbose", action="store_true")
    given = parser.parse_args()
    print(f"{'chart':27}{'containers':>5}{'by values':>11}{'renders':>8}{'seconds':>8}{'otherwise':>10}")
    rows = []
    for one in given.charts:
        chart, _, values = one.partition("=")
        for major in given.helm or helms.PACKAGES:
            rows.append(row(Path(chart), [values] if values else [], major, verbose=given.verbose))
    _line("all", Row(*map(sum, zip(*rows, strict=True))))
    renders = statistics.median(one.renders for one in rows)
    print(f"median: {renders:g} renders, {statistics.median(one.seconds for one in rows):.1f} s")


if __name__ == "__main__":
    main()
