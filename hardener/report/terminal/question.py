"""One step as a question to a person: what it does, why, on what evidence, and the lines that it changes."""

from __future__ import annotations

from collections.abc import Iterable

from hardener.authoring.edits import Grade
from hardener.engine.outcome import MISSING, Change, FileChange
from hardener.report import steps
from hardener.report.held_back import place, why_held
from hardener.report.patch import Patch
from hardener.report.terminal.printed import Printed
from hardener.support.data_path import dotted


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
