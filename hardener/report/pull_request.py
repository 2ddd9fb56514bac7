"""What a pull request says that makes a part of a plan: the message of its commit, and its body in Markdown. The names
in it may be anybody's: they are text there, and mention nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from hardener import __version__
from hardener.authoring import registry
from hardener.authoring.edits import Grade
from hardener.engine.outcome import Outcome
from hardener.engine.problem_sentence import problem_of
from hardener.report import impact, steps
from hardener.report.formats.markdown import LONGEST, as_text, code
from hardener.report.impact import counted
from hardener.report.redactor import Redactor
from hardener.support.printable import plain

MEANING = {
    Grade.SAFE: "the manifests prove that it works",
    Grade.REVIEW: "it should work; look at the notes below",
    Grade.GUESS: "a fact that decides is not known; find it out before you merge",
    Grade.BREAKING: "there is evidence that something breaks; merge it together with what it needs",
}
_LONGEST_SUBJECT = 72  # characters; more are cut in lists of commits
_ROWS = 40_000  # characters of the table, so that the steps below it have room


class Made(Struct):
    """What a pull request makes, or many of them together: edits by the id of their rule, and the grades."""

    edits: dict[str, int]
    grades: list[Grade]

    @staticmethod
    def of(outcome: Outcome) -> Made:
        """What the changes of ``outcome`` make."""
        return Made.counted(Counter(change.transform.id for change in outcome.changes), _grades(outcome))

    @staticmethod
    def counted(edits: Mapping[str, int], grades: Iterable[Grade]) -> Made:
        """What so many ``edits`` of each rule make, with these ``grades``."""
        return Made(dict(sorted(edits.items())), sorted(grades, key=lambda grade: grade.rank))

    @property
    def subject(self) -> str:
        """The first line of the message: what the one rule does, or how many edits of how many rules there are."""
        title = registry.get(next(iter(self.edits))).title if len(self.edits) == 1 else ""
        if title and len(title) <= _LONGEST_SUBJECT:
            return title
        edits = counted(sum(self.edits.values()), f"{'/'.join(self.grades)} edit")
        return f"Harden manifests: {edits} of {counted(len(self.edits), 'rule')}"

    def message(self, command: str) -> str:
        """Return the message of a commit that ``command`` makes: the subject, a line for each rule, the grade. It has
        the words of rules alone, and no name of a tree."""
        lines = [self.subject, "", *self._rules(), "", *(f"Grade {grade}: {MEANING[grade]}." for grade in self.grades)]
        return "\n".join([*lines, _by(command), ""])

    def body(self, command: str) -> str:
        """Return a body that fits each of many pull requests: the grade and the rules, without any place."""
        grades = [f"Grade **{grade}**: {MEANING[grade]}." for grade in self.grades]
        return "\n".join(
            [*grades, "", "What changes, in all repositories together:", "", *self._rules(), "", _by(command), ""]
        )

    def _rules(self) -> list[str]:
        return [f"- {registry.get(id).title} ({id}, {counted(count, 'edit')})" for id, count in self.edits.items()]


def _by(command: str) -> str:
    return f"Made by harden {__version__}: {plain(command)}"


def body(outcome: Outcome, redactor: Redactor, command: str) -> str:
    """Return the body of the pull request: the grade, what changes and why, what comes of it, what to do before and
    after. At most 60,000 characters; the table is cut, and says so."""

    def say(text: str) -> str:
        return as_text(plain(redactor.text(text)))

    parts = [f"Grade **{grade}**: {MEANING[grade]}.\n" for grade in _grades(outcome)]
    parts.append("\n| file | object | change | why |\n|---|---|---|---|\n")
    parts += _fitting(dict.fromkeys(_rows(outcome, say)), _ROWS)
    parts += _list("Effects", map(say, impact.lines(outcome)))
    parts += _list("Before you merge", map(say, steps.before(outcome.changes)))
    parts += _list("After you merge", map(say, steps.after(outcome.changes)))
    parts.append(f"\nMade by harden {__version__}: {code(plain(command))}\n")
    text = "".join(parts)
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + "\n\u2026"


def _rows(outcome: Outcome, say: Callable[[str], str]) -> Iterator[str]:
    steps = {id(change.siblings): change.siblings for change in outcome.changes}.values()
    for changes in sorted(steps, key=lambda changes: (changes[0].object.piece.file.name, str(changes[0].object))):
        first = changes[0]
        name, item = say(first.object.piece.file.name), say(str(first.object))
        yield f"| {name} | {item} | {code(first.transform.id)} | {say(problem_of(changes))} |\n"


def _fitting(rows: Iterable[str], room: int) -> Iterator[str]:
    left = 0
    for row in rows:
        room -= len(row)
        if room >= 0:
            yield row
        else:
            left += 1
    if left:
        yield f"\n{left} more; the diff has them.\n"


def _list(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = [f"- {line}\n" for line in lines]
    if found:
        yield f"\n### {title}\n\n"
        yield from found


def _grades(outcome: Outcome) -> list[Grade]:
    return sorted({change.edit.grade for change in outcome.changes}, key=lambda grade: grade.rank)
