"""What a run leaves to be done, one record per thing: what the formats for pipelines and editors are made of.

A pending change (none after ``apply``), a change that was held back, a finding, a document that keeps its bytes. Every
text of a record went through the redactor; files are named from the Git root, lines are those of the file as it is on
disk when the report is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.authoring.edits import Create, Evidence, Grade, Severity
from hardener.authoring.transform import Transform
from hardener.engine.outcome import MISSING, Change, FileChange, Held, Outcome, Refused, Report
from hardener.engine.problem_sentence import problem_of
from hardener.report import chart_values, steps
from hardener.report.held_back import why_held
from hardener.report.patch import relative_name
from hardener.report.redactor import Redactor
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, dotted
from hardener.tree.core_views import Object

Mask = Callable[[str], str]
_LINE = re.compile(r"(?<=:)\d+\b")
_SHOWN = 3  # fields of a change, and places of its evidence, that a message names
_LONGEST = 200  # characters of a value in a message


class Kind(StrEnum):
    PENDING = "pending"
    HELD = "held"
    FINDING = "finding"
    REFUSED = "refused"


class Place(Struct, frozen=True):
    """Where a piece of evidence stands."""

    text: str
    file: str
    line: int


class Problem(Struct, frozen=True):
    """``key`` says what it is about whatever line it stands on, and is hashed in ``fingerprint``, which no other
    problem of the run has. ``changes`` are those of a pending change, in its file; ``step`` are all changes of the step
    of a pending or held-back one, and ``grade`` is its grade. ``report`` is the finding. ``fails_nothing``: a guess
    that only adds to what is written. ``not_looked_at``: a finding about what may hold anything, or a document that
    could not be read."""

    kind: Kind
    id: str
    risk: str | None
    severity: Severity
    file: str
    line: int
    object: str
    message: str
    key: str
    fingerprint: str = ""
    transform: Transform | None = None
    grade: Grade | None = None
    places: tuple[Place, ...] = ()
    changes: tuple[Change, ...] = ()
    fails_nothing: bool = False
    not_looked_at: bool = False
    step: tuple[Change, ...] = ()
    report: Report | None = None


def problems(outcome: Outcome, redactor: Redactor, *, applied: bool) -> list[Problem]:
    """Return all of them, by file and line; the fingerprints are the same in every run that finds the same."""
    found = sorted(
        _Collector(outcome, redactor, applied).collect(), key=lambda problem: (problem.file, problem.line, problem.id)
    )
    seen: Counter[str] = Counter()
    numbered = []
    for problem in found:
        seen[problem.key] += 1
        text = problem.key if seen[problem.key] == 1 else f"{problem.key}\0{seen[problem.key]}"
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        numbered.append(replace(problem, fingerprint=digest[:32]))
    return numbered


_What = tuple[str, Severity, str | None]  # the id, with the risk that it is about
_At = tuple[str, int, Object | None, Path]  # file, line, object, and the path in that


def _of(transform: Transform) -> _What:
    return transform.id, transform.severity, transform.risk


class _Collector:
    def __init__(self, outcome: Outcome, redactor: Redactor, applied: bool) -> None:
        self.outcome = outcome
        self.redactor = redactor
        self.applied = applied
        self._written = {change.file.name: _Lines(change) for change in outcome.files if applied}
        self._names: dict[str, str] = {file.name: relative_name(file.path) for file in outcome.tree.files}
        self._keys = chart_values.keys(outcome)

    def collect(self) -> Iterator[Problem]:
        if not self.applied:
            for changes in _by_file(self.outcome.changes):
                yield self._pending(changes)
        for held in self.outcome.held:
            yield self._held(held)
        for finding in self.outcome.findings:
            yield self._finding(finding)
        for refused in self.outcome.refused:
            yield self._refused(refused)

    def _pending(self, changes: list[Change]) -> Problem:
        first, transform = changes[0], changes[0].transform
        file, line = first.object.piece.file, first.line
        if file.is_new and isinstance(first.edit, Create):
            # What is to be made stands nowhere yet: it is named where its reason stands.
            file, line = first.edit.piece.file, _first_line(first.edit.piece)
        edit = first.edit
        facts = dict.fromkeys(fact for change in changes for fact in change.evidence)
        why = "; ".join(fact.text for fact in facts)
        what = f"{_described(changes, self.redactor.text)} ({edit.grade}, {edit.basis}{': ' * bool(why)}{why})"
        by = chart_values.named([key for change in changes for key in self._keys.get(id(change), ())])
        message = f"{first.object}: {problem_of(changes)}. harden {self.outcome.command} would {what}{by}."
        at = (file.name, line, first.object, first.path)
        found = self._problem(Kind.PENDING, _of(transform), at, message)
        places, made = tuple(self._places(facts)), tuple(changes)
        return replace(
            found, transform=transform, grade=edit.grade, places=places, changes=made, step=tuple(first.siblings)
        )

    def _held(self, held: Held) -> Problem:
        first, transform = held.changes[0], held.transform
        facts = dict.fromkeys(fact for change in held.changes for fact in change.evidence)
        verb = "Waits" if held.is_guess else "Held back"
        what = [f"{first.object}: {problem_of(held.changes)}. {verb}: {why_held(held.grade, self.outcome.max_grade)}"]
        what += [f"because {fact.text}" for fact in facts]
        what += [f"patch: {_operation(operation, self.redactor.text)}" for operation in held.patch]
        what += [f"before: {step}" for step in steps.before(held.changes)]
        what += [f"after: {step}" for step in steps.after(held.changes)]
        what.append(f"{self.outcome.asked.command(self.outcome.command, '--accept', transform.id)} makes it anyway")
        at = (first.object.piece.file.name, first.line, first.object, first.path)
        fails_nothing = held.is_guess and not held.takes_away
        severity = Severity.LOW if fails_nothing else transform.severity
        found = self._problem(Kind.HELD, (transform.id, severity, transform.risk), at, "; ".join(what) + ".")
        places = tuple(self._places(facts))
        return replace(
            found, transform=transform, grade=held.grade, places=places, fails_nothing=fails_nothing,
            step=tuple(held.changes),
        )  # fmt: skip

    def _finding(self, finding: Report) -> Problem:
        named = f"{finding.object}: " if finding.object is not None else ""
        what = (finding.id, finding.severity, finding.risk)
        at = (finding.file, finding.line, finding.object, finding.path)
        message = f"{named}{finding.message}: {finding.advice}"
        found = replace(self._problem(Kind.FINDING, what, at, message, finding.message), report=finding)
        if finding.also:
            found = replace(found, places=tuple(map(self._also, finding.also)))
        return replace(found, not_looked_at=True) if finding.not_looked_at else found

    def _also(self, other: Report) -> Place:
        return Place(
            self.redactor.text(f"the same in {other.object or other.file}"),
            self._name(other.file),
            self._line(other.file, other.line),
        )

    def _refused(self, refused: Refused) -> Problem:
        edits = f" ({refused.edits} edits not made)" if refused.edits else ""
        message = f"{refused.what}: {refused.reason}{edits}: {refused.advice}"
        at = (refused.file, refused.line, None, ())
        found = self._problem(Kind.REFUSED, ("refused", Severity.LOW, None), at, message, refused.reason)
        return replace(found, not_looked_at=True)

    def _problem(self, kind: Kind, what: _What, at: _At, message: str, said: str = "") -> Problem:
        """The problem ``what``, which stands ``at`` a place; ``said`` tells it from others there."""
        (id, severity, risk), (file, line, item, path), mask = what, at, self.redactor.text
        name = self._name(file)
        target = "" if item is None else f"{item.api_version} {item.kind} {item.namespace or ''}/{item.name}"
        where = "" if item is None else _stable(item.piece, path)
        # Not the kind: a change that is held back today may be pending tomorrow, and is the same concern.
        key = "\0".join((id, name, self.redactor.name(target), mask(where), _LINE.sub("", mask(said))))
        shown = self.redactor.name(str(item)) if item is not None else ""
        return Problem(kind, id, risk, severity, name, max(1, self._line(file, line)), shown, mask(message), key)

    def _places(self, facts: Iterable[Evidence]) -> Iterator[Place]:
        for fact in facts:
            if fact.piece is not None and not fact.piece.file.is_new:
                line = self.outcome.lines.get((fact.piece, fact.path), 1)
                file = fact.piece.file.name
                yield Place(self.redactor.text(fact.text), self._name(file), max(1, self._line(file, line)))

    def _name(self, name: str) -> str:
        return self._names.get(name) or relative_name(os.path.abspath(name))

    def _line(self, name: str, line: int) -> int:
        written = self._written.get(name)
        return written.line(line) if written else line


class _Lines:
    """Where the lines of a file as read are in the file as written."""

    def __init__(self, change: FileChange) -> None:
        self._hunks = change.hunks
        self._starts = [hunk.before_start for hunk in change.hunks]

    def line(self, number: int) -> int:
        found = bisect_right(self._starts, number) - 1
        if found < 0:
            return number
        hunk = self._hunks[found]
        past = number - hunk.before_start - len(hunk.before)
        if past >= 0:
            return hunk.after_start + len(hunk.after) + past
        # Inside what was rewritten: as deep into it, as far as it goes.
        return min(hunk.after_start + number - hunk.before_start, hunk.after_start + max(len(hunk.after) - 1, 0))


def _by_file(changes: list[Change]) -> Iterator[list[Change]]:
    """The changes of each step, those in one file together."""
    found: dict[tuple[int, int], list[Change]] = {}
    for change in changes:
        found.setdefault((id(change.siblings), id(change.object.piece.file)), []).append(change)
    yield from found.values()


def _first_line(piece: Piece) -> int:
    """The line of the first object of ``piece``, behind the line that begins the document."""
    lines = piece.text.split("\n")
    head = next((n for n, text in enumerate(lines) if text.strip() and not text.startswith(("---", "#"))), 0)
    return piece.line + 1 + head


def _described(changes: list[Change], mask: Mask) -> str:
    if changes[0].path == (0,) or not changes[0].path[1:]:
        named = ", ".join(f"{change.object} in {change.object.piece.file.name}" for change in changes[:_SHOWN])
        return f"add {named}" + _more(changes)
    parts = []
    for change in changes[:_SHOWN]:
        where = dotted(change.path[1:])
        parts.append(f"remove {where}" if change.after is MISSING else f"set {where} to {_value(change.after, mask)}")
    return ", ".join(parts) + _more(changes)


def _more(changes: list[Change]) -> str:
    return f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""


def _operation(operation: dict[str, Any], mask: Mask) -> str:
    value = f" {_value(operation['value'], mask)}" if "value" in operation else ""
    return f"{operation['op']} {operation['path']}{value}"


def _value(value: object, mask: Mask) -> str:
    # Masked before it is cut: half a secret would be found by nobody.
    text = mask(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _stable(piece: Piece, path: Path) -> str:
    """``path`` with the names of containers and other items in place of their numbers, which change."""
    parts: list[str] = []
    value: Any = piece.data
    for part in path:
        value = (
            value[part]
            if isinstance(value, list) and isinstance(part, int) and part < len(value)
            else (value.get(part) if isinstance(value, dict) else None)
        )
        name = value.get("name") if isinstance(value, dict) and isinstance(part, int) and parts else None
        parts.append(f"[{name}]" if isinstance(name, str) else str(part))
    return ".".join(parts[1:])
