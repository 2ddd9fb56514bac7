"""The questions and answers of ``harden apply -i``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from hardener.authoring.edits import Grade
from hardener.commands.interactive import hunks, waive
from hardener.commands.interactive.answers import Answer, Answers, Saved, key
from hardener.commands.interactive.turns import Asked, Group, Turn, steps_of, turns
from hardener.engine.outcome import Outcome
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
_GROUP_HELP = """\
y - make these changes
n - make none of them, nor any other of this transform that is not answered yet
e - ask about each change, with its lines
b - go back to the question before, and answer it again
q - quit: make neither these nor any that is left; what was accepted is made
? - print this help"""
_GROUP_KEYS = "y,n,e,b,q,?"

Run = Callable[[Answers], Outcome]


# The number of a question, what was answered before it, and how many waivers were wanted by then.
_Past = tuple[int, Saved, int]


def check_terminal() -> None:
    """Raise InputError where there is nobody to ask."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("-i asks about each change, and needs a terminal for that")


def walk(run: Run, face: Callable[[Outcome], Question], confirm: Callable[[Outcome], bool]) -> Outcome | None:
    """Ask about every transform of what ``run`` decides, then about its steps. Returns the outcome that holds what was
    accepted; None when ``confirm``, asked once before anything else, does not want files to be written.

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
        waiting = turns(outcome, answers)
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


def _ask(waiting: list[Turn], answers: Answers, past: list[_Past], face: Question) -> list[waive.Written]:
    """Ask the questions in turn; the waivers that were wanted. ``past`` are the questions that were answered; who
    goes back behind the first of ``waiting`` takes its answer back, and it is asked when the tree is decided anew."""
    waivers: list[waive.Written] = []
    earlier, number = len(past), 0
    while number < len(waiting):
        turn = waiting[number]
        if not turn.is_open(answers):  # an answer for all of its transform
            number += 1
            continue
        before = (number, answers.saved(), len(waivers))
        if isinstance(turn, Group):
            said = _ask_group(turn, waiting, answers, face, has_past=bool(past))
        else:
            said = _ask_step(turn, waiting[:number], len(list(steps_of(waiting))), answers, waivers, face, bool(past))
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


def _ask_group(group: Group, waiting: list[Turn], answers: Answers, face: Question, *, has_past: bool) -> str:
    """The key that a person types to the question of a transform; what it says is noted."""
    count = sum(isinstance(turn, Group) for turn in waiting)
    number = f"group {group.number} of {count}"
    face.ask_all(
        [(step.changes, step.grade) for step in group.steps], held=group.steps[0].held, number=number,
        lines=hunks.of_step(group.steps[0].changes),
    )  # fmt: skip
    id = group.transform.id

    def make_all() -> None:
        for step in group.steps:
            answers.give(step.changes, Answer.YES)  # it stays, whatever is answered for its transform later
        answers.rule(id, group.grade, Answer.YES)

    does: dict[str, Callable[[], None]] = {
        "y": make_all,
        "n": lambda: answers.rule(id, Grade.BREAKING, Answer.NO),
        "e": lambda: answers.ask_each(group.key),
    }
    while True:
        said = _line(f"{number}: make all {len(group.steps)} changes [{_GROUP_KEYS}]? ")
        if said in (None, "q"):
            return "q"
        if said == "b" and has_past:
            return said
        if said in does:
            does[said]()
            return said
        _refuse(said, _GROUP_HELP, face)


def _ask_step(
    asked: Asked, earlier: list[Turn], count: int, answers: Answers, waivers: list[waive.Written], face: Question,
    has_past: bool,
) -> str:  # fmt: skip
    """The key that a person types to the question of a step; what it says is noted."""
    place = f"{asked.number} of {count}"
    face.ask(asked.changes, asked.grade, held=asked.held, number=place, lines=hunks.of_step(asked.changes))
    if _follows_a_no(asked, list(steps_of(earlier)), answers):
        face.say("  the lines around it may show changes that you refused; those are not made")
    return _answer(asked, answers, waivers, place, face, has_past=has_past)


def _refuse(said: str | None, help: str, face: Question) -> None:
    """Say why a key is no answer."""
    for line in ["this is the first question"] if said == "b" else help.splitlines():
        face.say(line)


def _follows_a_no(asked: Asked, earlier: list[Asked], answers: Answers) -> bool:
    """Whether a step before it in one of its documents was refused: the text that is shown has been decided before."""
    pieces = {change.object.piece for change in asked.changes}
    return any(
        answers.of(other.changes, other.grade) is Answer.NO
        and not pieces.isdisjoint(change.object.piece for change in other.changes)
        for other in earlier
    )


def _answer(
    asked: Asked, answers: Answers, waivers: list[waive.Written], place: str, face: Question, *, has_past: bool
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
        elif said in (None, "q"):
            return "q"
        elif said != "b" or not has_past:
            _refuse(said, _HELP, face)
            continue
        return said


def _line(prompt: str) -> str | None:
    """What a person answers, None at the end of the input."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None
