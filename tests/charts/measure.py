"""What values of real charts reach, compared object by object with other code than that which looked for them.

``python -m tests.charts.measure CHART[=VALUES]...`` prints, for each chart and each helm, a line: containers, edits
that are wanted, those that values make, and with ``--post-render`` those that patches behind helm make; those of hooks,
which no patch reaches, among what is left; renders of helm, seconds of processor time (those of helm included), and
what came out otherwise than wanted (nothing). ``-v`` also prints transforms, each edit that is left, and why;
``--helm 4`` asks one helm alone. The last lines are the sums, and the medians of renders and seconds.

Patches are applied by the program kustomize where it is on PATH, else by harden's own knowledge of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hardener.charts.chart_memory import ChartMemory
from hardener.charts.files.copy import Copied
from hardener.charts.hardened_chart import MOST_RENDERS, ChartRun, HardenedChart, Refuses, harden_chart
from hardener.charts.helm import ChartError, Helm
from hardener.charts.post_render import HOOK, entry_of
from hardener.charts.values.values_file import new_file
from hardener.commands.run import Choices, plan_of
from hardener.engine.outcome import Change, Outcome
from hardener.kubernetes.kustomize.patch import merge
from hardener.tree.tree import Tree

from .. import helm as helms

_ITEM = re.compile(r"\[[^\]]*\]")
# What follows from values and does no harm, as docs/helm.md names it.
_FOLLOWS = re.compile(r"\.env\[(?:GOMAXPROCS|GOMEMLIMIT)\]|\.annotations\.[^=]*checksum")


def measured(
    chart: Path,
    major: int,
    *,
    release: str = "release",
    values: Sequence[str] = (),
    most: int = MOST_RENDERS,
    may_patch: bool = False,
    memory: ChartMemory | None = None,
) -> tuple[HardenedChart, list[Change], float]:
    """The chart hardened with Helm ``major`` by at most ``most`` trials, with the ``memory`` of other releases of it,
    the changes that were wanted, and the seconds of processor time that it took."""
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
    run = ChartRun(
        chart=str(chart), root=str(chart.parent), release=release, values=values, most_renders=most,
        may_patch=may_patch,
    )  # fmt: skip
    found = harden_chart(
        run, program, plan.settings, harden,
        lambda overrides, base: {"harden-values.yaml": new_file(overrides, base=base, header=[])}, memory=memory,
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
        printed = program.template(copy.folder, release=release, values=[*values, path])
        after = patched(_objects(printed), found.patches, folder)
        refused = _lints(program, copy.folder, values) and not _lints(program, copy.folder, [*values, path])
        without = _objects(program.template(copy.folder, release=release, values=values))
    by_chance = before.keys() ^ again.keys()  # names that are others in each render
    for objects in (before, again, after, without):
        for key in {*by_chance, *((after.keys() | without.keys()) - before.keys() if by_chance else ())}:
            objects.pop(key, None)
    random = {(key, leaf.partition("=")[0]) for key, leaf in _leaves(before) ^ _leaves(again)}

    def differ(one: Objects, other: Objects) -> set[tuple[tuple[str, str], str]]:
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


Objects = dict[tuple[str, str], Any]


def patched(objects: Objects, patches: Sequence[dict[str, Any]], folder: str) -> Objects:
    """``objects`` with ``patches`` made, each of them for one that is no hook; files are made in ``folder``."""
    made = dict(objects)
    for patch in patches:
        key = patch["kind"], patch["metadata"]["name"]
        assert HOOK not in (objects[key]["metadata"].get("annotations") or {}), key
        made[key] = _kustomized(made[key], patch, folder) if shutil.which("kustomize") else merge(made[key], patch)
    return made


def _kustomized(data: Any, patch: dict[str, Any], folder: str) -> Any:
    for name, text in (
        ("object.json", data), ("kustomization.json", {"resources": ["object.json"], "patches": [entry_of(patch)]}),
    ):  # fmt: skip
        path = Path(folder, name.replace("kustomization.json", "kustomization.yaml"))
        path.write_text(json.dumps(text), encoding="utf-8")
    done = subprocess.run(["kustomize", "build", folder], capture_output=True, text=True, check=True)
    (one,) = _objects(done.stdout).values()
    return one


def _lints(program: Helm, folder: str, values: Sequence[str]) -> bool:
    try:
        program.lint(folder, values=values)
    except ChartError:
        return False
    return True


def _objects(text: str) -> Objects:
    from ruamel.yaml import YAML

    found = [document for document in YAML(typ="safe").load_all(text) if isinstance(document, dict)]
    return {(document.get("kind", ""), document["metadata"]["name"]): document for document in found}


def _leaves(objects: Objects) -> set[tuple[tuple[str, str], str]]:
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
    behind: int
    of_hooks: int
    renders: int
    seconds: float
    wrong: int


def name_of_edit(change: Change) -> str:
    """What tells a change from others, also in another run over the same render."""
    edit = change.edit
    return repr((change.transform.id, str(change.object), type(edit).__name__, edit.path, getattr(edit, "value", None)))


def row(chart: Path, values: Sequence[str], major: int, *, verbose: bool, may_patch: bool = False) -> Row:
    """Measure ``chart`` with Helm ``major``, and print it."""
    found, wanted, seconds = measured(chart, major, values=values, may_patch=may_patch)
    all_made = {name_of_edit(change) for change in found.outcome.changes}
    by_values = {name_of_edit(change) for override in found.outcome.overrides for change in override.changes}
    left = [change for change in wanted if name_of_edit(change) not in all_made]
    hooks = [change for change in left if HOOK in (change.object.data.get("metadata", {}).get("annotations") or {})]
    containers = sum(len(template.containers) for template in found.outcome.tree.pod_templates)
    wrong = otherwise(chart, found, major, values=values)
    made = sum(name_of_edit(change) in by_values for change in wanted)
    behind = len(wanted) - len(left) - made
    result = Row(containers, len(wanted), made, behind, len(hooks), found.renders, seconds, len(wrong))
    _line(f"{chart.name} (helm {major})", result)
    for one in wrong:
        print(f"    otherwise: {one}")
    if verbose:
        _print_edits(found, wanted, by_values, left)
    return result


def _print_edits(found: HardenedChart, wanted: list[Change], by_values: set[str], left: list[Change]) -> None:
    by_id = Counter(change.transform.id for change in wanted)
    of_values = Counter(change.transform.id for change in wanted if name_of_edit(change) in by_values)
    for name, count in sorted(by_id.items()):
        print(f"    {name}: {of_values[name]} of {count}")
    reasons = {
        (finding.id, str(finding.object)): finding.message.partition("do not reach it: ")[2]
        for finding in found.outcome.findings
    }
    for change in left:
        why = reasons.get((change.transform.id, str(change.object)), "")
        print(f"    {change.object}: {change.transform.id}: {'.'.join(map(str, change.path[1:]))}: {why}")


def _line(name: str, row: Row) -> None:
    of = f"{row.reached} of {row.wanted}"
    counts = f"{row.containers:4}{of:>12}{row.behind:8}{row.of_hooks:7}{row.renders:9}"
    print(f"{name:28}{counts}{row.seconds:8.1f} s{row.wrong:4}", flush=True)


def main() -> None:
    """Measure the charts of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.charts.measure")
    parser.add_argument("charts", nargs="+", metavar="CHART[=VALUES]")
    parser.add_argument("--helm", type=int, action="append", choices=list(helms.PACKAGES))
    parser.add_argument("--post-render", action="store_true", help="with patches behind helm")
    parser.add_argument("-v", dest="verbose", action="store_true")
    given = parser.parse_args()
    print(f"{'chart':27}{'containers':>5}{'by values':>11}  behind  hooks  renders seconds otherwise")
    rows = []
    for one in given.charts:
        chart, _, values = one.partition("=")
        for major in given.helm or helms.PACKAGES:
            files = [values] if values else []
            rows.append(row(Path(chart), files, major, verbose=given.verbose, may_patch=given.post_render))
    _line("all", Row(*map(sum, zip(*rows, strict=True))))
    renders = statistics.median(one.renders for one in rows)
    print(f"median: {renders:g} renders, {statistics.median(one.seconds for one in rows):.1f} s")


if __name__ == "__main__":
    main()
