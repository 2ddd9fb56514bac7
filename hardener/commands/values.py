"""``harden values``: a Helm chart hardened by overrides of its values, in a file of their own or in the user's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from hardener.commands.progress import Progress, said
from hardener.commands.run import Choices, Plan, Style, asked_of, plan_of, read, write
from hardener.commands.write_files import finish_killed, may_write
from hardener.engine.given_options import GivenOptions
from hardener.engine.outcome import FileChange, Outcome, Override
from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files import Content, transaction
from hardener.sources.line_hunks import hunks_of
from hardener.sources.manifests import ManifestFile
from hardener.sources.yaml import TextError
from hardener.support.printable import plain
from hardener.support.programs import ProgramError
from hardener.support.shell_words import command, quoted

if TYPE_CHECKING:
    from hardener.charts.hardened_chart import ChartRun, HardenedChart, Refuses
    from hardener.tree.tree import Tree

FILE = "harden-values.yaml"
_MADE = "Overrides of harden for the chart"  # how a file of ours begins


class Release(Struct, frozen=True, kw_only=True):
    """How the chart is rendered: files of values and single ones, as helm takes them, the name and namespace of the
    release; ``helm`` is the path of the program, ``most_renders`` how often it may run."""

    values: Sequence[str] = ()
    sets: Sequence[str] = ()
    name: str = "release"
    namespace: str | None = None
    helm: str | None = None
    most_renders: int = 200


def write_values(
    chart: str,
    choices: Choices,
    release: Release,
    style: Style,
    *,
    output: str | None,
    in_place: str | None,
    template_patch: str | None = None,
    templates: bool = False,
    yes: bool = False,
) -> int:
    """Write the overrides that harden ``chart`` to the file ``output``, or into ``in_place``, one of the files of
    ``release``; the lines for its templates go to the file ``template_patch``, or with ``templates`` into these.

    Returns 0; 2 when it could not be written. Raises InputError.
    """
    if templates:
        _check_templates(chart, template_patch)
    target = target_of(chart, release, output, in_place)
    finish_killed([], targets=[target, *([template_patch] if template_patch is not None else [])])
    with Progress() as progress:
        hardened = harden(chart, choices, release, progress, target=target, in_place=in_place is not None)
    for line in _remarks(chart, hardened):
        print(f"harden: {plain(line)}", file=sys.stderr)
    outcome = hardened.outcome
    if templates:
        _take_lines(chart, hardened)
    if not may_write(outcome, yes):
        return 2
    if in_place is None:
        _note_own_file(target, hardened)
    status = write(outcome, style)
    if template_patch is not None and status == 0:
        _put_patch(template_patch, outcome.template_patch)
    return status


def _check_templates(chart: str, template_patch: str | None) -> None:
    """Raise InputError where the lines cannot be written into the templates of ``chart``."""
    if template_patch is not None:
        raise InputError("--templates writes the lines, --template-patch shows them: give one of the two")
    if not os.path.isdir(chart):
        raise InputError(f"--templates edits the templates of a folder, and {chart} is none")


def _note_own_file(target: str, hardened: HardenedChart) -> None:
    """Say where the file of overrides ``target`` is not needed any more; where it is, have who looks again give it."""
    outcome = hardened.outcome
    if not hardened.written and os.path.lexists(target):
        print(f"harden: {plain(target)} is of an earlier run: there is nothing to override any more", file=sys.stderr)
    if outcome.overrides:
        asked = outcome.asked
        outcome.asked = GivenOptions(asked.paths, (*asked.options, ("values", (target,))))


def _put_patch(path: str, text: str) -> None:
    """Write the lines for the templates of a chart to the file ``path``, where there are any. Raises InputError."""
    if text:
        _put(path, text)
    else:
        print(f"harden: {plain(path)} was not written: no line of a template makes more", file=sys.stderr)


def _put(path: str, text: str) -> None:
    try:
        transaction.put(files.target_path(path), text.encode())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def _take_lines(chart: str, hardened: HardenedChart) -> None:
    """Take the lines for the chart's own templates, of which a render has shown what they make, into what is written.
    Raises InputError."""
    from hardener.charts.hardened_chart import BY_LINES

    outcome = hardened.outcome
    if not hardened.texts:
        print(f"harden: {plain(chart)}: no line of a template makes more", file=sys.stderr)
        return
    known = {change.file.path for change in outcome.files}
    for name, text in hardened.texts.items():
        real = files.target_path(os.path.join(chart, name))
        if real in known:
            raise InputError(
                f"--templates adds keys to {os.path.relpath(real)}: write the overrides elsewhere, with -o"
            )
        content = _content(real) if os.path.lexists(real) else Content("", False, -1, 0)
        file = ManifestFile(real, os.path.relpath(real), content, True)
        outcome.files.append(FileChange.of(file, text, list(hunks_of(content.text, text))))
    made = [finding for finding in outcome.findings if finding.topic == BY_LINES]
    outcome.findings = [finding for finding in outcome.findings if finding.topic != BY_LINES]
    outcome.template_patch = ""
    ids = ", ".join(dict.fromkeys(finding.id for finding in made))
    names = ", ".join(sorted(hardened.texts))
    print(f"harden: {plain(chart)}: new lines in {plain(names)} make more: {ids}", file=sys.stderr)


def target_of(chart: str, release: Release, output: str | None, in_place: str | None) -> str:
    """The file that gets the overrides: ``in_place``, ``output``, or one beside the chart. Raises InputError."""
    if output is not None and in_place is not None:
        raise InputError("--in-place edits your file, -o makes one of its own: give one of the two")
    if in_place is not None:
        given = _given(in_place, release)
        if given is None:
            raise InputError(f"--in-place {in_place}: name it with -f, too, in its place among the values")
        return given
    target = output or _beside(chart, release)
    if _given(target, release) is not None:
        raise InputError(f"{target} is one of the values: --in-place {target} edits it, -o makes another file")
    if os.path.isdir(target):
        raise InputError(f"{target} is a folder: name a file with -o")
    if os.path.lexists(target) and not _is_ours(target, chart):
        if _content(target).text.startswith(f"# {_MADE}"):
            raise InputError(f"{target} holds the overrides of another chart: -o makes another file")
        edits = f"-f {target} --in-place {target} edits it"
        raise InputError(f"{target} is there, and harden did not make it: {edits}, -o makes another file")
    return target


def _given(path: str, release: Release) -> str | None:
    """The file ``path`` as it is named among the values."""
    real = os.path.realpath(path)
    return next((each for each in release.values if os.path.realpath(each) == real), None)


def _is_ours(path: str, chart: str) -> bool:
    """Whether harden made the file for ``chart``, or nothing stands in it."""
    text = _content(path).text
    return text.startswith(f"# {_made_for(chart)}") or not text.strip()


def _made_for(chart: str) -> str:
    """How a file of overrides begins."""
    return f"{_MADE} {os.path.basename(os.path.abspath(chart))};"


def harden(
    chart: str,
    choices: Choices,
    release: Release,
    progress: Callable[[str], object],
    *,
    target: str = FILE,
    in_place: bool = False,
) -> HardenedChart:
    """The ``chart`` hardened by values, which ``target`` is to hold: its outcome has that file. Raises InputError."""
    from hardener.charts.hardened_chart import ChartRun, harden_chart  # late: few runs are about a chart
    from hardener.charts.helm import ChartError, Helm

    root = root_of(chart)
    for path in release.values:
        _check_values(path)
    plan = plan_of(choices, root)
    run = ChartRun(
        chart=chart, root=root, values=tuple(release.values), sets=tuple(release.sets), release=release.name,
        namespace=release.namespace, kube_version=choices.kubernetes_version, most_renders=release.most_renders,
    )  # fmt: skip

    def run_without(tree: Tree, refuses: Refuses) -> Outcome:
        plan.gate.choose = lambda step: False if refuses(step) else None
        return plan.run(tree, progress)

    try:
        helm = Helm.found(release.helm, root)
        if helm.network is not None:
            print(f"harden: {helm.network}", file=sys.stderr)
        hardened = harden_chart(
            run, helm, plan.settings, run_without,
            lambda overrides, base: _written(overrides, base, run, target, in_place), said(progress),
        )  # fmt: skip
    except (ChartError, ProgramError) as error:
        raise InputError(str(error)) from None
    hardened.outcome.files = list(_changes(hardened.outcome, hardened))
    hardened.outcome.asked = _asked(chart, choices, release, target if in_place else None)
    return hardened


def read_or_rendered(
    paths: list[str], choices: Choices, release: Release | None, progress: Progress
) -> tuple[Tree, Plan, HardenedChart | None]:
    """The tree of ``paths`` and what to do with it; where they are one chart, what helm renders and, hardened by
    values, what comes of it. Raises InputError."""
    if len(paths) == 1 and is_archive(paths[0]):
        found = rendered(paths, choices, release, progress)
        assert found is not None
        return found.outcome.tree, plan_of(choices, root_of(paths[0])), found
    tree, plan = read(paths, choices, progress)
    may_render = release is not None or bool(tree.charts) or (len(paths) == 1 and _has_charts_below(paths[0]))
    found = rendered(paths, choices, release, progress) if may_render else None
    if found is not None and any(item.editable for item in tree.objects):
        from hardener.commands.chart_releases import take_chart  # late: few runs are about a chart

        beside = plan.run(tree, progress)
        take_chart(beside, found.outcome)
        found.outcome = beside
    return (tree if found is None else found.outcome.tree), plan, found


def _has_charts_below(path: str) -> bool:
    """Whether ``path`` is a chart of which others come out, though it may have no template of its own."""
    if not os.path.isfile(os.path.join(path, "Chart.yaml")):
        return False
    from hardener.charts.files.metadata import dependencies, metadata  # late: few runs are about a chart
    from hardener.charts.helm import ChartError

    try:
        said = metadata(path, path)
    except ChartError:
        return False
    return said.get("type") != "library" and (bool(dependencies(said)) or os.path.isdir(os.path.join(path, "charts")))


def rendered(paths: list[str], choices: Choices, release: Release | None, progress: Progress) -> HardenedChart | None:
    """The chart that ``paths`` are, rendered and hardened by values, for a command that only looks.

    None where they are manifests: a folder with a Chart.yaml is a chart, whatever else lies in it. None, with a word of
    it, also where helm is not installed and nobody said how to render the chart. Raises InputError.
    """
    asked = release is not None
    chart = paths[0]
    is_chart = len(paths) == 1 and (is_archive(chart) or os.path.isfile(os.path.join(chart, "Chart.yaml")))
    if not is_chart:
        if asked:
            alone = "name its folder or .tgz, and nothing else"
            options = "-f, --set-value, --release, --namespace, --helm-program and --renders"
            raise InputError(f"{options} are for one chart: {alone}")
        return None
    if not asked and not is_archive(chart):
        from hardener.charts.helm import Helm  # late: few runs are about a chart

        try:
            Helm.found(None, root_of(chart))
        except ProgramError as error:
            print(f"harden: {chart}: templates are not looked at: {error}", file=sys.stderr)
            return None
    release = release or Release()
    target = _beside(chart, release)
    given = _given(target, release)  # the overrides of an earlier run: what they lack is added to them
    return harden(chart, choices, release, progress, target=given or target, in_place=given is not None)


def is_archive(path: str) -> bool:
    """Whether ``path`` may be a packed chart."""
    return path.endswith((".tgz", ".tar.gz")) and os.path.isfile(path)


def root_of(chart: str) -> str:
    """The folder of the tree of a chart. Raises InputError for what is none."""
    real = os.path.realpath(chart)
    if not os.path.lexists(chart):
        raise InputError(f"{chart}: no such chart")
    if os.path.isdir(real) and not os.path.isfile(os.path.join(real, "Chart.yaml")):
        raise InputError(f"{chart}: no Chart.yaml in it, so it is no chart; harden apply is for manifests")
    return files.git_root(real) or os.path.dirname(real)


def remarks(chart: str, hardened: HardenedChart) -> list[str]:
    """What there is to know of how a chart was looked at by a command that only looks."""
    found = _remarks(chart, hardened)
    if hardened.outcome.tree.chart is None:
        found.append(
            f"{chart}: manifests lie beside its templates; {command('harden apply {chart}', chart=chart)} is for them"
        )
    elif hardened.outcome.overrides and not hardened.outcome.files:
        file = list(hardened.written)[-1]
        found.append(f"{file} has these values, and the chart was looked at without it: give it with -f {file}")
    return found


def _remarks(chart: str, hardened: HardenedChart) -> list[str]:
    found = []
    if hardened.dropped:
        names = ", ".join(hardened.dropped)
        build = command("helm dependency build {chart}", chart=chart)
        found.append(f"{chart}: looked at without {names}, which is off and not there ({build})")
    if hardened.unasked is not None:
        found.append(f"{chart}: {hardened.unasked}")
    if hardened.follows is not None:
        found.append(f"{chart}: {hardened.follows}, which follows from them")
    if hardened.spent:
        found.append(f"{chart}: {hardened.renders} renders were not enough to try all values; --renders N allows more")
    return found


def _asked(chart: str, choices: Choices, release: Release, in_place: str | None) -> GivenOptions:
    """What was asked for, as options of a command that only looks."""
    found = asked_of([chart], choices)
    given: list[tuple[str, tuple[str, ...]]] = []
    for name, several in (("values", release.values), ("set_value", release.sets)):
        given += [(name, (value,)) for value in several]
    plain_release = Release()
    for name, value, usual in (
        ("release", release.name, plain_release.name),
        ("namespace", release.namespace, None),
        ("helm_program", release.helm, None),
        ("renders", str(release.most_renders), str(plain_release.most_renders)),
        ("in_place", in_place, None),
    ):
        given += [(name, (value,))] if value is not None and value != usual else []
    return GivenOptions(found.paths, (*found.options, *given))


def _beside(chart: str, release: Release) -> str:
    """Where overrides go when nobody says: beside the user's values, else beside the chart."""
    if release.values:
        return os.path.join(os.path.dirname(release.values[-1]), FILE)
    if os.path.realpath(chart) == os.path.realpath(os.curdir):
        return os.path.join(chart, FILE)
    folder = os.path.dirname(chart.rstrip(os.sep))
    while os.path.basename(os.path.abspath(folder)) == "charts":
        above = os.path.dirname(folder) or os.curdir
        if not os.path.isfile(os.path.join(above, "Chart.yaml")):
            break
        folder = os.path.dirname(above)  # helm takes each file in there for a chart
    return os.path.join(folder, FILE)


def _check_values(path: str) -> None:
    if not os.path.isfile(path):
        raise InputError(f"-f {path}: no such file")


def _written(overrides: list[Override], base: str, run: ChartRun, target: str, in_place: bool) -> dict[str, str]:
    from hardener.charts.values.values_file import KeyRefusedError, edited, new_file

    try:
        if in_place:
            return {target: edited(_content(target).text, overrides, base=base)}
        return {target: new_file(overrides, base=base, header=_header(run, target))}
    except KeyRefusedError:  # the others can be written without it
        raise
    except TextError as error:
        raise InputError(f"{target}: {error.reason}") from None


def _header(run: ChartRun, target: str) -> list[str]:
    folder = os.path.dirname(target) or os.curdir
    given = " ".join(f"-f {quoted(os.path.relpath(path, folder))}" for path in [*run.values, target])
    return [f"{_made_for(run.chart)} helm takes them last:", f"  helm upgrade RELEASE CHART {given}"]


def _content(path: str) -> Content:
    try:
        return files.read(os.path.realpath(path))
    except files.UnreadableError as error:
        raise InputError(f"{path}: {error.message}") from None


def _changes(outcome: Outcome, hardened: HardenedChart) -> list[FileChange]:
    """The files of values that change."""
    from hardener.charts.values.values_file import key_lines
    from hardener.commands.chart_releases import stale_comments

    found = []
    makes = [change for override in outcome.overrides for change in override.changes]
    for path, text in hardened.written.items():
        real = files.target_path(path)
        content = _content(path) if os.path.lexists(real) else Content("", False, -1, 0)
        if content.text == text:
            continue
        file = ManifestFile(real, os.path.relpath(real), content, True)
        lines = key_lines(text, [override.path for override in outcome.overrides])
        ids = {
            (lines.get(override.path, 1), change.transform.id)
            for override in outcome.overrides
            for change in override.changes
        }
        outcome.findings += stale_comments(file, hunks_of(content.text, text))
        found.append(FileChange.of(file, text, list(hunks_of(content.text, text)), ids, makes))
    return found
