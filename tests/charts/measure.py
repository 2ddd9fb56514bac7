"""What values of real charts reach, compared object by object with other code than that which looked for them.

``python -m tests.charts.measure CHART...`` prints, for each chart and each helm: how many edits are wanted, how many
values make, and by which transforms; what is left; renders and seconds; what came out otherwise than wanted (nothing).
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hardener.charts.files.copy import Copied
from hardener.charts.hardened_chart import ChartRun, HardenedChart, Refuses, harden_chart, name_of
from hardener.charts.helm import ChartError, Helm
from hardener.charts.values.values_file import new_file
from hardener.commands.run import Choices, plan_of
from hardener.engine.outcome import Change, Outcome
from hardener.tree.tree import Tree

from .. import helm as helms

_ITEM = re.compile(r"\[[^\]]*\]")
RARELY_BY_VALUES = ("netpol-", "projected-token", "automount-token")


def measured(
    chart: Path, major: int, *, release: str = "release", values: Sequence[str] = ()
) -> tuple[HardenedChart, list[Change], float]:
    """The chart hardened with Helm ``major``, the changes that were wanted, and the seconds that it took."""
    program = Helm.found(str(helms.downloaded(major)), str(chart))
    plan = plan_of(Choices(), str(chart.parent))
    wanted: list[Change] = []

    def harden(tree: Tree, refuses: Refuses) -> Outcome:
        plan.gate.choose = lambda step: False if refuses(step) else None
        outcome = plan.run(tree, lambda name: None)
        if not wanted:
            wanted.extend(outcome.changes)
        return outcome

    started = time.monotonic()
    run = ChartRun(chart=str(chart), root=str(chart.parent), release=release, values=values)
    found = harden_chart(
        run, program, plan.settings, harden,
        lambda overrides, base: {"harden-values.yaml": new_file(overrides, base=base, header=[])},
    )  # fmt: skip
    return found, wanted, time.monotonic() - started


def otherwise(chart: Path, found: HardenedChart, major: int, *, release: str = "release") -> list[str]:
    """What the chart renders otherwise with the overrides than without, beside what the changes say; and what helm
    says against them."""
    program = Helm.found(str(helms.downloaded(major)), str(chart))
    with Copied(str(chart), helm=program) as copy, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "harden-values.yaml")
        Path(path).write_text(found.written.get("harden-values.yaml", ""), encoding="utf-8")
        before, again = (_objects(program.template(copy.folder, release=release)) for _ in range(2))
        after = _objects(program.template(copy.folder, release=release, values=[path]))
        refused = _lints(program, copy.folder, []) and not _lints(program, copy.folder, [path])
        without = _objects(program.template(copy.folder, release=release))
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
        if not any(f"{_ITEM.sub('', leaf)}.".startswith((f"{path}.", f"{path}=")) for path in wished.get(key, ()))
    ]
    if differ(without, before):
        wrong.append("without the file it is not what it was")
    if refused:
        wrong.append("helm lint refuses the values")
    return wrong


def _lints(program: Helm, folder: str, values: list[str]) -> bool:
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


def main(charts: list[str]) -> None:
    for chart in charts:
        for major in helms.PACKAGES:
            found, wanted, seconds = measured(Path(chart), major)
            steps = {name_of(change.siblings) for change in found.outcome.changes}
            made = {id(change) for change in wanted if name_of(change.siblings) in steps}
            rest = [change for change in wanted if not change.transform.id.startswith(RARELY_BY_VALUES)]
            print(
                f"{os.path.basename(chart)} helm {major}: {len(wanted)} edits wanted, {len(made)} by values; "
                f"without policies and tokens {sum(id(c) in made for c in rest)} of {len(rest)}; "
                f"{found.renders} renders, {seconds:.0f} s; otherwise: "
                f"{otherwise(Path(chart), found, major) or 'nothing'}"
            )
            by_id = Counter(change.transform.id for change in wanted)
            by_values = Counter(change.transform.id for change in wanted if id(change) in made)
            for name, count in sorted(by_id.items()):
                print(f"    {name}: {by_values[name]} of {count}")


if __name__ == "__main__":
    main(sys.argv[1:])
