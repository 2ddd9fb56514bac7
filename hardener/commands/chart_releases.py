"""The charts that releases of a tree name (Flux, Argo CD, k3s, kustomize, Terraform), hardened by the values that stand
in the tree."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack

from msgspec.structs import replace

from hardener.authoring.edits import Evidence, Grade, Severity
from hardener.charts.chart_memory import ChartMemory
from hardener.charts.hardened_chart import ChartRun, HardenedChart, Refuses, Written, harden_chart
from hardener.charts.helm import INSTALL, ChartError, Helm
from hardener.charts.post_render import entry_of
from hardener.charts.releases.at_release import at_release
from hardener.charts.releases.chart_sources import writable
from hardener.charts.releases.collect import releases, write
from hardener.charts.releases.dependencies import dependencies, folder_of, place_of, umbrellas
from hardener.charts.releases.release import WHOLE, Release, Unwritable, merged
from hardener.charts.releases.values_in_yaml import InFile, InObject, InText, SetValue
from hardener.charts.render_ahead import Ahead, render_ahead
from hardener.charts.values.set_values import name_of
from hardener.charts.values.values_file import KeyRefusedError
from hardener.commands.progress import said
from hardener.commands.run import Plan
from hardener.engine import find_unread_forms
from hardener.engine.outcome import Change, FileChange, Outcome, Override, Report
from hardener.engine.pipeline import Gate
from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files import Content
from hardener.sources.line_hunks import hunks_of
from hardener.sources.manifests import ManifestFile
from hardener.sources.yaml import Hunk, TextError
from hardener.support.programs import ProgramError
from hardener.support.shell_words import command
from hardener.tree.tree import Tree

_ID = "renders-elsewhere"
_INSTALL = f"{INSTALL}, or leave charts as they are: no --values, and helm.values: false in .harden.yaml"
_RENDER = "helm template ... | harden filter hardens the result"
_OTHER_CHART = "look at what it changes, or put the chart there that it asks for: harden lock --charts pulls it"
_FILES = frozenset({"helmfile", "Fleet", "Helm"})  # whose releases stand in no object
_GATE = "name a lock that holds it, outside of the tree, with --lock; helm on PATH is needed"
_COMMENT = re.compile(r"(?<=\s)#.*")
_RELEASE = "release"  # a release whose name the tree does not show
_AHEAD = 4  # releases of one chart that are rendered at once


def harden_releases(outcome: Outcome, plan: Plan, progress: Callable[[str], object]) -> None:
    """Add to ``outcome``, a run over a tree, what values make of the charts that its releases name: where somebody
    asked for it, or the lock has charts and helm is there. Else findings say how to come to that.

    Raises InputError where it was asked for and helm is not there.
    """
    every = releases(outcome.tree)
    below = [each for each in dependencies(outcome.tree) if _is_meant(each, plan)]
    # To a gate its own values prove nothing: who deploys it may give others.
    own = umbrellas(outcome.tree, below, every) if not outcome.tree.is_gate else []
    name_of = _Names([*every, *own])
    found = [(release, name_of(release)) for release in every if release.owner.editable and _is_meant(release, plan)]
    asked = outcome.tree.settings.helm_values
    if asked or (asked is None and _has_charts(outcome.tree)):
        _say_dependencies(outcome, _passed_over(below, [*every, *own]))
        found += [(release, name_of(release)) for release in own if release.owner.editable]
        _harden_found(found, below, outcome, plan, progress, is_asked=bool(asked))
    else:
        _say_found(found, below, outcome)


def _say_found(found: list[tuple[Release, str]], below: Sequence[Release], outcome: Outcome) -> None:
    """Say of ``found``, and of the dependencies ``below`` charts of the tree, how they are hardened."""
    _say_dependencies(outcome, [release for release in below if release.at_hand])
    asking = outcome.asked.command("apply", "--values")
    for release, name in found:
        if release.at_hand:
            _say(outcome, release, f"{name} renders {_chart(release)}; its values may harden it", asking)
    away = [(release, name) for release, name in found if not release.at_hand]
    if not outcome.tree.is_gate and outcome.tree.settings.helm_values is not False:
        away = _without_missing(outcome, away)
    _say_unlocked(outcome, [release for release, _ in away] + [each for each in below if not each.at_hand])


def _without_missing(outcome: Outcome, away: list[tuple[Release, str]]) -> list[tuple[Release, str]]:
    """Those of ``away`` whose charts can be pulled; of each of the others a finding says why it cannot."""
    for release, name in away:
        if release.asked is None:
            _say_missing(outcome, release, name)
    return [(release, name) for release, name in away if release.asked is not None]


def _say_missing(outcome: Outcome, release: Release, name: str) -> None:
    """Say why the chart of ``release``, which nobody can pull, is not at hand."""
    _say(outcome, release, f"{name} is not hardened by values: {release.missing}", _RENDER)


def _passed_over(below: Sequence[Release], rendered: Iterable[Release]) -> list[Release]:
    """Those of the dependencies ``below`` that come out with no chart of ``rendered``, though all of their chart are at
    hand."""
    charts = {os.path.realpath(release.chart) for release in rendered if release.chart is not None}
    charts |= {os.path.realpath(folder_of(each)) for each in below if not each.at_hand}
    return [each for each in below if os.path.realpath(folder_of(each)) not in charts]


def _say_dependencies(outcome: Outcome, found: list[Release]) -> None:
    """Say of charts of the tree that those below them are at hand: they are rendered when a command names the chart."""
    folders = {os.path.dirname(release.owner.piece.file.path): release for release in reversed(found)}
    for folder, release in folders.items():
        shown = os.path.relpath(folder)
        message = f"the chart {shown} has charts below it that lie elsewhere; its values may harden them"
        advice = command("harden values {chart}", chart=shown)
        outcome.findings.append(_report(release, message, advice, Severity.LOW, not_looked_at=True))


def _has_charts(tree: Tree) -> bool:
    return tree.lock is not None and tree.lock.charts is not None


def _harden_found(
    found: list[tuple[Release, str]], below: Sequence[Release], outcome: Outcome, plan: Plan,
    progress: Callable[[str], object], *, is_asked: bool,
) -> None:  # fmt: skip
    """Harden what is at hand of ``found``, and say what is not, beside the dependencies ``below`` charts of the tree
    that nobody pulled; without helm nothing is hardened.

    Raises InputError where it ``is_asked`` for, and helm is not there.
    """
    at_hand: list[tuple[Release, str]] = []
    unlocked = [release for release in below if not release.at_hand]
    for release, name in found:
        if release.at_hand:
            at_hand.append((release, name))
        elif release.asked is not None:
            unlocked.append(release)
        else:
            _say_missing(outcome, release, name)
    helm = None
    try:
        helm = Helm.found(None, outcome.tree.root, advice=_INSTALL) if at_hand else None
    except ProgramError as error:
        if is_asked:
            raise InputError(str(error)) from None
        left = [*unlocked, *(release for release, _ in at_hand)]
        first = f"{outcome.asked.command('lock --charts')} reads their charts; " if unlocked else ""
        _say_count(outcome, left, f"{first}{INSTALL}, on PATH; then {outcome.asked.command('diff')}")
        return
    _say_unlocked(outcome, unlocked)
    if helm is not None:
        _harden_all(at_hand, helm, outcome, plan, progress, below)


def _say_unlocked(outcome: Outcome, left: list[Release]) -> None:
    """One finding for the releases ``left`` whose charts nobody pulled."""
    lock, diff = (outcome.asked.command(name) for name in ("lock --charts", "diff"))
    _say_count(outcome, left, f"{lock} reads their charts, then {diff} hardens them (helm on PATH is needed)")


def _say_count(outcome: Outcome, left: list[Release], advice: str) -> None:
    """One finding for the releases ``left``, in place of one for each. To a gate, each is what nobody looked at."""
    if outcome.tree.is_gate:
        for release in left:
            if release.tool in _FILES:  # of an object it is said
                message = f"not looked at: the chart {release.called}, which {release.owner.piece.file.name} names"
                outcome.findings.append(_report(release, message, _GATE, Severity.LOW, not_looked_at=True))
        return
    if not left or outcome.tree.settings.helm_values is False:
        return
    for release in left:
        _forget(outcome, release)
        for each in _unread(outcome, release):
            each.advice = advice
    charts = {release.asked.place if release.asked is not None else release.called for release in left}
    verb = "is" if len(left) == 1 else "are"
    message = f"{_counted(len(left), 'release')} of {_counted(len(charts), 'chart')} {verb} not hardened"
    outcome.findings.append(_report(left[0], message, advice, Severity.LOW, not_looked_at=True))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _harden_all(
    at_hand: list[tuple[Release, str]], helm: Helm, outcome: Outcome, plan: Plan, progress: Callable[[str], object],
    below: Sequence[Release],
) -> None:  # fmt: skip
    if helm.network is not None:
        print(f"harden: {helm.network}", file=sys.stderr)
    with ExitStack() as stack:
        memories = _Memories(stack, [release for release, _ in at_hand])
        for release, name in at_hand:
            progress(name)
            # What a chart is rendered with may be quoted by a finding, or by helm.
            outcome.tree.chart_values += [values.data for values in release.values]
            _harden_one(release, name, helm, outcome, plan, progress, memories.of(release, helm, plan), below)
    _say_templates(outcome)
    _leave_out_used(outcome)


class _Memories:
    """What is kept of each chart of ``releases``, until ``stack`` ends."""

    def __init__(self, stack: ExitStack, releases: Sequence[Release]) -> None:
        self._stack = stack
        self._known: dict[str | bytes | None, ChartMemory] = {}
        self._alike: dict[str | bytes | None, list[Release]] = {}
        for release in releases:
            self._alike.setdefault(_identity(release), []).append(release)

    def of(self, release: Release, helm: Helm, plan: Plan) -> ChartMemory:
        """The memory of the chart of ``release``; from the second release on with what helm makes of all of them."""
        chart = _identity(release)
        if chart not in self._known:
            self._known[chart] = self._stack.enter_context(ChartMemory())
        elif self._known[chart].ahead is None:
            _look_ahead(self._alike[chart], self._known[chart], helm, plan)
        return self._known[chart]


def _identity(release: Release) -> str | bytes | None:
    """Which chart ``release`` has: its path, or what it holds."""
    return release.chart or release.content


def _leave_out_used(outcome: Outcome) -> None:
    """Take out of the findings the waivers that are stale only as long as no chart is looked at."""
    charts = [chart.waivers for chart in outcome.tree.rendered_charts if chart.waivers is not None]
    used = {place for waivers in charts for place in waivers.used()}
    outcome.findings = [
        finding for finding in outcome.findings
        if finding.id != "waiver-stale" or (finding.file, finding.line) not in used
    ]  # fmt: skip


def _look_ahead(alike: list[Release], memory: ChartMemory, helm: Helm, plan: Plan) -> None:
    """Have helm render the releases ``alike`` of one chart at once, as far as what they give it can be told."""
    memory.ahead = {}
    if len(alike) < _AHEAD or memory.shared is None:
        return
    given = [merged([one.data for one in release.values if isinstance(one.data, dict)]) for release in alike]
    known = [
        (release, values) for release, own in zip(alike, given, strict=True)
        if release.defaults and not release.sets and (values := memory.with_defaults(own)) is not None
    ]  # fmt: skip
    asked = [Ahead(release.name or _RELEASE, release.namespace, values) for release, values in known]
    found = render_ahead(
        helm, memory.shared.folder, memory.shared.name, asked,
        kube_version="{}.{}".format(*plan.settings.kubernetes_version),
    )  # fmt: skip
    memory.ahead = {id(release): text for (release, _), text in zip(known, found, strict=True) if text is not None}


def _harden_one(
    release: Release, name: str, helm: Helm, outcome: Outcome, plan: Plan, progress: Callable[[str], object],
    memory: ChartMemory, below: Sequence[Release],
) -> None:  # fmt: skip
    if release.doubt and plan.gate.max_grade is Grade.SAFE:  # nothing of it is
        _say(outcome, release, f"{name} is not hardened by values: {release.doubt}", _OTHER_CHART)
        return
    try:
        _harden(outcome, release, name, helm, plan, progress, memory, below)
    except (ChartError, ProgramError, TextError) as error:
        _say(outcome, release, f"{name} is not hardened by values: {_chart(release)}: {error}", _RENDER)
        return
    if release.doubt:
        message = f"{name}: {release.doubt}"
        _say(outcome, release, message, _OTHER_CHART, severity=Severity.MEDIUM, replaces=False)


class _Names:
    """What releases are called: several of one name by their files, too."""

    def __init__(self, every: Iterable[Release]) -> None:
        self._count = Counter(_plain_name(release) for release in every)

    def __call__(self, release: Release) -> str:
        name = _plain_name(release)
        return name if self._count[name] == 1 else f"{name} in {release.owner.piece.file.name}"


def _plain_name(release: Release) -> str:
    owner = release.owner
    if release.is_own:
        return f"chart {os.path.relpath(os.path.dirname(owner.piece.file.path))}"
    if not owner.kind:
        return f"chart {release.called} of {owner.piece.file.name}"
    return f"{owner.kind}/{owner.name}"


def _chart(release: Release) -> str:
    """The chart of a release, as a person finds it."""
    if release.shown:
        return release.shown
    return "the chart that it holds" if release.chart is None else f"the chart {os.path.relpath(release.chart)}"


def _is_meant(release: Release, plan: Plan) -> bool:
    """Whether a run is about ``release``: with ``--since``, where the object, its chart or its values differ."""
    touched = plan.touched
    if touched is None or touched.piece(release.owner.piece):
        return True
    if release.chart is not None and not release.shown and touched.folder(os.path.realpath(release.chart)):
        return True
    places = [values.place for values in release.values if values.place is not None]
    return any(
        touched.piece(place.item.piece)
        if isinstance(place, InObject | InText | SetValue)
        else touched.folder(place.path)
        for place in places
    )


def _harden(
    outcome: Outcome, release: Release, name: str, helm: Helm, plan: Plan, progress: Callable[[str], object],
    memory: ChartMemory, below: Sequence[Release],
) -> None:  # fmt: skip
    texts = {change.file.path: change.text for change in outcome.files}

    def run_without(tree: Tree, refuses: Refuses) -> Outcome:
        gate = Gate(plan.gate.max_grade, plan.gate.accepted, lambda step: False if refuses(step) else None)
        return replace(plan, gate=gate, touched=None).run(tree, progress)

    def text_of(path: str) -> str:
        return texts[path] if path in texts else _file(outcome.tree, path).content.text

    def written(overrides: list[Override], base: str) -> Written:
        made = write(release, overrides, text_of)
        if isinstance(made, Unwritable):
            raise KeyRefusedError(made.overrides[0].path, f"{made.reason}; {made.advice}")
        return made

    with release.chart_path() as chart, tempfile.TemporaryDirectory(prefix="harden-") as folder:
        run = _chart_run(release, chart, outcome.tree.root, list(_files(release, folder)), plan, memory)
        hardened = harden_chart(run, helm, plan.settings, run_without, written, said(progress), memory)
    if release.doubt:
        _lower(hardened.outcome, release)
    at_release(hardened.outcome, lambda file: place_of(release, below, file))
    _take(outcome, release, name, hardened, text_of)
    if unseen := list(_unseen(release)):
        message = f"{name} gets values that this tree does not show; it was rendered without {', '.join(unseen)}"
        advice = "read its changes with those in mind"
        _say(outcome, release, message, advice, severity=Severity.MEDIUM)
    for message, advice, is_judged in _notes(name, hardened):
        _say(outcome, release, message, advice, replaces=False, is_judged=is_judged)


def _chart_run(release: Release, chart: str, root: str, values: list[str], plan: Plan, memory: ChartMemory) -> ChartRun:
    """How ``chart`` is rendered for ``release``, with ``values`` as files."""
    owner, patches = release.owner, release.patches
    return ChartRun(
        chart=chart, root=root, values=values, sets=release.sets,
        kube_version="{}.{}".format(*plan.settings.kubernetes_version),
        release=release.name or _RELEASE, namespace=release.namespace, defaults=release.defaults,
        in_files=release.is_own, ahead=(memory.ahead or {}).pop(id(release), None),
        place=os.path.join(owner.piece.file.path, owner.name) if release.is_elsewhere else "",
        patches=patches.known if patches is not None else (),
        may_patch=plan.settings.helm_post_render and patches is not None and writable(owner),
    )  # fmt: skip


def _notes(name: str, hardened: HardenedChart) -> Iterator[tuple[str, str, bool]]:
    """What is to be said of how a chart was hardened: message, advice, and whether all that it renders was judged."""
    if hardened.unasked is not None:
        yield f"{name} is {hardened.unasked}", "check its values with helm lint", False
    if hardened.is_untried:
        tried = "its patches behind helm were tried by harden alone"
        yield f"{name}: {tried}: neither kustomize nor kubectl is on PATH", "build it once with kustomize", True
    if hardened.follows is not None:
        yield f"{name}: {hardened.follows}", "nothing is to be done: it follows from them", True
    if hardened.spent:
        message = f"{name}: {hardened.renders} renders were not enough to try all values"
        yield message, "harden values CHART --renders N tries more", True


def _lower(own: Outcome, release: Release) -> None:
    """Let what is done to a chart that may be another one be looked at: no change of it is safe."""
    fact = Evidence(f"another chart may be rendered: {release.doubt}")
    for change in own.changes:
        edit = change.edit
        grade = Grade.REVIEW if edit.grade is Grade.SAFE else edit.grade
        change.edit = replace(edit, grade=grade, evidence=(fact, *edit.evidence))


def _unseen(release: Release) -> Iterator[str]:
    """What gives a release values that the tree does not show, and which where that is known."""
    for values in release.values:
        keys = sorted({name_of(path) for path in values.unknown})
        if keys:
            yield values.name if WHOLE in values.unknown else f"{' and '.join(keys)} of {values.name}"


def _files(release: Release, folder: str) -> Iterator[str]:
    """The values of a release as files, in their order."""
    for number, values in enumerate(release.values):
        path = os.path.join(folder, f"{number}.json")
        with open(path, "w", encoding="utf-8") as handle:
            json.dump(values.data, handle, default=str)
        yield path


def _file(tree: Tree, path: str) -> ManifestFile:
    """The file at ``path``, which the tree may not have read, or which is to be made. Raises TextError."""
    found = tree.file_at(path)
    if found is not None:
        return found
    if not os.path.lexists(path):
        return ManifestFile(path, os.path.relpath(path), Content("", False, -1, 0), True)
    try:
        return ManifestFile(path, os.path.relpath(path), files.read(path), True)
    except files.UnreadableError as error:
        raise TextError(f"{os.path.relpath(path)}: {error.message}") from None


def _take(
    outcome: Outcome, release: Release, name: str, hardened: HardenedChart, text_of: Callable[[str], str]
) -> None:
    """Take what came of the chart of a release into ``outcome``."""
    _add(outcome, hardened.outcome, name)
    _forget(outcome, release)
    _uncount(outcome, release)
    written = dict(hardened.written)
    if hardened.patches and release.patches is not None:
        path = release.patches.path
        text = written[path] if path in written else text_of(path)
        written[path] = release.patches.added(text, [entry_of(patch) for patch in hardened.patches])
    for path, text in written.items():
        before = text_of(path)
        if text != before:
            _write(outcome, path, before, text, hardened.outcome.changes)


def take_chart(outcome: Outcome, chart: Outcome) -> None:
    """Take what came of a ``chart`` into ``outcome``, a run over the manifests that lie in its folder."""
    _add(outcome, chart, None)
    outcome.files += chart.files
    outcome.asked = chart.asked
    _say_templates(outcome)


def _add(outcome: Outcome, own: Outcome, release: str | None) -> None:
    """Add what came of a chart, ``own``, to ``outcome``; ``release`` is what has it rendered, where something does."""
    outcome.tree.rendered_charts.append(own.tree)
    outcome.overrides += own.overrides if release is None else [replace(one, release=release) for one in own.overrides]
    outcome.changes += own.changes
    outcome.held += own.held
    outcome.waived += own.waived
    outcome.findings += own.findings
    outcome.refused += own.refused
    outcome.template_patch += own.template_patch
    outcome.documents += own.documents
    outcome.lines |= own.lines
    for risk, views in own.looked_at.items():
        outcome.looked_at.setdefault(risk, set()).update(views)


def _say_templates(outcome: Outcome) -> None:
    """Take back that nobody looked at the templates that were rendered."""
    tree = outcome.tree
    seen = {os.path.realpath(file.path) for chart in tree.rendered_charts for file in chart.files}
    for folder, (problem, names) in list(tree.charts.items()):
        left = [name for name in names if os.path.realpath(name) not in seen]
        if len(left) == len(names):
            continue
        said = [finding for finding in outcome.findings if (finding.id, finding.file) == (problem.id, problem.name)]
        outcome.findings = [finding for finding in outcome.findings if finding not in said]
        if not left:
            tree.problems.remove(problem)
            del tree.charts[folder]
            continue
        more = "" if len(left) == 1 else f", and {len(left) - 1} more of it"
        problem.path, problem.name = os.path.realpath(left[0]), left[0]
        problem.message = f"a template of a Helm chart{more}: with the values of the repository it renders nothing"
        names[:] = left
        outcome.findings += [replace(finding, file=left[0], message=problem.message) for finding in said]


def _write(outcome: Outcome, path: str, before: str, text: str, changes: list[Change]) -> None:
    """Let the file at ``path``, which is to be ``before``, become ``text``, which makes ``changes`` of a chart."""
    known = next((change for change in outcome.files if change.file.path == path), None)
    file = known.file if known is not None else _file(outcome.tree, path)
    new = list(hunks_of(before, text))
    moved = [
        (line + sum(len(hunk.after) - len(hunk.before) for hunk in new if hunk.before_start <= line), id)
        for line, id in (zip(known.id_lines, known.ids, strict=True) if known is not None else ())
    ]
    ids = {(new[0].after_start, change.transform.id) for change in changes}
    makes = [*(known.makes if known is not None else ()), *changes]
    found = FileChange.of(file, text, list(hunks_of(file.content.text, text)), [*moved, *ids], makes)
    outcome.findings += stale_comments(file, new)
    outcome.files = [change for change in outcome.files if change is not known] + [found]


def _forget(outcome: Outcome, release: Release) -> None:
    """Take back that nobody sees what comes of a release, and of what adds to it."""
    places = (values.place for values in release.values)
    added = (place.item for place in places if isinstance(place, InObject | InText))
    items = {id(each) for each in (release.owner, *release.sources, *added)}
    outcome.findings = [
        finding for finding in outcome.findings if not (finding.id == _ID and id(finding.object) in items)
    ]


def _uncount(outcome: Outcome, release: Release) -> None:
    """Take back that nothing read a release, which was rendered."""
    unread = {id(each) for each in _unread(outcome, release)}
    outcome.findings = [each for each in outcome.findings if id(each) not in unread]


def _unread(outcome: Outcome, release: Release) -> list[Report]:
    """The findings that nothing read a release, nor its files of values, nor the charts below the one of the tree that
    it has rendered."""
    file = release.owner.piece.file.name
    places = {(file, line) for line in (release.line, release.chart_line)}
    files = {os.path.relpath(each.place.path) for each in release.values if isinstance(each.place, InFile)}
    if release.chart and not release.shown:
        files.add(os.path.relpath(os.path.join(release.chart, "Chart.yaml")))
    unread = (each for each in outcome.findings if each.id == find_unread_forms.ID)
    return [each for each in unread if each.file in files or (each.file, each.line) in places]


def _say(
    outcome: Outcome, release: Release, message: str, advice: str, *, severity: Severity = Severity.LOW,
    replaces: bool = True, is_judged: bool = False,
) -> None:  # fmt: skip
    """A finding about a release, which ``replaces`` the one that says that its workloads are not shown. ``is_judged``:
    what it renders was, whatever this says."""
    if replaces:
        _forget(outcome, release)
    outcome.findings.append(_report(release, message, advice, severity, not_looked_at=not is_judged))


def _report(release: Release, message: str, advice: str, severity: Severity, *, not_looked_at: bool) -> Report:
    owner = release.owner
    topic = f"{owner.kind or f'file of {release.tool}'} whose chart is not hardened by its values"
    return Report(
        _ID, None, severity, message, advice, owner.piece.file.name, owner, owner.piece, owner.path, release.line,
        topic, not_looked_at=not_looked_at,
    )  # fmt: skip


def stale_comments(file: ManifestFile, hunks: Iterable[Hunk]) -> Iterator[Report]:
    """A finding for each comment of ``file`` that stands behind a value which ``hunks`` change."""
    for hunk in hunks:
        kept = {comment[0] for line in hunk.after if (comment := _COMMENT.search(line))}
        for number, line in enumerate(hunk.before, hunk.before_start):
            comment = _COMMENT.search(line)
            if comment and comment[0] in kept and line not in hunk.after:
                message = f"the comment {comment[0].strip()!r} may no longer be true"
                yield Report(
                    "stale-comment", None, Severity.LOW, message, "read it and correct it", file.name, line=number
                )
