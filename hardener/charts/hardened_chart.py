"""One chart hardened by its values: rendered, hardened as a stream, and what of that values can do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from hardener.charts.chart_copy import Copied, Copy
from hardener.charts.computed_values import computed_values
from hardener.charts.helm import ChartError, Helm
from hardener.charts.known_keys import known_keys
from hardener.charts.reach import Reached, Search
from hardener.charts.rendered import Reader, parts
from hardener.charts.renders import Renders
from hardener.charts.values_file import KeyRefusedError
from hardener.charts.wanted import Step, Wanted
from hardener.engine.outcome import Outcome, Override, Report
from hardener.support.fast_dataclass import dataclass
from hardener.support.printable import plain
from hardener.tree.tree import Settings, Tree, lock_of

MOST_RENDERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRun:
    """Which chart is rendered, and how: as ``helm template RELEASE CHART -f VALUES --set SETS`` does it. ``root`` is
    the folder of its tree, ``most_renders`` how often it may be rendered."""

    chart: str
    root: str
    values: Sequence[str] = ()
    sets: Sequence[str] = ()
    release: str = "release"
    namespace: str | None = None
    kube_version: str | None = None
    most_renders: int = MOST_RENDERS


Written = dict[str, str]
"""The texts of files of values, by their paths as they were given."""
Writer = Callable[[list[Override], str], Written]
"""Gives overrides, and the text of the chart's own values, as the texts of files: of its user's, changed, and of new
ones, which come last. Raises KeyRefusedError for an override that cannot be written."""


@dataclass(slots=True, eq=False)
class HardenedChart:
    """What came of it: ``outcome`` holds what values do as its changes, and what they do not as findings. ``written``
    are the files of values, ``hardened`` how many edits ``harden filter`` makes of the rendered chart, ``renders`` how
    often it was rendered; ``spent``: that was not often enough to try everything. ``dropped`` are dependencies that the
    chart has, and that were not there."""

    outcome: Outcome
    written: Written
    hardened: int
    renders: int
    spent: bool
    dropped: tuple[str, ...]


def harden_chart(
    run: ChartRun, helm: Helm, settings: Settings, harden: Callable[[Tree], Outcome], write: Writer,
    progress: Callable[[str], object] = lambda name: None,
) -> HardenedChart:  # fmt: skip
    """Harden the rendered chart by ``harden``, and find the values that do the same.

    Raises ChartError where the chart cannot be read or rendered, and ProgramError.
    """
    with Copied(run.chart, helm=helm, values=run.values, sets=run.sets, tree=run.root) as copy:
        if copy.is_library:
            raise ChartError(f"{plain(run.chart)} is a library chart: it renders nothing by itself")
        return _Hardening(run, copy, helm, progress).run(settings, harden, write)


class _Hardening:
    def __init__(self, run: ChartRun, copy: Copy, helm: Helm, progress: Callable[[str], object]) -> None:
        self._run, self._copy, self._helm = run, copy, helm
        self._scratch = os.path.dirname(copy.folder)
        self._renders = Renders(self._rendered, self._scratch, run.most_renders, progress)

    def _rendered(self, files: list[str], *, schema: bool) -> str:
        return self._with([*self._run.values, *files], schema=schema)

    def _with(self, values: Sequence[str], *, schema: bool = True) -> str:
        run = self._run
        return self._helm.template(
            self._copy.folder, values=values, sets=run.sets, release=run.release, namespace=run.namespace,
            kube_version=run.kube_version, schema=schema,
        )  # fmt: skip

    def run(self, settings: Settings, harden: Callable[[Tree], Outcome], write: Writer) -> HardenedChart:
        run, copy = self._run, self._copy
        templates = _templates(self._rendered([], schema=True), run.chart)
        outcome = harden(Tree.rendered(templates, run.root, settings, lock_of(run.root), run.chart))
        wanted = Wanted(outcome)
        hardened = len(outcome.changes)
        reached, written = Reached([], {}, {}), Written()
        if any(not step.creates for step in wanted.steps):
            values = computed_values(
                self._helm, copy.folder, values=run.values, sets=run.sets, release=run.release, namespace=run.namespace
            )
            search = Search(self._renders, wanted, values, known_keys(copy.folder))
            reached = search.run()
            while reached.ways:
                try:
                    written = write(_overrides(reached), _values_text(copy.folder))
                    break
                except KeyRefusedError as refused:
                    search.give_up(refused.path, str(refused))
                    reached = search.reached()
            if written:
                self._prove(search, reached, written)
        outcome.overrides = _overrides(reached)
        _narrow(outcome, wanted, reached)
        return HardenedChart(outcome, written, hardened, self._renders.count, reached.spent, copy.dropped)

    def _prove(self, search: Search, reached: Reached, written: Written) -> None:
        """Render the chart once more, with the files as they will be. Raises ChartError where that is not what was
        wanted."""
        files = [self._file(written.get(path), path) for path in self._run.values]
        files += [self._file(text, path) for path, text in written.items() if path not in self._run.values]
        wrong = search.differs(reached.ways, Reader().read(self._with(files)))
        if wrong is not None:
            raise ChartError(f"our bug: the values do not come out as they were tried: {wrong}; please report it")

    def _file(self, text: str | None, path: str) -> str:
        if text is None:
            return path
        handle, made = tempfile.mkstemp(suffix=".yaml", dir=self._scratch)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return made


def _templates(text: str, chart: str) -> list[tuple[str, str]]:
    """The rendered documents by the template that they come from: its path, and their text."""
    found: dict[str, list[str]] = {}
    for source, part in parts(text):
        found.setdefault(source, []).append(part)
    real = os.path.abspath(chart) if os.path.isdir(chart) else os.path.abspath(chart).removesuffix(".tgz")
    return [
        (
            os.path.join(real, *source.split("/")[1:]),
            "---\n".join(part if part.endswith("\n") else part + "\n" for part in texts),
        )
        for source, texts in found.items()
    ]


def _values_text(folder: str) -> str:
    try:
        with open(os.path.join(folder, "values.yaml"), encoding="utf-8-sig", newline="") as handle:
            return handle.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _overrides(reached: Reached) -> list[Override]:
    """The overrides, each with the changes that come out by it."""
    found = []
    for path, value in reached.overrides.items():
        ways = [way for way in reached.ways if any(_is_at(path, operation.path) for operation in way.operations)]
        changes = tuple(change for way in ways for change in way.step.changes)
        found.append(Override(tuple(map(str, path)), value, changes))
    return found


def _is_at(path: tuple[Any, ...], operation: tuple[Any, ...]) -> bool:
    return operation[: len(path)] == path


def _narrow(outcome: Outcome, wanted: Wanted, reached: Reached) -> None:
    """Leave in ``outcome`` the changes that values make; the others are findings, one for a step."""
    made = {way.step.number for way in reached.ways}
    for step in wanted.steps:
        if step.number not in made:
            outcome.findings.append(_left(outcome, step, reached))
    kept = {id(change) for way in reached.ways for change in way.step.changes}
    outcome.changes = [change for change in outcome.changes if id(change) in kept]
    outcome.files = []


def _left(outcome: Outcome, step: Step, reached: Reached) -> Report:
    """What no value does, as a finding at the template that would have to."""
    first = step.changes[0]
    transform, item = first.transform, first.object
    reason = (
        "a new object is no value of the chart"
        if step.creates
        else reached.reasons.get(
            step.number,
            "there were not enough renders to find its value" if reached.spent else "no value does it alone",
        )
    )
    message = f"{transform.summary} Values do not reach it: {reason}"
    advice = "change the template, or put harden filter behind helm as a post-renderer"
    return Report(
        transform.id, transform.risk, transform.severity, message, advice, item.piece.file.name, item, item.piece,
        first.path, first.line, "change that values do not reach",
    )  # fmt: skip
