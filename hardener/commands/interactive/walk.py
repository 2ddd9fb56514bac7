"""The questions and answers of ``harden apply -i``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from hardener.authoring.edits import Create, Grade
from hardener.commands.interactive import hunks, waive
from hardener.commands.interactive.answers import Answer, Answers, Saved, key
from hardener.engine.outcome import Change, Outcome
from hardener.errors import InputError
from hardener.report.terminal.question import Question

_HELP = """\
y - make this change
n - do not make it
a - make this one and all others of its transform that are graded no worse
d - make neither this one nor any other of its transform
w - waive it: a reason is asked for and written into the manifest, so that no later run asks again
b - go back to the question before, and answer it again
q - quit: make neither this one nor any that is left; what was accepted is made
? - print this help"""
_KEYS = "y,n,a,d,w,b,q,?"

Run = Callable[[Answers], Outcome]


@dataclass(slots=True)
class _Asked:
    changes: list[Change]
    grade: Grade
    held: bool


# The number of a question, what was answered before it, and how many waivers were wanted by then.
_Past = tuple[int, Saved, int]


def check_terminal() -> None:
    """Raise InputError where there is nobody to ask."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("-i asks about each change, and needs a terminal for that")


def walk(run: Run, face: Callable[[Outcome], Question], confirm: Callable[[Outcome], bool]) -> Outcome | None:
    """Ask about every step of what ``run`` decides. Returns the outcome that holds what was accepted; None when
    ``confirm``, asked once before anything else, does not want files to be written.

    ``run`` reads the tree anew and decides with the answers so far; ``face`` prints the questions of an outcome. An
    answer may change what other steps do: these are asked about again. Waivers are written when all is answered; what
    was answered before that stays.
    """
    answers = Answers()
    past: list[_Past] = []
    outcome = run(answers)
    if not confirm(outcome):
        return None
    while True:
        waiting = [asked for asked in _steps(outcome) if _is_open(asked, answers)]
        if not waiting:
            return outcome
        printed = face(outcome)
        waivers = _ask(waiting, answers, past, printed)
        if waivers:
            past.clear()
            try:
                printed.say("waivers written: " + ", ".join(waive.write(waivers)))
            except InputError as error:
                printed.say(f"harden: {error}")
        outcome = run(answers)
        if answers.quit:
            return outcome


def _is_open(asked: _Asked, answers: Answers) -> bool:
    return answers.of(asked.changes, asked.grade) is None


def _steps(outcome: Outcome) -> list[_Asked]:
    """The steps that are made or held back, by file and document."""
    made = {id(change.siblings): change.siblings for change in outcome.changes}
    found = [_Asked(changes, _grade(changes), False) for changes in made.values()]
    found += [_Asked(held.changes, held.grade, True) for held in outcome.held]
    order = {
        piece: number for number, piece in enumerate(piece for file in outcome.tree.files for piece in file.pieces)
    }

    def place(asked: _Asked) -> int:
        change = asked.changes[0]
        piece = change.edit.piece if isinstance(change.edit, Create) else change.object.piece
        return order.get(piece, len(order))

    return sorted(found, key=place)


def _grade(changes: list[Change]) -> Grade:
    return max((change.edit.grade for change in changes), key=lambda grade: grade.rank)


def _ask(waiting: list[_Asked], answers: Answers, past: list[_Past], face: Question) -> list[waive.Written]:
    """Ask about the steps in turn; the waivers that were wanted. ``past`` are the questions that were answered; who
    goes back behind the first of ``waiting`` takes its answer back, and it is asked when the tree is decided anew."""
    waivers: list[waive.Written] = []
    earlier, number = len(past), 0
    while number < len(waiting):
        asked = waiting[number]
        if not _is_open(asked, answers):  # an answer for all of its transform
            number += 1
            continue
        place = f"{number + 1} of {len(waiting)}"
        face.ask(asked.changes, asked.grade, held=asked.held, number=place, lines=hunks.of_step(asked.changes))
        if _follows_a_no(asked, waiting[:number], answers):
            face.say("  the lines around it may show changes that you refused; those are not made")
        before = (number, answers.saved(), len(waivers))
        said = _answer(asked, answers, waivers, place, face, has_past=bool(past))
        if said == "q":
            answers.quit = True
            return waivers
        if said == "b":
            number, saved, wanted = past.pop()
            answers.restore(saved)
            if len(past) < earlier:
                return []
            del waivers[wanted:]
        else:
            past.append(before)
            number += 1
    return waivers


def _follows_a_no(asked: _Asked, earlier: list[_Asked], answers: Answers) -> bool:
    """Whether a step before it in one of its documents was refused: the text that is shown has been decided before."""
    pieces = {change.object.piece for change in asked.changes}
    return any(
        answers.of(other.changes, other.grade) is Answer.NO
        and not pieces.isdisjoint(change.object.piece for change in other.changes)
        for other in earlier
    )


def _answer(
    asked: _Asked, answers: Answers, waivers: list[waive.Written], place: str, face: Question, *, has_past: bool
) -> str:
    """The key that a person types to one question; what it says of the step is noted."""
    changes, id = asked.changes, asked.changes[0].transform.id
    while True:
        said = _line(f"{place}: make this change [{_KEYS}]? ")
        if said == "y":
            answers.give(changes, Answer.YES)
        elif said == "n":
            answers.give(changes, Answer.NO)
        elif said == "a":
            answers.rule(id, asked.grade, Answer.YES)
        elif said == "d":
            answers.rule(id, Grade.BREAKING, Answer.NO)
        elif said == "w":
            target = answers.targets.get(key(changes, whole=False))
            reason = " ".join((_line("Reason: ") or "").split())
            if target is None or not reason:
                face.say("a waiver needs a reason")
                continue
            waivers.append(waive.Written(id, target, reason))
            answers.give(changes, Answer.WAIVED)
        elif said == "b" and not has_past:
            face.say("this is the first question")
            continue
        elif said in (None, "q"):
            return "q"
        elif said != "b":
            for line in _HELP.splitlines():
                face.say(line)
            continue
        return said


def _line(prompt: str) -> str | None:
    """What a person answers, None at the end of the input."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None
