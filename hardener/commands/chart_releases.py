"""The charts that releases of a tree name (Flux, Argo CD, k3s, kustomize, Terraform), hardened by the values that stand
in the tree."""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace

from hardener.authoring.edits import Severity
from hardener.charts.hardened_chart import ChartRun, HardenedChart, Refuses, Written, harden_chart
from hardener.charts.helm import ChartError, Helm
from hardener.charts.release import Release, Unwritable
from hardener.charts.releases import releases, write
from hardener.charts.values_file import KeyRefusedError
from hardener.commands.progress import said
from hardener.commands.run import Plan
from hardener.engine.outcome import FileChange, Outcome, Override, Report
from hardener.errors import InputError
from hardener.sources.yaml import Hunk
from hardener.support.programs import ProgramError
from hardener.tree.tree import Tree

_ID = "renders-elsewhere"


def harden_releases(outcome: Outcome, plan: Plan, progress: Callable[[str], object]) -> None:
    """Add to ``outcome``, a run over a tree, what values make of the charts that its releases name.

    Where nobody asked for it, the finding of each says how. Raises InputError where helm is asked for and is not there.
    """
    found = [release for release in releases(outcome.tree) if release.owner.editable]
    if not outcome.tree.settings.helm_values:
        for release in found:
            if release.at_hand:
                command = outcome.asked.command("apply", "--values")
                _say(outcome, release, f"is rendered from {release.called}, which lies in this tree", command)
        return
    if not any(release.at_hand for release in found):
        return
    try:
        helm = Helm.found(None, outcome.tree.root)
    except ProgramError as error:
        raise InputError(str(error)) from None
    for release in found:
        if not release.at_hand:
            continue
        progress(release.owner.name)
        try:
            _harden(outcome, release, helm, plan, progress)
        except (ChartError, ProgramError) as error:
            _say(outcome, release, f"cannot be looked at: {error}", "helm template shows more of it")


def _harden(outcome: Outcome, release: Release, helm: Helm, plan: Plan, progress: Callable[[str], object]) -> None:
    if unseen := release.unseen:
        message = f"gets values that this tree does not show ({', '.join(unseen)}): it is looked at without them"
        _say(outcome, release, message, "read its changes with those in mind", severity=Severity.MEDIUM)

    def run_without(tree: Tree, refuses: Refuses) -> Outcome:
        plan.gate.choose = lambda step: False if refuses(step) else None
        try:
            return plan.run(tree, progress)
        finally:
            plan.gate.choose = None

    texts = {change.file.path: change.text for change in outcome.files}

    def text_of(path: str) -> str:
        if path in texts:
            return texts[path]
        file = outcome.tree.file_at(path)
        return file.content.text if file is not None else _read(path)

    def written(overrides: list[Override], base: str) -> Written:
        made = write(release, overrides, text_of)
        if isinstance(made, Unwritable):
            raise KeyRefusedError(made.overrides[0].path, f"{made.reason}; {made.advice}")
        return made

    with release.chart_path() as chart, tempfile.TemporaryDirectory(prefix="harden-") as folder:
        run = ChartRun(
            chart=chart, root=outcome.tree.root, values=list(_files(release, folder)), sets=release.sets,
            release=release.name or "release", namespace=release.namespace, defaults=release.defaults, in_files=False,
        )  # fmt: skip
        hardened = harden_chart(run, helm, plan.settings, run_without, written, said(progress))
    _take(outcome, release, hardened, text_of)


def _files(release: Release, folder: str) -> Iterator[str]:
    """The values of a release as files, in their order."""
    for number, values in enumerate(release.values):
        path = os.path.join(folder, f"{number}.json")
        with open(path, "w", encoding="utf-8") as handle:
            json.dump(values.data, handle, default=str)
        yield path


def _take(outcome: Outcome, release: Release, hardened: HardenedChart, text_of: Callable[[str], str]) -> None:
    """Take what came of a chart into ``outcome``."""
    own = hardened.outcome
    name = f"{release.owner.kind}/{release.owner.name}"
    outcome.overrides += [replace(override, release=name) for override in own.overrides]
    outcome.changes += own.changes
    outcome.held += own.held
    outcome.waived += own.waived
    outcome.findings += own.findings
    outcome.refused += own.refused
    outcome.documents += own.documents
    outcome.lines |= own.lines
    outcome.findings = [
        finding for finding in outcome.findings if not (finding.id == _ID and finding.object is release.owner)
    ]
    ids = sorted({change.transform.id for change in own.changes})
    for path, text in hardened.written.items():
        file = outcome.tree.file_at(path)
        if file is None:
            from hardener.sources import files  # late: most values stand in what was read anyway
            from hardener.sources.manifests import ManifestFile

            file = ManifestFile(path, os.path.relpath(path), files.read(path), True)
        known = next((change for change in outcome.files if change.file.path == path), None)
        hunks = list(hunks_of(file.content.text, text))
        line = hunks[0].after_start if hunks else 1
        found = FileChange(file, text, hunks, sorted([*(known.ids if known else ()), *((line, id) for id in ids)]))
        outcome.files = [change for change in outcome.files if change is not known] + [found]


def _say(outcome: Outcome, release: Release, message: str, advice: str, *, severity: Severity = Severity.LOW) -> None:
    """A finding about a release, in the place of the one that says that its workloads are not shown."""
    owner = release.owner
    outcome.findings = [finding for finding in outcome.findings if not (finding.id == _ID and finding.object is owner)]
    line = owner.piece.line + owner.piece.read().line(int(owner.path[0]), owner.path[1:])
    topic = f"{owner.kind} whose chart is not hardened by its values"
    said = f"{owner.kind} {owner.name} {message}"
    file = owner.piece.file.name
    outcome.findings.append(
        Report(_ID, None, severity, said, advice, file, owner, owner.piece, owner.path, line, topic)
    )


def hunks_of(before: str, after: str) -> Iterator[Hunk]:
    """What differs between two texts of a file, as hunks of whole lines."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, begin, stop in matcher.get_opcodes():
        if tag != "equal":
            yield Hunk(start + 1, old[start:end], begin + 1, new[begin:stop])


def _read(path: str) -> str:
    from hardener.sources import files

    return files.read(path).text
