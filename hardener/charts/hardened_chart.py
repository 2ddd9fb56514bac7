"""One chart hardened by its values: rendered, hardened as a stream, and what of that values can do."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from msgspec import Struct

from hardener.charts import post_render
from hardener.charts.chart_memory import ChartMemory
from hardener.charts.files.copy import Copied, Copy
from hardener.charts.generated_secrets import without_generated
from hardener.charts.helm import ChartError, Helm
from hardener.charts.kustomize_program import Kustomize
from hardener.charts.releases.release import merged
from hardener.charts.rendered import Reader
from hardener.charts.renders import Objects, Renders, SpentError
from hardener.charts.run_steps import Step, Wanted
from hardener.charts.templates.lines import at_templates, by_template, real_source, template_texts
from hardener.charts.templates.patch import own_patch
from hardener.charts.values.computed_values import computed_values
from hardener.charts.values.operations import as_values
from hardener.charts.values.reach import Reached, Search
from hardener.charts.values.values_file import KeyRefusedError
from hardener.engine.outcome import Change, Outcome, Override, Report
from hardener.engine.problem_sentence import problem_of
from hardener.engine.step import Step as Planned
from hardener.errors import HardenError
from hardener.sources import files
from hardener.sources.files import git_root
from hardener.sources.yaml import parse
from hardener.support.data_path import Path
from hardener.support.printable import plain
from hardener.tree.tree import Settings, Tree, lock_for, recorded_for

MOST_RENDERS = 200
LINES = "the patch of templates"
BY_LINES = "change that lines of the template make"
"""The topic of a finding about a change that new lines of the chart's own templates make."""
_FILTER = "harden filter behind helm, as a post-renderer, does it, too"
_MOST_TURNS = 6  # in which a chart is hardened without what values do not reach
StepName = tuple[str, tuple[tuple[str, str, Path], ...]]


class ChartRun(Struct, frozen=True, kw_only=True):
    """Which chart is rendered, and how: as ``helm template RELEASE CHART -f VALUES --set SETS`` does it.

    ``root`` is the folder of its tree, ``most_renders`` how often it may be rendered. ``defaults``: whether its own
    ``values.yaml`` counts. ``in_files``: what is written are files of values, which are rendered once more; values that
    stand elsewhere were proved by the renders before. ``place``: the path that its templates are said to be in, where
    that is not the path of the chart. ``patches`` are those that its deployer makes behind helm; ``may_patch``: there
    may be more of them. ``ahead``: what it prints by a render of several releases, which is to be proved.
    """

    chart: str
    root: str
    values: Sequence[str] = ()
    sets: Sequence[str] = ()
    release: str = "release"
    namespace: str | None = None
    kube_version: str | None = None
    most_renders: int = MOST_RENDERS
    defaults: bool = True
    in_files: bool = True
    place: str = ""
    patches: Sequence[post_render.Applied] = ()
    may_patch: bool = False
    ahead: str | None = None

    @property
    def called(self) -> str:
        """The path of the chart, as findings have it."""
        return self.place or self.chart


Refuses = Callable[[Planned], bool]
"""Whether a step is not to be made, since no value makes it."""
Harden = Callable[[Tree, Refuses], Outcome]
Written = dict[str, str]
"""The texts of files of values, by their paths as they were given."""
Writer = Callable[[list[Override], str], Written]
"""Gives overrides, and the text of the chart's own values, as the texts of files: of its user's, changed, and of new
ones, which come last. Raises KeyRefusedError for an override that cannot be written."""


class HardenedChart(Struct, eq=False):
    """What came of it: ``outcome`` holds what values do as its changes, and what they do not as findings. ``written``
    are the files of values, ``hardened`` how many edits ``harden filter`` makes of the rendered chart, ``renders`` how
    often it was rendered; ``spent``: that was not often enough to try everything. ``dropped`` are dependencies that the
    chart has, and that were not there; ``schemas`` those that were not asked, since they name another schema. ``also``
    is what follows from the values beside the changes, and does no harm. ``patches`` are to be made behind helm;
    ``is_untried``: no program kustomize was there that has tried them. ``texts`` are files of the chart, by their paths
    in it, with the lines that findings with the topic ``BY_LINES`` ask for."""

    outcome: Outcome
    written: Written
    hardened: int
    renders: int
    spent: bool
    dropped: tuple[str, ...]
    schemas: tuple[str, ...]
    also: tuple[str, ...] = ()
    patches: Sequence[dict[str, Any]] = ()
    is_untried: bool = False
    texts: Written = {}

    @property
    def follows(self) -> str | None:
        """What there is to say of ``also``; None where nothing is."""
        return f"its values also change {', '.join(map(plain, self.also))}" if self.also else None

    @property
    def unasked(self) -> str | None:
        """What there is to say of ``schemas``; None where there are none."""
        if not self.schemas:
            return None
        names = ", ".join(map(plain, self.schemas))
        return f"rendered without {names}, which names a schema elsewhere: harden fetches none; helm lint asks it"


def harden_chart(
    run: ChartRun,
    helm: Helm,
    settings: Settings,
    harden: Harden,
    write: Writer,
    progress: Callable[[str], object] = lambda name: None,
    memory: ChartMemory | None = None,
) -> HardenedChart:
    """Harden the rendered chart by ``harden``, and find the values that do the same. ``memory`` is what other releases
    of the same chart have shown.

    A later step may rest on an earlier one (a process that is not root needs no capabilities), so what values do not
    reach is left out, and the chart is hardened without it, until all that is decided comes out.

    Raises ChartError where the chart cannot be read or rendered, and ProgramError.
    """
    lock = lock_for(run.root, settings)
    charts = lock.charts if lock is not None else None
    copied = Copied(run.chart, helm=helm, values=run.values, sets=run.sets, tree=run.root, charts=charts)
    with ExitStack() as stack:
        known = memory if memory is not None else stack.enter_context(ChartMemory())
        copy = stack.enter_context(known.copied(copied, is_own=not run.defaults))
        if copy.is_library:
            raise ChartError(f"{plain(run.called)} is a library chart: it renders nothing by itself")
        if not run.defaults:
            with open(os.path.join(copy.folder, "values.yaml"), "w", encoding="utf-8") as handle:
                handle.write("{}\n")
        if run.ahead is not None:
            with suppress(ChartError):
                ahead = _Hardening(run, copy, helm, progress, known, settings.helm_tests)
                found = ahead.run(post_render.patched(run.ahead, run.patches), settings, harden, write)
                if ahead.is_proved:
                    return found
        hardening = _Hardening(run, copy, helm, progress, known, settings.helm_tests)
        return hardening.run(None, settings, harden, write)


class _Refusal(Struct, frozen=True, eq=False):
    names: set[StepName]

    def __call__(self, step: Planned) -> bool:
        return name_of(step.changes) in self.names


class _Hardening:
    def __init__(
        self,
        run: ChartRun,
        copy: Copy,
        helm: Helm,
        progress: Callable[[str], object],
        memory: ChartMemory,
        tests: bool,
    ) -> None:
        self._run, self._copy, self._helm, self._memory, self._tests = run, copy, helm, memory, tests
        self._scratch = os.path.dirname(copy.folder)
        self._renders = Renders(self._rendered, self._scratch, run.most_renders, progress)
        self._renders.has_schema = copy.has_schema
        self._known: Search | None = None
        self._is_ahead = False
        self._kustomize = Kustomize.found(os.path.realpath(run.root)) if run.may_patch else None
        self._texts: Written = {}  # of the chart's own files, with the lines that make the rest
        self._otherwise: set[StepName] = set()  # of whose patches kustomize makes something else

    def _rendered(self, files: list[str], *, schema: bool) -> str:
        return self._with([*self._run.values, *files], schema=schema)

    def _with(self, values: Sequence[str], *, schema: bool = True, folder: str | None = None) -> str:
        run = self._run
        options: dict[str, Any] = {"sets": run.sets, "release": run.release, "namespace": run.namespace}
        options |= {"schema": schema and self._copy.has_schema, "tests": self._tests}
        text = self._helm.template(folder or self._copy.folder, values=values, kube_version=run.kube_version, **options)
        return post_render.patched(text, run.patches)

    @property
    def is_proved(self) -> bool:
        """Whether helm has printed with values what was taken for the chart without them, and their changes alone."""
        return self._known is not None and bool(self._known.accepted)

    def run(self, ahead: str | None, settings: Settings, harden: Harden, write: Writer) -> HardenedChart:
        """Harden the chart as it is rendered, or as a render ``ahead`` has it, turn by turn without the steps that no
        value reaches."""
        run, copy = self._run, self._copy
        text = self._rendered([], schema=True) if ahead is None else ahead
        self._renders.take(text)
        self._is_ahead = ahead is not None
        templates = by_template(text, run.called, copy.folder)
        given = [*values_of(run.values), *(_set(text) for text in run.sets)]
        refused: dict[StepName, Report] = {}
        spent = False
        for turn in range(_MOST_TURNS):
            tree = Tree.rendered(templates, run.root, settings, lock_for(run.root, settings), run.called)
            tree.chart_values = given
            tree.recorded = recorded_for(run.root, settings)
            outcome = harden(tree, _Refusal(set(refused)))
            wanted = Wanted(outcome)
            if turn == 0:
                hardened, first = len(outcome.changes), wanted
            reached, written = self._reach(wanted, given, write)
            spent = spent or reached.spent
            made = {way.step.number for way in reached.ways}
            left = [step for step in wanted.steps if step.number not in made]
            behind, patches = self._behind(wanted, reached, left)
            left = [step for step in left if step not in behind]
            refused |= {name_of(step.changes): _left(step, reached, self._no_patch(step, wanted)) for step in left}
            if not left:
                break
        self._close(outcome, first, reached, refused, written)
        _narrow(outcome, [*(way.step for way in reached.ways), *behind], refused.values())
        without_generated(outcome, copy.folder, lambda: self._rendered([], schema=False))
        at_templates(outcome, template_texts(copy.folder, run.called), self._memory.templates)
        return HardenedChart(
            outcome, written, hardened, self._renders.count, spent, copy.dropped, copy.schemas, tuple(reached.also),
            patches, is_untried=bool(patches) and self._kustomize is None, texts=self._texts,
        )  # fmt: skip

    def _close(
        self, outcome: Outcome, first: Wanted, reached: Reached, refused: dict[StepName, Report], written: Written
    ) -> None:
        """Prove the files that are ``written``, and find lines of templates for what values do not reach."""
        if self._known is None:
            return
        outcome.overrides = _overrides(reached)
        if written and self._run.in_files:
            self._prove(self._known, reached, written)
        if refused and self._run.in_files and _is_own(self._run.chart):
            with suppress(SpentError):  # without them the findings stay what they are
                self._lines(outcome, first, reached, refused)

    def _reach(self, wanted: Wanted, given: list[Any], write: Writer) -> tuple[Reached, Written]:
        """Look for the values that make ``wanted``, and write them; all values of the chart become ``given``."""
        if all(step.creates for step in wanted.steps):
            return Reached([], {}, {}), Written()
        try:
            if self._known is None:
                self._known = self._search(wanted)
                given.append(self._known.values)
            self._known.run(wanted)
            written = self._written(self._known, write)
            return self._known.reached(), written
        except SpentError:
            return Reached([], {}, {}, spent=True), Written()

    def _behind(
        self, wanted: Wanted, reached: Reached, left: Sequence[Step]
    ) -> tuple[list[Step], list[dict[str, Any]]]:
        """Those of the steps ``left`` that patches behind helm make, all together, and the patches."""
        behind = [step for step in left if post_render.takes(step, wanted)] if self._run.may_patch else []
        if not behind:
            return [], []
        came = self._renders(as_values(reached.overrides))
        done = [way.step for way in reached.ways]
        some = _patched_together(wanted, done, behind, came)
        while True:
            patches = post_render.patches_for(wanted, done, some, came) or {}
            wrong = post_render.made_otherwise(patches, came, self._kustomize) if self._kustomize is not None else set()
            if not wrong:
                return some, list(patches.values())
            otherwise = [step for step in some if any(wanted.place(edit)[0] in wrong for edit in step.edits)]
            self._otherwise |= {name_of(step.changes) for step in otherwise}
            some = [step for step in some if step not in otherwise]

    def _no_patch(self, step: Step, wanted: Wanted) -> str | None:
        """Why what ``step`` wants is for no post-renderer either, where there is a reason to tell."""
        if not self._run.may_patch:
            return None
        if any(post_render.is_hook(wanted.place(edit)[1]) for edit in step.edits):
            return "helm hands its hooks to no post-renderer"
        return "kustomize makes something else of its patch" if name_of(step.changes) in self._otherwise else None

    def _lines(self, outcome: Outcome, wanted: Wanted, reached: Reached, refused: dict[StepName, Report]) -> None:
        """Find the lines of the chart's own templates that make the rest, and say so in the findings ``refused``."""
        made = {name_of(way.step.changes) for way in reached.ways}
        steps = [step for step in wanted.steps if name_of(step.changes) not in made]
        values = as_values(reached.overrides)
        own = own_patch(
            self._copy.folder,
            self._renders(values),
            wanted,
            steps,
            lambda texts: self._patched(texts, values),
            reached=[step for step in wanted.steps if name_of(step.changes) in made],
            below=_below(self._run.chart),
        )
        outcome.template_patch = own.patch
        self._texts = own.written.texts
        written = {step.number for step in own.steps}
        for step in steps:
            report = refused.get(name_of(step.changes))
            if report is None or step.creates:
                continue
            if step.number in written:
                report.advice = f"add to the chart what {LINES} shows; {_FILTER}"
                report.topic = BY_LINES
            elif step.number in own.by_hand:
                report.advice = f"change the template by hand, since {own.by_hand[step.number].reason}; {_FILTER}"

    def _patched(self, texts: dict[str, str], values: dict[str, Any]) -> Objects:
        """The objects of the chart with ``texts`` in place of its files."""
        before: dict[str, bytes | None] = {}
        try:
            for name, text in texts.items():
                path = os.path.join(self._copy.folder, name)
                before[path] = _bytes(path)
                with open(path, "w", encoding="utf-8", newline="") as handle:
                    handle.write(text)
            return self._renders(values, fresh=True)
        finally:
            for path, raw in before.items():
                if raw is None:
                    os.unlink(path)
                else:
                    with open(path, "wb") as binary:
                        binary.write(raw)

    def _search(self, wanted: Wanted) -> Search:
        run, folder, memory = self._run, self._copy.folder, self._memory
        memory.learn(folder, known_keys(folder))
        given = merged([each for each in values_of(run.values) if isinstance(each, dict)])
        part = self._part(wanted)
        if part is not None:
            self._renders.part = lambda files, *, schema: self._with([*run.values, *files], schema=False, folder=part)
        return Search(
            self._renders, self._computed(given), memory, given=given,
            fields=memory.fields(part or folder).__contains__, may_look_again=not self._is_ahead,
        )  # fmt: skip

    def _computed(self, given: dict[str, Any]) -> dict[str, Any]:
        """All values of the chart with those ``given``: as helm says, or where it has said of the chart alone what can
        be told from that, these on top of it."""
        run, folder, memory = self._run, self._copy.folder, self._memory
        options: dict[str, Any] = {"release": run.release, "namespace": run.namespace}
        is_own = bool(run.sets) or not run.defaults
        if memory.defaults is None and memory.is_plain and not is_own:
            memory.defaults = computed_values(self._helm, folder, **options)
        known = None if is_own else memory.with_defaults(given)
        if known is not None:
            return known
        return computed_values(self._helm, folder, values=run.values, sets=run.sets, **options)

    def _part(self, wanted: Wanted) -> str | None:
        """A copy of the chart that renders the objects which ``wanted`` changes, and few others; None where all are
        among them."""
        folder = self._copy.folder
        keys = {wanted.place(edit)[0] for step in wanted.steps for edit in step.edits}
        sources = {
            document.source for key, document in self._renders().items() if key in keys or key.kind == "ServiceAccount"
        }  # which has switches of the same name
        return self._memory.part(folder, {real_source(source, folder) for source in sources})

    def _written(self, search: Search, write: Writer) -> Written:
        """The files with the overrides; what cannot be written is given up."""
        while (reached := search.reached()).ways:
            try:
                written = write(_overrides(reached), _values_text(self._copy.folder))
            except KeyRefusedError as refused:
                search.give_up(refused.path, str(refused))
                continue
            return written
        return Written()

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


def _is_own(chart: str) -> bool:
    """Whether ``chart`` is a folder in a repository, and no dependency of another chart."""
    real = os.path.realpath(chart)
    above = os.path.dirname(real)
    if os.path.basename(above) == "charts" and os.path.isfile(os.path.join(os.path.dirname(above), "Chart.yaml")):
        return False
    return os.path.isdir(real) and git_root(real) is not None


def _below(chart: str) -> str:
    """The path of ``chart`` in a patch: from the working directory, or from its repository where it is outside."""
    path = os.path.relpath(os.path.realpath(chart))
    if path.split(os.sep)[0] == os.pardir:
        path = os.path.relpath(os.path.realpath(chart), git_root(os.path.realpath(chart)))
    return "" if path == os.curdir else path.replace(os.sep, "/") + "/"


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def values_of(paths: Sequence[str]) -> list[Any]:
    """Return what the files of values at ``paths`` say, as far as they can be read: helm says what is wrong with
    one."""
    found: list[Any] = []
    for path in paths:
        try:
            found += parse(files.read(path).text).documents
        except HardenError:
            continue
    return found


def _set(text: str) -> dict[str, str]:
    """What ``--set TEXT`` sets, by the last key of each name."""
    pairs = (pair.partition("=") for pair in re.split(r"(?<!\\),", text))
    return {name.rpartition(".")[2]: value for name, _, value in pairs}


def _values_text(folder: str) -> str:
    try:
        with open(os.path.join(folder, "values.yaml"), encoding="utf-8-sig", newline="") as handle:
            return handle.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _overrides(reached: Reached) -> list[Override]:
    """The overrides, each with the changes that come out by it."""
    changes: dict[Path, dict[int, Change]] = {path: {} for path in reached.overrides}
    for way in reached.ways:
        for path in way.paths:
            for key in (path[:length] for length in range(1, len(path) + 1)):
                if key in changes:
                    changes[key] |= {id(change): change for change in way.step.changes}
    return [
        Override(tuple(map(str, path)), value, tuple(changes[path].values()))
        for path, value in reached.overrides.items()
    ]


def name_of(changes: Sequence[Change]) -> StepName:
    """Return what tells a step from others, also in another run over the same render."""
    first = changes[0]
    places = tuple((change.object.piece.file.path, str(change.object), change.path[1:]) for change in changes)
    return first.transform.id, places


def _narrow(outcome: Outcome, made: Iterable[Step], left: Iterable[Report]) -> None:
    """Leave in ``outcome`` the changes of the steps that are ``made``, and say what is not."""
    objects = {(item.piece.file.path, item.piece.start, item.path): item for item in outcome.tree.objects}
    for report in left:
        item = report.object
        assert item is not None
        report.object = objects.get((item.piece.file.path, item.piece.start, item.path))
        report.piece = None if report.object is None else report.object.piece
        outcome.findings.append(report)
    kept = {id(change) for step in made for change in step.changes}
    outcome.changes = [change for change in outcome.changes if id(change) in kept]
    outcome.files = []


def _patched_together(wanted: Wanted, done: Sequence[Step], behind: Sequence[Step], came: Objects) -> list[Step]:
    """Those of the steps ``behind`` that patches make: all, or one by one what they make with those before it."""
    if post_render.patches_for(wanted, done, behind, came) is not None:
        return list(behind)
    some: list[Step] = []
    for step in behind:
        if post_render.patches_for(wanted, done, [*some, step], came) is not None:
            some.append(step)
    return some


def _left(step: Step, reached: Reached, hook: str | None) -> Report:
    """What no value does, as a finding at the template that would have to; ``hook`` is what else there is to say."""
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
    message = f"{problem_of(step.changes)}; values do not reach it: {reason}{f', and {hook}' if hook else ''}"
    advice = "change the template" if hook else f"change the template; {_FILTER}"
    return Report(
        transform.id,
        transform.risk,
        transform.severity,
        message,
        advice,
        item.piece.file.name,
        item,
        item.piece,
        first.path,
        first.line,
        "change that values do not reach",
    )


_NAMED = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_COMMENTED = re.compile(r"([ \t]*)#+[ \t]?([ \t]*)([A-Za-z_][\w.-]*):(?:[ \t]|$)")
_KEY = re.compile(r"([ \t]*)([A-Za-z_][\w.-]*|\"[^\"]+\"|'[^']+'):(?:[ \t]|$)")
_MOST = 2000
_LARGEST = 4 * 1024 * 1024  # bytes of one file
_DEEPEST = 5  # charts below charts


def known_keys(folder: str) -> list[Path]:
    """Return the keys for the chart in ``folder`` and those below it, each once."""
    found: dict[Path, None] = {}
    for path in _of_chart(folder, (), 0):
        found.setdefault(path)
        if len(found) >= _MOST:
            break
    return list(found)


def _of_chart(folder: str, above: Path, depth: int) -> Iterator[Path]:
    text = _text(os.path.join(folder, "values.yaml"))
    yield from ((*above, *path) for path in _commented(text))
    for top, folders, names in os.walk(os.path.join(folder, "templates")):
        folders.sort()
        for name in sorted(names):
            for match in _NAMED.finditer(_text(os.path.join(top, name))):
                yield (*above, *match[1][1:].split("."))
    below = os.path.join(folder, "charts")
    if depth < _DEEPEST and os.path.isdir(below):
        for name in sorted(os.listdir(below)):
            yield from _of_chart(os.path.join(below, name), (*above, name), depth + 1)


def _commented(text: str) -> Iterator[Path]:
    """The keys that are commented out, by their indentation below the keys that are not. What only looks like one, in
    prose, leads nowhere when it is tried."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = _COMMENTED.match(line)
        column = len(match[1]) + len(match[2]) if match else 0
        if match is None:
            match = _KEY.match(line)
            if match is None:
                continue
            column = len(match[1])
        above = [(place, key) for place, key in above if place < column]
        above.append((column, match[match.re.groups].strip("\"'")))
        if match.re is _COMMENTED:
            yield tuple(key for _, key in above)


def _text(path: str) -> str:
    try:
        with open(path, "rb") as handle:
            return handle.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
