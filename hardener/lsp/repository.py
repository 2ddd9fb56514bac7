"""One repository judged as it is, with the texts of an editor in place of what its files hold.

All of it happens in one thread, since the working directory, the registry and the texts that stand in for files are of
the whole process. Nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from msgspec import Struct, field

from hardener.authoring import registry
from hardener.authoring.edits import Grade
from hardener.commands.interactive.answers import Key, key
from hardener.commands.interactive.waive import Written, with_waivers
from hardener.commands.run import Choices, Plan, informed, read
from hardener.engine import pipeline
from hardener.engine.outcome import FileChange, Outcome
from hardener.engine.pipeline import Gate
from hardener.engine.step import Step
from hardener.errors import InputError
from hardener.facts.objects.pod_security_levels import Standing, standings
from hardener.report import levels
from hardener.report.patch import relative_name
from hardener.report.problems import Kind, Problem, problems
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.sources.manifests import Piece, known_pieces
from hardener.support.data_path import Path
from hardener.tree.core_views import Container
from hardener.tree.tree import Tree
from hardener.tree.view import View

LARGEST = 8 * 1024 * 1024
"""Characters of a text that is judged while it is not saved. What is larger is judged as it was saved."""
MADE = frozenset({Grade.SAFE, Grade.REVIEW})
"""The grades of changes that the editor may make; a change above them is explained."""

Texts = Mapping[str, str]
Stop = Callable[[], bool]
Name = tuple[str, ...]


class StoppedError(Exception):
    """The text has changed since, or nobody waits for the answer any more."""


class Level(Struct, frozen=True):
    """The Pod Security level of a workload, which begins on ``line``, today and after ``harden apply``; ``missing`` is
    what keeps it from the next one then."""

    line: int
    before: str
    after: str
    missing: str | None


class Judged(Struct, frozen=True):
    """What a run found. ``whole``: it judged all, as ``harden check`` does; else one file, without what kustomizations
    build. The paths are real ones."""

    problems: dict[str, list[Problem]]
    levels: dict[str, list[Level]]
    base: str
    whole: bool
    redactor: Redactor
    outcome: Outcome
    targets: dict[Key, View] = field(default_factory=dict)

    def path_of(self, name: str) -> str:
        """The path of a file that a problem or its evidence names."""
        return os.path.normpath(os.path.join(self.base, name))


class Edited(Struct, frozen=True):
    """A file that changes: the text as it was judged, and its new lines. ``created``: it is a new file."""

    path: str
    before: str
    hunks: list[tuple[int, int, str]]  # first line, number of lines that go, text that comes
    created: bool


class Repository:
    """The folder ``root`` of an editor, a real path. Evidence comes from its Git root, as with every command."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._base = files.git_root(root) or root
        self._known: dict[int, Piece] = {}

    def holds(self, path: str) -> bool:
        """Whether the file at the real path ``path`` belongs to it."""
        return files.is_inside(path, self.root)

    def judge(self, texts: Texts, stop: Stop, *, only: str | None = None) -> Judged:
        """Judge the repository with ``texts``; ``only`` is the one file that is looked at, for a quick answer. Raises
        InputError for a configuration that is wrong, and StoppedError once ``stop`` says so."""
        with _in(self.root, texts):
            tree, plan = self._read(stop)
            targets: dict[Key, View] = {}
            plan.gate = Gate(plan.gate.max_grade, plan.gate.accepted, partial(_note, targets))
            if only is not None:
                return self._judged(_of_file(tree, plan, only, stop), texts, {}, targets, whole=False)
            before = standings(tree)
            outcome = plan.run(tree, _stopping(stop), forks=False)
            found = _levels(before, standings(tree))
            return self._judged(outcome, texts, found, targets, whole=True)

    def _judged(
        self, outcome: Outcome, texts: Texts, levels: dict[str, list[Level]], targets: dict[Key, View], *, whole: bool
    ) -> Judged:
        redactor = informed(outcome)
        opened = {relative_name(path): path for path in texts}
        found: dict[str, list[Problem]] = {}
        for problem in problems(outcome, redactor, applied=False):
            path = opened.get(problem.file) or os.path.normpath(os.path.join(self._base, problem.file))
            found.setdefault(path, []).append(problem)
        return Judged(found, levels, self._base, whole, redactor, outcome, targets)

    def fixed(self, texts: Texts, stop: Stop, id: str, target: Name | None = None) -> list[Edited]:
        """What ``harden apply --only ID`` makes: of one ``target`` alone where that is given (``name_of``)."""
        with _in(self.root, texts):
            tree, plan = self._read(stop, only=[id])
            if target is not None:
                plan.gate = Gate(plan.gate.max_grade, plan.gate.accepted, partial(_is_of, target))
            return list(map(_edited, plan.run(tree, _stopping(stop), forks=False).files))

    def _read(self, stop: Stop, only: list[str] | None = None) -> tuple[Tree, Plan]:
        tree, plan = read(["."], Choices(only=only), _stopping(stop), known=self._known)
        self._known = known_pieces(tree.files)  # before the run, which lets go of those that it changes
        return tree, plan


def left_alone(judged: Judged, problem: Problem, reason: str) -> list[Edited]:
    """The waiver of ``problem`` for ``reason``, one line of text. Raises InputError where it cannot be written."""
    target = waivable(judged, problem)
    said = " ".join(reason.split())
    if target is None or not said:
        raise InputError(f"{problem.id}: a waiver needs a reason" if target else f"{problem.id}: cannot be waived here")
    found = with_waivers([Written(problem.id, target, said)])
    return [_rewritten(file.path, file.content.text, text) for file, text in found]


def waivable(judged: Judged, problem: Problem) -> View | None:
    """What a waiver of ``problem`` would speak of; None where there is nothing that could bear one."""
    if problem.id not in registry.transforms():
        return None
    target: View | None = problem.report.object if problem.report is not None else None
    if problem.step:
        target = judged.targets.get(key(list(problem.step), whole=False))
    if target is None or target.object.piece.is_new or not target.object.piece.file.editable:
        return None
    return target


def target_of(judged: Judged, problem: Problem) -> Name | None:
    """The name of what the change ``problem`` is about, for ``Repository.fixed``; None where the editor makes no such
    change: it is none, it may break something, or a guess decides."""
    if problem.kind is not Kind.PENDING or problem.grade not in MADE:
        return None
    target = judged.targets.get(key(list(problem.step), whole=False))
    return None if target is None else name_of(target)


def name_of(target: View) -> Name:
    """What tells ``target`` from others, in every run over the same files."""
    item, path = target.object, target.path
    named = (target.name, str(path[-2])) if isinstance(target, Container) else (_written(path),)
    return (item.piece.file.path, str(item.piece.line), item.kind, str(item.namespace), item.name, *named)


def _written(path: Path) -> str:
    return "/".join(map(str, path))


def _note(targets: dict[Key, View], step: Step) -> None:
    targets[key(step.changes, whole=False)] = step.target


def _is_of(target: Name, step: Step) -> bool | None:
    return None if name_of(step.target) == target else False


def _of_file(tree: Tree, plan: Plan, path: str, stop: Stop) -> Outcome:
    def visits(view: View) -> bool:
        return view.object.piece.file.path == path

    return pipeline.run(
        tree, plan.profile, plan.gate, visits=visits, progress=_stopping(stop), forks=False, builds=False
    )


def _stopping(stop: Stop) -> Callable[[str], object]:
    def told(name: str) -> None:
        if stop():
            raise StoppedError

    return told


def _levels(before: list[Standing], after: list[Standing]) -> dict[str, list[Level]]:
    found: dict[str, list[Level]] = {}
    for old, new in zip(before, after, strict=True):
        item = old.pod.object
        line = levels.place_of(old)[1] or item.piece.line + item.piece.read().line(int(item.path[0]), item.path[1:])
        own = found.setdefault(item.piece.file.path, [])
        level = Level(line, old.level, new.level, new.missing)
        if level not in own:  # one that comes out in several namespaces
            own.append(level)
    return found


def _edited(change: FileChange) -> Edited:
    file = change.file
    if file.is_new:
        return Edited(file.path, "", [(1, 0, change.text)], True)
    if change.given is not None:
        return _rewritten(file.path, file.content.text, change.given)
    hunks = [(hunk.before_start, len(hunk.before), "".join(hunk.after)) for hunk in change.hunks]
    return Edited(file.path, file.content.text, hunks, False)


def _rewritten(path: str, before: str, after: str) -> Edited:
    """``after`` in place of ``before``, without the lines that are the same at both ends."""
    old, new = before.split("\n"), after.split("\n")
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    old_end, new_end = len(old), len(new)
    while old_end > same and new_end > same and old[old_end - 1] == new[new_end - 1]:
        old_end, new_end = old_end - 1, new_end - 1
    if old_end == len(old) or new_end == len(new):  # to the last line, which has no line feed
        return Edited(path, before, [(1, len(old), after)], False)
    text = "".join(line + "\n" for line in new[same:new_end])
    return Edited(path, before, [(same + 1, old_end - same, text)], False)


@contextmanager
def _in(root: str, texts: Texts) -> Iterator[None]:
    """Inside, ``root`` is the working directory, and ``texts`` stand in for files."""
    before = os.getcwd()
    os.chdir(root)
    try:
        with files.instead_of(texts):
            yield
    finally:
        os.chdir(before)
