"""One step as a question to a person: what it does, why, on what evidence, and the lines that it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from hardener.authoring.edits import Grade
from hardener.engine.outcome import MISSING, Change, FileChange
from hardener.report import steps
from hardener.report.held_back import place, why_held
from hardener.report.impact import counted
from hardener.report.patch import Patch
from hardener.report.terminal.printed import Printed
from hardener.support.data_path import dotted

_MOST_REASONS = 3  # of a transform; each step has its own
_MOST_PLACES = 8


class Question(Printed):
    """Prints the steps of an outcome one by one, as the report for a terminal prints them all."""

    def ask(self, changes: list[Change], grade: Grade, *, held: bool, number: str, lines: Iterable[FileChange]) -> None:
        """Print the step ``changes`` with the hunks in ``lines``; ``number`` is its place among all of them."""
        first = changes[0]
        transform = first.transform
        where = (first.object.piece.file.name, first.line or first.new_line)
        head = f"{number}: {self._paint('bold', transform.id)} {transform.risk} {transform.severity} {grade}"
        self._say()
        self._say(f"{head}  {place(*where)} {first.object}", at=[where])
        self._say(f"  {transform.title}")
        self._say(f"  why:     {transform.why}")
        if held:
            self._say(f"  {self._paint('yellow', 'held back')}: {why_held(grade, self.outcome.max_grade)}")
        self._reasons(changes)
        for step in steps.before(changes):
            self._say(f"  before:  {step}")
        for step in steps.after(changes):
            self._say(f"  after:   {step}")
        self._lines(changes, lines)

    def ask_all(
        self, asked: Sequence[tuple[list[Change], Grade]], *, held: bool, number: str, lines: Iterable[FileChange]
    ) -> None:
        """Print what a transform does as a whole: the steps ``asked`` about, each with its grade, the reasons, the
        places, and the hunks of the first one in ``lines``; ``held``: all of them are held back with one grade."""
        first = asked[0][0]
        transform = first[0].transform
        grades = Counter(grade for _, grade in asked)
        counts = ", ".join(f"{grades[each]} {each}" for each in Grade if each in grades)
        self._say()
        head = f"{number}: {self._paint('bold', transform.id)} {transform.risk} {transform.severity}"
        self._say(f"{head}  {counted(len(asked), 'change')}: {counts}")
        self._say(f"  {transform.summary}")
        self._say(f"  why:     {transform.why}")
        if held:
            self._say(f"  {self._paint('yellow', 'held back')}: {why_held(asked[0][1], self.outcome.max_grade)}")
        self._common_reasons([changes for changes, _ in asked])
        self._places_of([changes for changes, _ in asked])
        self._say("  the first of them:")
        self._lines(first, lines)

    def _common_reasons(self, steps_asked: list[list[Change]]) -> None:
        """The reasons that most steps have, by their text."""
        texts = Counter(
            text
            for changes in steps_asked
            for text in dict.fromkeys(fact.text for change in changes for fact in change.evidence)
        )
        for text, count in texts.most_common(_MOST_REASONS):
            self._say(f"  because: {text}" + (f" ({count} changes)" if count > 1 else ""))
        if len(texts) > _MOST_REASONS:
            self._say(f"           and {counted(len(texts) - _MOST_REASONS, 'reason')} more")

    def _places_of(self, steps_asked: list[list[Change]]) -> None:
        for changes in steps_asked[:_MOST_PLACES]:
            first = changes[0]
            where = (first.object.piece.file.name, first.line or first.new_line)
            self._say(f"  at       {place(*where)} {first.object}", at=[where])
        if len(steps_asked) > _MOST_PLACES:
            self._say(f"           and {len(steps_asked) - _MOST_PLACES} more")

    def _lines(self, changes: list[Change], lines: Iterable[FileChange]) -> None:
        shown = list(lines)
        for file in shown:
            self._hunks(file)
        for change in [] if shown else changes:
            what = "removed" if change.after is MISSING else "changed"
            self._say(f"  {dotted(change.path[1:])} {what}")

    def _reasons(self, changes: list[Change]) -> None:
        facts = dict.fromkeys(fact for change in changes for fact in change.evidence)
        for fact in facts:
            self._say(f"  because: {self._evidence(fact)}", at=self._places([fact]))
        if not facts:
            self._say(f"  basis:   {changes[0].edit.basis}")
        if any(change.edit.late for change in changes):
            self._say("  it may fail only under load")

    def _hunks(self, file: FileChange) -> None:
        redactor = self.context.redactor
        for part in Patch.of(file, redactor).parts():
            for line in self._seen(redactor.text(part)).splitlines(keepends=True):
                self._patch_line(line)

    def say(self, text: str) -> None:
        """Print one line."""
        self._say(text)
