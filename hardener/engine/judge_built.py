"""What patches of kustomizations make of objects of every kind, judged by the transforms that judge what is written.

Each kustomization that patches is built twice, with its patches and without. What is wrong with the one and not with
the other is a finding, where the patch says it. What the transform of patched pods says is not said again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Set
from itertools import chain
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring.edits import Create, Severity
from hardener.authoring.transform import Transform, name_of
from hardener.engine.outcome import Change, Held, Outcome, Report
from hardener.engine.problem_sentence import problem_of
from hardener.engine.waivers import Waivers
from hardener.facts.kustomize.built import PATCHES, Build, GivenPairs, Item, Undone, builds, unused_components
from hardener.facts.kustomize.overlays.patch import ImageEntry, Merge, Operations, Patch
from hardener.facts.kustomize.overlays.patched import PatchedPod
from hardener.facts.kustomize.transformers import SetPairs
from hardener.kubernetes.objects.protections import lost
from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.kubernetes.rbac.subjects import GROUP as RBAC
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.support.shell_words import command
from hardener.tree import reader
from hardener.tree.tree import Tree
from hardener.tree.view import View

_NOT_JUDGED = "patch"  # the finding of what nobody looked at
_WORKLOAD = "K01"
_TOKEN = "automountServiceAccountToken"  # which is weighed with the pod, too
# What a finding says of a tree that shows less than its files do.
_OF_STREAMS = re.compile(r";(?: not changed at .*, since)? a stream does not show .*", re.S)
_ADVICE = "remove it from the patch, or write there why it is needed"
_USE = "harden does not check it: name it in a kustomization of the tree, or remove it"

Visits = Callable[[View], bool]
Judge = Callable[[Tree, Visits | None], Outcome]
_Key = tuple[str, int, tuple[str, ...], str]


class _Record(Struct, frozen=True):
    """What a run says of an object of a build: ``path`` leads to it in what comes out."""

    id: str
    risk: str | None
    severity: Severity
    text: str
    item: Item
    path: Path
    not_looked_at: bool = False


class _Judged(Struct):
    """The tree of a build, and which of its objects stands in which piece."""

    tree: Tree
    items: dict[Piece, tuple[int, Item]] = field(default_factory=dict)
    whole: bool = False  # whether what a patch changes may make another object worse

    @property
    def visits(self) -> Visits | None:
        """Which of its views are looked at; None is all of them."""
        return None if self.whole else self._is_changed

    def _is_changed(self, view: View) -> bool:
        known = self.items.get(view.object.piece)
        return known is not None and known[1].is_changed


def of_patched_pods(transforms: Iterable[Transform]) -> Transform | None:
    """The transform that weighs patches of pods: what is found here is a finding of it, too."""
    view = name_of(PatchedPod)
    return next((each for each in transforms if any(visit.view == view for visit in each.visits)), None)


def add(outcome: Outcome, transform: Transform, waivers: Waivers, judge: Judge) -> Set[tuple[Piece, Path]]:
    """Add to ``outcome``, a run over a tree with ``waivers``, what ``judge`` says of what its kustomizations build, as
    findings of ``transform``.

    Returns the places of the patches that were weighed with what they patch, or that are reported.
    """
    said = {(report.file, report.message) for report in outcome.findings}
    reports = _Reports(outcome, transform, judge)
    for report in reports.all():
        if (report.file, report.message) in said:
            continue  # several builds hold what one patch changes
        said.add((report.file, report.message))
        target = report.object if report.id == transform.id else None
        waived = waivers.finding(transform, target, report) if target is not None else None
        if waived is not None:
            outcome.waived.append(waived)
        else:
            outcome.findings.append(report)
        if report.piece is not None and report.id == _NOT_JUDGED:
            reports.weighed.add((report.piece, report.path))
    return reports.weighed


class _Reports:
    """The findings about what the kustomizations of a tree build."""

    def __init__(self, outcome: Outcome, transform: Transform, judge: Judge) -> None:
        self._tree = outcome.tree
        self._transform = transform
        self._judge = judge
        self._weakened = _weakened(outcome, transform.id)
        self.weighed: set[tuple[Piece, Path]] = set()
        self._losing: set[int] = set()  # the ids of items of the build, which lose what they protect

    def all(self) -> Iterator[Report]:
        """Every finding, one kustomization after the other."""
        judged: set[int] = set()  # the ids of kustomizations
        for build in builds(self._tree):
            yield from self._of_build(build)
            self.weighed.update((patch.piece, patch.start) for patch in build.used)
            judged.add(id(build.kustomization))
        for component in unused_components(self._tree):
            if component.editable and id(component) not in judged:
                text = "a component with patches that no kustomization of the tree uses"
                yield _undone(Undone(component, component.piece, component.path, text), _USE)

    def _of_build(self, build: Build) -> Iterator[Report]:
        for undone in build.undone:
            if undone.kustomization.editable or undone.piece.file.editable:
                yield _undone(undone)
        changed = [item for item in build.items if item.is_changed]
        yield from map(_unweighed_pod, chain.from_iterable(map(_late_pod_patches, changed)))
        # What patches set may be quoted, and may be a secret.
        self._tree.chart_values += [item.data for item in changed if item.data is not None]
        self._losing = set()
        for item in changed:
            yield from self._of_losses(item)
        if any(item.data is not None for item in changed):
            yield from self._of_transforms(build)

    def _of_losses(self, item: Item) -> Iterator[Report]:
        for loss in lost(item.plain, item.data):
            self._losing.add(id(item))
            patch, _ = item.source(loss.path)
            if not _is_meant(item, patch):
                continue
            if loss.is_known:
                severity = Severity.HIGH if loss.is_grave else Severity.MEDIUM
                message = f"with patch {patch}, {loss.text}"
                yield self._report(item, patch, loss.path, message, severity, self._transform.risk)
            else:
                yield _not_weighed(item, patch, loss.path, loss.text)

    def _of_transforms(self, build: Build) -> Iterator[Report]:
        without = {key for key, _ in _records(_written(self._tree, build, patched=False), self._judge)}
        ids = {key[:2] for key in without}
        for key, record in _records(_written(self._tree, build, patched=True), self._judge):
            if record.item.is_changed:
                yield from self._of_changed(record) if key not in without else ()
            elif key[:2] not in ids:  # what breaks a rule anyway may only be counted differently
                yield from self._of_other(build, record)

    def _of_changed(self, record: _Record) -> Iterator[Report]:
        """The finding of what is wrong with an object that a patch changes."""
        item = record.item
        patch, _ = item.source(record.path)
        if not _is_meant(item, patch):
            return
        if record.not_looked_at:
            yield _not_weighed(item, patch, record.path, record.text)
        elif record.severity is not Severity.LOW and not self._is_said(record):
            message = f"with patch {patch}: {record.text}"
            yield self._report(item, patch, record.path, message, record.severity, record.risk)

    def _of_other(self, build: Build, record: _Record) -> Iterator[Report]:
        """The finding of what is grave of an object that no patch changes, since one changes another: it stands in the
        kustomization."""
        kustomization, item = build.kustomization, record.item
        is_grave = record.severity.rank >= Severity.HIGH.rank and not record.not_looked_at
        if not is_grave or not (kustomization.editable or item.origin.editable):
            return
        key = next((key for key in PATCHES if kustomization.data.get(key)), None)
        path = (*kustomization.path, key) if key else kustomization.path
        piece, id = kustomization.piece, self._transform.id
        file = piece.file.name
        message = f"with the patches of {file}: {record.text}"
        yield Report(id, record.risk, record.severity, message, _ADVICE, file, item.origin, piece, path)

    def _is_said(self, record: _Record) -> bool:
        """Whether as much as ``record`` has been said of what patches do to its object."""
        if id(record.item) in self._losing and record.severity.rank < Severity.HIGH.rank:
            return True
        if not _is_pod(record.item) or not (record.risk == _WORKLOAD or record.path[-1:] == (_TOKEN,)):
            return False
        known = (self._weakened.get((each.piece, each.start)) for each in record.item.patches)
        return any(severity is not None and severity.rank >= record.severity.rank for severity in known)

    def _report(
        self, item: Item, patch: Patch, path: Path, message: str, severity: Severity, risk: str | None
    ) -> Report:
        file, place = patch.piece.file.name, _place(item, patch, path)
        return Report(self._transform.id, risk, severity, message, _ADVICE, file, item.origin, patch.piece, place)


def _weakened(outcome: Outcome, id: str) -> dict[tuple[Piece, Path], Severity]:
    """How severe what the transform ``id`` has said of pods is, by the place of each patch."""
    found: dict[tuple[Piece, Path], Severity] = {}
    waived = [each.finding for each in outcome.waived if each.finding is not None]
    for report in (*outcome.findings, *waived):
        if report.id == id and report.piece is not None:
            for length in range(len(report.path) + 1):
                place = report.piece, report.path[:length]
                found[place] = max(found.get(place, Severity.LOW), report.severity, key=lambda each: each.rank)
    return found


def _is_pod(item: Item) -> bool:
    """Whether an object has pods, as it is written and as it comes out."""
    return all(str((data or {}).get("kind")) in POD_KINDS for data in (item.plain, item.data))


def _late_pod_patches(item: Item) -> Iterator[tuple[Item, Patch]]:
    """What changes pods and no transform is asked about: replacements, transformers and variables."""
    known = (Merge, Operations, ImageEntry, GivenPairs, SetPairs)
    if _is_pod(item):
        yield from ((item, patch) for patch in item.patches if patch.editable and not isinstance(patch, known))


def _unweighed_pod(found: tuple[Item, Patch]) -> Report:
    """What to know of a pod that is changed as it is built, and is hardened as it is written."""
    item, patch = found
    file = patch.piece.file.name
    text = f"this changes {item.origin} when it is built, and changes of harden rest on what is written"
    advice = "look at what it sets: a user, a command or a path may need what harden takes away"
    owner = patch.kustomization
    return Report(_NOT_JUDGED, _WORKLOAD, Severity.LOW, text, advice, file, owner, patch.piece, patch.start)


def _is_meant(item: Item, patch: Patch) -> bool:
    """Whether the run is about what ``patch`` makes of ``item``."""
    return patch.editable or item.origin.editable


def _not_weighed(item: Item, patch: Patch, path: Path, text: str) -> Report:
    place = _place(item, patch, path)
    return _undone(Undone(patch.kustomization, patch.piece, place, f"with patch {patch}: {text}"))


def _render(file: str) -> str:
    build = command("kustomize build {folder} > FILE", folder=os.path.dirname(file) or ".")
    return f"check what is built, too: {build}; harden check FILE"


def _undone(undone: Undone, advice: str = "") -> Report:
    item, file, text = undone.kustomization, undone.piece.file.name, undone.text
    advice = advice or _render(item.piece.file.name)
    return Report(
        _NOT_JUDGED,
        _WORKLOAD,
        Severity.LOW,
        text,
        advice,
        file,
        item,
        undone.piece,
        undone.path,
        not_looked_at=True,
    )


def _place(item: Item, patch: Patch, path: Path) -> Path:
    """Where ``patch`` says what stands at ``path`` of what comes out; its start where nothing does."""
    return patch.start if item.data is None else patch.place(item.data, path)[1]


# What the transforms say.


def _written(tree: Tree, build: Build, *, patched: bool) -> _Judged:
    """What comes out, or would without patches, as a tree of its own, each object in the file of its origin."""
    settings = replace(tree.settings, helm_values=False)
    whole = any(item.is_changed and _is_of_rights(item) for item in build.items)
    judged = _Judged(Tree(root=tree.root, settings=settings, stream=True, lock=tree.lock), whole=whole)
    files: dict[str, list[tuple[int, Item]]] = {}
    for number, item in enumerate(build.items):
        if not patched or item.data is not None:
            files.setdefault(item.origin.piece.file.path, []).append((number, item))
    for path, several in files.items():
        texts = [_text(item.data if patched else item.plain) for _, item in several]
        reader.read_rendered(judged.tree, path, "\n---\n".join(texts))
        pieces = judged.tree.files[-1].pieces
        judged.items.update(zip(pieces, several, strict=False))
    return judged


def _text(data: Any) -> str:
    """``data`` as JSON, which is YAML, too: each key on a line of its own, as kinds are looked for."""
    return "{\n" + json.dumps(data, separators=(",\n", ": "), default=str)[1:]


def _is_of_rights(item: Item) -> bool:
    return any(str((data or {}).get("apiVersion")).startswith(RBAC) for data in (item.plain, item.data))


def _records(judged: _Judged, judge: Judge) -> Iterator[tuple[_Key, _Record]]:
    """What is wrong with the objects of a build, each with a key that is the same in another one."""
    for piece, (number, item) in judged.items.items():
        if piece.problem is not None:
            id, message, _, _ = piece.problem
            yield (id, number, (), ""), _Record(id, None, Severity.HIGH, message, item, (), True)
    outcome = judge(judged.tree, judged.visits)
    for report in outcome.findings:
        if report.piece in judged.items:
            yield from _of_finding(report, *judged.items[report.piece])
    for change, severity in _changes(outcome):
        if change.object.piece in judged.items:
            number, item = judged.items[change.object.piece]
            path = change.path[1:]  # without the number of the document, which is in it until the run is written
            rule = change.transform
            text = f"{change.object}: {problem_of([change])} ({rule.id})"
            record = _Record(rule.id, rule.risk, severity, text, item, path)
            yield (rule.id, number, _fixed(path), ""), record


def _of_finding(report: Report, number: int, item: Item) -> Iterator[tuple[_Key, _Record]]:
    text, absences = _OF_STREAMS.subn("", report.message)
    if absences and _is_pod(item):
        return  # what there is beside a pod is not of its patch
    text = text if str(report.object) in text else f"{report.object}: {text}"
    path = report.path[1:]
    record = _Record(report.id, report.risk, report.severity, text, item, path, report.not_looked_at)
    yield (report.id, number, _fixed(path), report.message), record


def _changes(outcome: Outcome) -> Iterator[tuple[Change, Severity]]:
    """The first change of each step that is made or held back and changes what is there."""
    steps = {id(change.siblings) if change.siblings else id(change): change for change in reversed(outcome.changes)}
    for change in reversed(steps.values()):
        if not isinstance(change.edit, Create):
            yield change, change.transform.severity
    for held in outcome.held:
        if _counts(held) and not isinstance(held.changes[0].edit, Create):
            yield held.changes[0], held.transform.severity


def _counts(held: Held) -> bool:
    """Whether a step that was not made would be one for a check: a guess that only adds is none."""
    return not held.is_guess or held.takes_away


def _fixed(path: Path) -> tuple[str, ...]:
    """``path`` without the numbers of items, which patches move."""
    return tuple(part for part in path if isinstance(part, str))
