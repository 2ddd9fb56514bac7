"""Remarks for reviewers: what stands on the lines of a pull request, one per place that changes.

The pending changes of one hunk are one remark, since they are one suggestion; held-back changes, findings and refused
documents are one each.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hardener.authoring.edits import Severity
from hardener.engine.outcome import FileChange, Outcome
from hardener.report.patch import Patch, relative_name
from hardener.report.problems import Kind, Problem, problems
from hardener.report.redactor import Redactor
from hardener.report.units import Unit, Units
from hardener.sources.yaml import Hunk


class Suggestion(Struct, frozen=True):
    """The lines ``first`` to ``last`` become ``text``, which has no line end at its end. Both are lines of the file."""

    first: int
    last: int
    text: str


class Remark(Struct, frozen=True):
    """``id`` and ``severity`` are those of the gravest problem that it is about. ``is_part``: it tells no problem, only
    lines that the changes of other remarks need."""

    id: str
    risk: str | None
    severity: Severity
    file: str
    line: int
    last: int
    text: str
    suggestion: Suggestion | None = None
    is_part: bool = False


def remarks(outcome: Outcome, redactor: Redactor, *, applied: bool) -> list[Remark]:
    """Return the remarks, by file and line."""
    units = None if applied else Units(outcome, redactor)
    offered = _offered(outcome, units) if units is not None else {}
    found = problems(outcome, redactor, applied=applied)
    by_hunk: dict[int, list[Problem]] = {}
    alone: list[Problem] = []
    for problem in found:
        first = _first_hunk(problem, units)
        if first is None:
            alone.append(problem)
        else:
            by_hunk.setdefault(id(first), []).append(problem)
    made = [_one(problem) for problem in alone]
    if units is not None:
        for file in outcome.files:
            if not file.file.is_new:
                made += _of_file(file, units, by_hunk, offered)
    return sorted(made, key=lambda remark: (remark.file, remark.line, remark.id))


def _offered(outcome: Outcome, units: Units) -> dict[int, Suggestion]:
    """The suggestions by the id of their hunk. Where one cannot be made its unit is closed: the rest is half of it."""
    found: dict[int, Suggestion] = {}
    for file in outcome.files:
        for hunk in () if file.file.is_new else file.hunks:
            if units.is_known(hunk):
                continue
            suggestion = suggested(hunk, units.patches[file.file.path])
            if suggestion is None:
                unit = units.of_hunk(hunk)
                unit.closed = unit.closed or "a line beside it holds a secret, or there is none"
            else:
                found[id(hunk)] = suggestion
    return {
        id(hunk): found[id(hunk)]
        for file in outcome.files
        for hunk in file.hunks
        if id(hunk) in found and not units.of_hunk(hunk).closed
    }


def _first_hunk(problem: Problem, units: Units | None) -> Hunk | None:
    """The hunk that a pending change is told at; None for what stands in none of a file that there is."""
    if problem.kind is not Kind.PENDING or units is None or problem.changes[0].object.piece.file.is_new:
        return None
    hunks = (units.hunk_of(change) for change in problem.changes)
    return next((hunk for hunk in hunks if hunk is not None), None)


def _one(problem: Problem) -> Remark:
    return Remark(problem.id, problem.risk, problem.severity, problem.file, problem.line, problem.line, problem.message)


def _of_file(
    file: FileChange,
    units: Units,
    by_hunk: dict[int, list[Problem]],
    offered: dict[int, Suggestion],
) -> Iterator[Remark]:
    name = relative_name(file.file.path)
    for hunk in file.hunks:
        if units.is_known(hunk):
            continue
        unit = units.of_hunk(hunk)
        own = by_hunk.get(id(hunk), [])
        suggestion = offered.get(id(hunk))
        first = suggestion.first if suggestion else max(1, hunk.before_start - (not hunk.before))
        last = suggestion.last if suggestion else max(first, hunk.before_start + len(hunk.before) - 1)
        transform = unit.steps[0][0].transform
        worst = max(own, key=lambda problem: problem.severity.rank, default=None)
        texts = [problem.message for problem in own] or [f"Part of the changes of {', '.join(unit.ids)}."]
        texts = [f"- {text}" for text in texts] if len(texts) > 1 else texts
        if note := _together(unit, hunk):
            texts.append(note)
        found = worst or transform
        yield Remark(found.id, found.risk, found.severity, name, first, last, "\n".join(texts), suggestion, not own)


def _together(unit: Unit, hunk: Hunk) -> str:
    """That a part of a change is nothing without the others."""
    if unit.closed:
        return f"There is no suggestion, since {unit.closed}: harden apply makes the change."
    others = [
        f"{relative_name(file.file.path)}:{other.before_start}" for file, other in unit.hunks if other is not hunk
    ]
    if not others:
        return ""
    more = f" and {len(others) - 5} more" if len(others) > 5 else ""
    return f"Take it only together with {', '.join(others[:5])}{more}: one is nothing without the other."


def suggested(hunk: Hunk, patch: Patch) -> Suggestion | None:
    """Return what ``hunk`` does, as lines for lines. Lines that only come or go are taken with a neighbour; None where
    that shows a secret, or there is none."""
    first, last, text = hunk.before_start, hunk.before_start + len(hunk.before) - 1, "".join(hunk.after)
    if not hunk.before or not hunk.after:
        above, below = patch.old_line(first - 1), patch.old_line(last + 1)
        if above is not None and above.endswith("\n") and not patch.hides(first - 1):
            first, text = first - 1, above + text
        elif below is not None and not patch.hides(last + 1):
            last, text = last + 1, text + below
        else:
            return None
    if first == 1 and patch.change.file.content.bom:
        text = "\ufeff" + text
    return Suggestion(first, last, text.removesuffix("\n").removesuffix("\r"))
