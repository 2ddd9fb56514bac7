"""``harden plan``: what is to be done, in parts that somebody can review; ``harden apply --plan N`` makes one of them.

A part has edits of one grade alone, and no more changed lines than were asked for, unless those of one object in one
file are more. The order is that of what may go wrong: by grade, then by risk, then by file. A plan is made anew from
the manifests each time: what is applied is in none any more, so the next part is the first one then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from msgspec import Struct, field

from hardener.authoring.edits import Grade
from hardener.commands.interactive import hunks
from hardener.commands.interactive.answers import Key, key
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, Plan, Style, informed, read, write
from hardener.commands.write_files import finish_killed, may_write
from hardener.engine.outcome import Change, Outcome
from hardener.engine.pipeline import Gate
from hardener.engine.step import Step
from hardener.errors import InputError
from hardener.report import unread
from hardener.report.impact import counted, listed
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.sources.files import run_folder
from hardener.support.printable import plain_line

_MANIFESTS = "--plan"  # what it is about: charts are left as they are


class Part(Struct):
    """Steps of one ``grade`` that are applied together, and how many ``lines`` of a patch they are."""

    grade: Grade
    steps: list[list[Change]] = field(default_factory=list)
    lines: int = 0

    @property
    def changes(self) -> list[Change]:
        return [change for changes in self.steps for change in changes]

    @property
    def keys(self) -> set[Key]:
        """The names of its steps, by which a later run knows them."""
        return {key(changes, whole=False) for changes in self.steps}


def parts(outcome: Outcome, lines: int) -> list[Part]:
    """Return what ``outcome`` changes in parts of at most ``lines``, those first that may do the least harm."""
    found: list[Part] = []
    for (rank, *_), group in groupby(sorted(_steps(outcome), key=_place), key=_place):
        steps = list(group)
        size = sum(map(_size, steps))
        grade = next(grade for grade in Grade if grade.rank == rank)
        if not found or found[-1].grade is not grade or found[-1].lines + size > lines:
            found.append(Part(grade))
        found[-1].steps += steps
        found[-1].lines += size
    return found


def _steps(outcome: Outcome) -> Iterable[list[Change]]:
    return {id(change.siblings): change.siblings for change in outcome.changes}.values()


def _place(changes: list[Change]) -> tuple[int, str, str, str]:
    """What belongs together, in the order of the parts: the grade, the risk, the file and the object of a step."""
    rank = max(change.edit.grade.rank for change in changes)
    first = changes[0]
    return rank, first.transform.risk, first.object.piece.file.name, str(first.object)


def _size(changes: list[Change]) -> int:
    """How many lines of a patch a step is; one where it cannot be written by itself."""
    made = [hunk for change in hunks.of_step(changes) for hunk in change.hunks]
    return sum(len(hunk.before) + len(hunk.after) for hunk in made) or 1


class Proposed(Struct):
    """Part ``number`` of ``of`` parts of a plan, alone: ``outcome`` is what comes of it, ``redactor`` knows the secrets
    of the tree, ``lines`` is how many lines of a patch it is."""

    outcome: Outcome
    redactor: Redactor
    number: int
    of: int
    lines: int


def proposed(
    paths: list[str], choices: Choices, progress: Callable[[str], object], *, number: int, lines: int
) -> Proposed | None:
    """Return part ``number`` of the plan for ``paths``, as ``harden apply --plan`` would make it; None where the plan
    has no such part. Nothing is written. Raises InputError for a wrong choice."""
    tree, plan = read(paths, choices, progress, manifests_only=_MANIFESTS)
    found = parts(plan.run(tree, progress), lines)
    if number > len(found):
        return None
    part = found[number - 1]
    outcome = _made(paths, choices, part.keys, progress)
    return Proposed(outcome, informed(outcome), number, len(found), part.lines)


def show(paths: list[str], choices: Choices, lines: int, say: Callable[[str], object]) -> int:
    """Print the parts of what is to be done to ``paths``. Returns 0."""
    outcome, _ = _decided(paths, choices)
    redactor = informed(outcome)
    for line in _list(outcome, parts(outcome, lines), lines):
        say(plain_line(redactor.text(line)))
    return 0


def _decided(paths: list[str], choices: Choices) -> tuple[Outcome, Plan]:
    with Progress() as progress:
        tree, plan = read(paths, choices, progress, manifests_only=_MANIFESTS)
        return plan.run(tree, progress), plan


def _list(outcome: Outcome, found: list[Part], lines: int) -> Iterable[str]:
    if not found:
        nothing = f"nothing was read: {unread.why_nothing(outcome.tree)}" if unread.nothing_read(outcome.tree) else ""
        yield f"nothing to apply{f'; {nothing}' if nothing else ''}"
        return
    total = sum(part.lines for part in found)
    yield f"{counted(len(found), 'part')} of at most {lines} lines, {total} in all; the smallest risk is first"
    width = len(str(len(found)))
    for number, part in enumerate(found, 1):
        changes = part.changes
        size = counted(part.lines, "line")
        alone = f" (more than {lines}: one object)" if part.lines > lines else ""
        risks = ", ".join(sorted({change.transform.risk for change in changes}))
        names = listed({id(each): each.object.piece.file.name for each in _first_of_files(changes)})
        yield f"  {number:{width}}  {part.grade}  {risks}  {size}{alone}, {counted(len(changes), 'edit')} in {names}"
        yield f"  {' ' * width}  {', '.join(dict.fromkeys(change.transform.id for change in changes))}"
    command = outcome.asked.command("apply", "--plan", "1")
    yield f"next: {command} makes part 1; after its merge, run harden plan again: the next part is then part 1"


def _first_of_files(changes: list[Change]) -> Iterable[Change]:
    firsts: dict[str, Change] = {}
    for change in changes:
        firsts.setdefault(change.object.piece.file.path, change)
    return firsts.values()


def apply(paths: list[str], choices: Choices, style: Style, *, number: int, lines: int, yes: bool) -> int:
    """Make part ``number`` of the plan for ``paths``. Returns as ``apply`` without a plan; raises InputError where the
    plan has no such part."""
    with run_folder.turn(files.expand(paths)):
        finish_killed(paths)
        outcome, _ = _decided(paths, choices)
        found = parts(outcome, lines)
        if not 1 <= number <= len(found):
            has = (
                f"has {counted(len(found), 'part')}; harden plan lists them"
                if found
                else "has no part: there is nothing to apply"
            )
            raise InputError(f"--plan {number}: the plan {has}")
        with Progress() as progress:
            chosen = _made(paths, choices, found[number - 1].keys, progress)
        if not may_write(chosen, yes):
            return 2
        return write(chosen, style)


def _made(paths: list[str], choices: Choices, keys: set[Key], progress: Callable[[str], object]) -> Outcome:
    """What comes of the steps ``keys`` alone."""

    def choose(step: Step) -> bool | None:
        return None if key(step.changes, whole=False) in keys else False

    tree, plan = read(paths, choices, progress, manifests_only=_MANIFESTS)
    plan.gate = Gate(plan.gate.max_grade, plan.gate.accepted, choose)
    return plan.run(tree, progress)
