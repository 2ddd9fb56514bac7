"""What the tools of ``harden mcp`` do: below the folders that the server was given, up to the grade that it was given.

Nothing is kept between two calls: each reads the files as they are, since others write them meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any, TypeVar

from hardener.authoring import registry
from hardener.authoring.edits import Grade, Severity
from hardener.commands import plan as planning
from hardener.commands import undo as undoing
from hardener.commands import user_state
from hardener.commands.explain import explain
from hardener.commands.interactive.answers import key
from hardener.commands.run import Choices, informed, read, read_tree
from hardener.commands.run import learn as learn_tree
from hardener.commands.write_files import finish_killed, write_files
from hardener.engine.outcome import Outcome
from hardener.engine.pipeline import Gate
from hardener.engine.step import Step
from hardener.errors import InputError
from hardener.report.connections import graph, graph_formats
from hardener.report.context import Context
from hardener.report.formats import json as json_report
from hardener.report.redactor import Redactor
from hardener.sources.files import is_inside, run_folder
from hardener.support.printable import plain_line

PAGE = 20  # records of an answer: a model reads all of it each time
LINES = 300  # of a part of a plan, as harden plan has them
_LONGEST = 300  # characters of a text in an answer
_MOST_FACTS = 3
_MOST_FILES = 100
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PlannedChange:
    """One edit. ``part`` is the number by which ``apply`` takes it, None for one that is held back; ``why`` is what
    speaks for the grade."""

    part: int | None
    id: str
    grade: str
    severity: str
    object: str
    file: str
    line: int
    path: str
    before: str | None
    after: str | None
    why: list[str]
    may_break: str


@dataclass(frozen=True, kw_only=True)
class PlanAnswer:
    """``plan`` names the plan as it is now; ``apply`` refuses it when the files have changed since."""

    plan: str
    parts: int
    by_grade: dict[str, int]
    changes: list[PlannedChange]
    total: int
    next_page: int | None
    before_you_apply: list[str]


@dataclass(frozen=True, kw_only=True)
class Found:
    id: str
    severity: str
    object: str | None
    file: str
    line: int
    message: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class FindingsAnswer:
    findings: list[Found]
    total: int
    next_page: int | None


@dataclass(frozen=True, kw_only=True)
class GraphAnswer:
    """Lines as ``harden graph`` prints them: a workload, and below it who connects to it and whom it calls."""

    lines: list[str]
    total: int
    next_page: int | None


@dataclass(frozen=True, kw_only=True)
class ExplainAnswer:
    id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ApplyAnswer:
    """``held`` are the rules that were named and still have changes above the grade of the server; of ``total_files``
    the first are named."""

    files: list[str]
    total_files: int
    edits: int
    ids: list[str]
    held: list[str]
    after_you_apply: list[str]
    commit_message: str
    can_undo: bool


@dataclass(frozen=True, kw_only=True)
class UndoAnswer:
    lines: list[str]


class Service:
    """The tools for ``roots``, folders; changes up to ``max_grade`` are made. Raises InputError for a root that is no
    folder."""

    def __init__(self, roots: Sequence[str], max_grade: str) -> None:
        for root in roots:
            if not os.path.isdir(root):
                raise InputError(f"{root}: no such folder")
        self.roots = [os.path.realpath(root) for root in roots]
        self.max_grade = max_grade
        self._turn = RLock()  # the working directory and the registry are of the whole process

    def plan(self, path: str, only: Sequence[str], page: int) -> PlanAnswer:
        """What is to be done to ``path``, by the rules ``only`` (none: all), the least harmful part first."""
        with self._at(path) as (root, real):
            outcome = self._decided(root, real, only)
            parts = planning.parts(outcome, LINES)
            part_of = {id(steps): number for number, part in enumerate(parts, 1) for steps in part.steps}
            report = _report(outcome)
            numbers = [part_of.get(id(change.siblings)) for change in outcome.changes]
            found = [_planned(record, number) for record, number in zip(report["changes"], numbers, strict=True)]
            found.sort(key=lambda change: change.part or 0)
            found += [_planned(record, None) for record in report["held"]]
            shown, following = _page(found, page)
            counts = {str(grade): sum(change.grade == grade for change in found) for grade in Grade}
            return PlanAnswer(
                plan=_name(parts), parts=len(parts), by_grade=counts, changes=shown, total=len(found),
                next_page=following, before_you_apply=list(map(_cut, report["beforeYouApply"][:PAGE])),
            )  # fmt: skip

    def findings(self, path: str, severity: str, page: int) -> FindingsAnswer:
        """The problems below ``path`` that no change mends, as grave as ``severity`` or graver."""
        least = Severity(severity).rank
        with self._at(path) as (root, real):
            report = _report(self._decided(root, real, ()))
        found = [_found(record) for record in report["findings"] if Severity(record["severity"]).rank >= least]
        found.sort(key=lambda one: (-Severity(one.severity).rank, one.file, one.line))
        shown, following = _page(found, page)
        return FindingsAnswer(findings=shown, total=len(found), next_page=following)

    def graph(self, path: str, page: int) -> GraphAnswer:
        """Who talks to whom below ``path``."""
        with self._at(path) as (root, real):
            tree = read_tree([real], self._choices(root), _silent)
            redactor = Redactor()
            learn_tree(tree, redactor)
            lines = [_cut(redactor.text(line)) for line in graph_formats.text(graph.collect(tree, redactor.text))]
        shown, following = _page(lines, page)
        return GraphAnswer(lines=shown, total=len(lines), next_page=following)

    def explain(self, id: str) -> ExplainAnswer:
        """What the rule, risk, finding or check of another scanner ``id`` is about."""
        lines: list[str] = []
        with self._turn:
            explain(id, lambda line: lines.append(str(line)))
        return ExplainAnswer(id=id, text="\n".join(lines))

    def apply(self, path: str, ids: Sequence[str], plan: str, part: int) -> ApplyAnswer:
        """Make the changes of the rules ``ids``, or those of ``part`` of the plan that ``plan`` names."""
        if bool(ids) == bool(plan):
            raise InputError("name either ids, or a plan and the number of its part")
        with self._at(path) as (root, real), run_folder.turn([real]):
            finish_killed([real])
            outcome = self._of_plan(root, real, plan, part) if plan else self._decided(root, real, ids)
            self._refuse_outside(outcome)
            report = _report(outcome)
            if not write_files(outcome):
                raise InputError(informed(outcome).text(outcome.failure or "the files could not be written"))
            kept = bool(outcome.files) and undoing.keep(outcome)
            made = sorted({change.transform.id for change in outcome.changes})
            held = {record["id"] for record in report["held"]} if ids else set()
            return ApplyAnswer(
                files=[os.path.relpath(change.file.path, root) for change in outcome.files[:_MOST_FILES]],
                total_files=len(outcome.files),
                edits=len(outcome.changes), ids=made, held=sorted(held),
                after_you_apply=list(map(_cut, report["afterYouApply"][:PAGE])),
                commit_message=_message(outcome, made), can_undo=kept,
            )  # fmt: skip

    def undo(self, path: str) -> UndoAnswer:
        """Take back the last run that wrote files in the repository of ``path``."""
        lines: list[str] = []
        with self._at(path):
            run = user_state.kept_run(user_state.here())
            if run is not None and not all(map(self._root_of, (kept.path for kept in run.files))):
                raise InputError("the last run wrote files outside of the folders of this server: a person undoes it")
            undoing.undo(lambda line: lines.append(_cut(str(line))))
        return UndoAnswer(lines=lines)

    def _of_plan(self, root: str, real: str, plan: str, number: int) -> Outcome:
        """What comes of one part of the plan. Raises InputError for another plan, or a part that it has not."""
        parts = planning.parts(self._decided(root, real, ()), LINES)
        if _name(parts) != plan:
            raise InputError("the files have changed since this plan, or it was made for `only` some rules: plan again")
        if not 1 <= number <= len(parts):
            raise InputError(f"part {number}: the plan has {len(parts)}")
        wanted = parts[number - 1].keys

        def choose(step: Step) -> bool | None:
            return None if key(step.changes, whole=False) in wanted else False

        return self._decided(root, real, (), Gate(Grade(self.max_grade), frozenset(), choose))

    def _decided(self, root: str, real: str, only: Sequence[str], gate: Gate | None = None) -> Outcome:
        names = [registry.get(name).id for name in only]
        tree, plan = read([real], self._choices(root, names), _silent, manifests_only="this tool")
        plan.gate = gate or plan.gate
        return plan.run(tree, _silent, forks=False)

    def _choices(self, root: str, only: list[str] | None = None) -> Choices:
        # The grade is given each time: a configuration in the tree, which the caller may write, must not raise it.
        return Choices(max_grade=self.max_grade, only=only or None, evidence=root)

    @contextmanager
    def _at(self, path: str) -> Iterator[tuple[str, str]]:
        """The root that ``path`` lies in, which is the working directory meanwhile, and the real path. Raises
        InputError for a path outside, without quoting what is there."""
        if "\0" in path:
            raise InputError("a path holds no NUL")
        real = os.path.realpath(os.path.join(self.roots[0], path))
        root = self._root_of(real)
        if root is None:
            raise InputError("this path lies outside of the folders that the server was started with")
        if not os.path.exists(real):
            raise InputError("no such file or folder")
        with self._turn, chdir(root):
            yield root, real

    def _root_of(self, path: str) -> str | None:
        real = os.path.realpath(path)
        return next((root for root in self.roots if is_inside(real, root)), None)

    def _refuse_outside(self, outcome: Outcome) -> None:
        for change in outcome.files:
            if self._root_of(change.file.path) is None:
                raise InputError(f"{change.file.name} lies outside of the folders of this server: nothing was written")


def _report(outcome: Outcome) -> dict[str, Any]:
    """The JSON report of ``outcome``, secrets masked."""
    parts: list[str] = []
    json_report.write(outcome, Context(redactor=informed(outcome)), parts.append)
    found: dict[str, Any] = json.loads("".join(parts))
    return found


def _name(parts: list[planning.Part]) -> str:
    """A name for ``parts`` that another plan has not, of the same files neither."""
    steps = [sorted(key(changes, whole=True) for changes in part.steps) for part in parts]
    return hashlib.sha256(json.dumps(steps).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _planned(record: dict[str, Any], part: int | None) -> PlannedChange:
    return PlannedChange(
        part=part, id=record["id"], grade=record["grade"], severity=record["severity"],
        object=_object(record["object"]) or "", file=record["file"], line=record["line"],
        path=_cut(".".join(map(str, record["path"]))), before=_value(record, "before"), after=_value(record, "after"),
        why=[_cut(fact["text"]) for fact in record["evidence"][:_MOST_FACTS]],
        may_break=_cut(registry.get(record["id"]).may_break),
    )  # fmt: skip


def _found(record: dict[str, Any]) -> Found:
    return Found(
        id=record["id"], severity=record["severity"], object=_object(record["object"]), file=record["file"],
        line=record["line"], message=_cut(record["message"]), advice=_cut(record["advice"]),
    )  # fmt: skip


def _object(record: dict[str, Any] | None) -> str | None:
    if record is None:
        return None
    inside = f"{record['namespace']}/" if record["namespace"] else ""
    return _cut(plain_line(f"{record['kind']} {inside}{record['name']}"))


def _value(record: dict[str, Any], name: str) -> str | None:
    return _cut(json.dumps(record[name], ensure_ascii=False)) if name in record else None


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _page(found: list[T], page: int) -> tuple[list[T], int | None]:
    """The records of ``page``, counted from 1, and the number of the next one."""
    start = (page - 1) * PAGE
    return found[start : start + PAGE], page + 1 if len(found) > start + PAGE else None


def _message(outcome: Outcome, ids: list[str]) -> str:
    """A commit message for what was written; "" where that is nothing."""
    if not ids:
        return ""
    # A name is text of one line: what is in it must not become a line of the message.
    objects = sorted({plain_line(str(change.object)) for change in outcome.changes})
    others = " and others" if len(objects) > _MOST_FACTS else ""
    named = informed(outcome).text(_cut(", ".join(objects[:_MOST_FACTS])))
    return f"Harden {named}{others}\n\nBy harden: {', '.join(ids)}"


def _silent(name: str) -> None:
    """Nobody looks at how far a run is."""
