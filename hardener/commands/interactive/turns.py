"""In which order a person is asked: a transform as a whole where it has more than one step, then each of its steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import Create, Grade
from hardener.authoring.transform import Transform
from hardener.commands.interactive.answers import Answers
from hardener.engine.outcome import Change, Outcome


class Asked(Struct, eq=False):
    """One step, made or held back, and its number among all that are asked about."""

    changes: list[Change]
    grade: Grade
    held: bool
    number: int = 0

    @property
    def transform(self) -> Transform:
        """Whose step it is."""
        return self.changes[0].transform

    def is_open(self, answers: Answers) -> bool:
        """Whether nothing is answered yet."""
        return answers.of(self.changes, self.grade) is None


class Group(Struct, eq=False):
    """All steps of a transform, in the order in which they are asked about."""

    steps: list[Asked]
    number: int

    @property
    def transform(self) -> Transform:
        """Whose steps they are."""
        return self.steps[0].transform

    @property
    def grade(self) -> Grade:
        """Up to which grade one answer takes them: that of the steps which nothing holds back. Where all are held back
        it is the mildest, so that nobody takes a breaking step along with a guess."""
        made = [step.grade for step in self.steps if not step.held]
        if made:
            return max(made, key=lambda grade: grade.rank)
        return min((step.grade for step in self.steps), key=lambda grade: grade.rank)

    @property
    def offered(self) -> list[Asked]:
        """The steps that one answer takes."""
        rank = self.grade.rank
        return [step for step in self.steps if step.grade.rank <= rank]

    def is_open(self, answers: Answers) -> bool:
        """Whether it is worth a question: more than one step is open, and nobody wanted to see each."""
        if self.transform.id in answers.one_by_one:
            return False
        return sum(step.is_open(answers) for step in self.steps) > 1


Turn = Group | Asked


def turns(outcome: Outcome, answers: Answers) -> list[Turn]:
    """Each transform with what is open of it; a step by itself has no question of its transform before it."""
    by_transform: dict[str, list[Asked]] = {}
    for step in _steps(outcome):
        if step.is_open(answers):
            by_transform.setdefault(step.transform.id, []).append(step)
    found: list[Turn] = []
    for number, steps in enumerate(by_transform.values(), 1):
        found += [Group(steps, number), *steps]
    for number, step in enumerate(steps_of(found), 1):
        step.number = number
    return found


def steps_of(found: Iterable[Turn]) -> Iterator[Asked]:
    """The steps among ``found``."""
    return (turn for turn in found if isinstance(turn, Asked))


def _steps(outcome: Outcome) -> list[Asked]:
    """The steps that are made or held back, by file and document."""
    made = {id(change.siblings): change.siblings for change in outcome.changes}
    found = [Asked(changes, _grade(changes), False) for changes in made.values()]
    found += [Asked(held.changes, held.grade, True) for held in outcome.held]
    order = {
        piece: number for number, piece in enumerate(piece for file in outcome.tree.files for piece in file.pieces)
    }

    def place(asked: Asked) -> int:
        change = asked.changes[0]
        piece = change.edit.piece if isinstance(change.edit, Create) else change.object.piece
        return order.get(piece, len(order))

    return sorted(found, key=place)


def _grade(changes: list[Change]) -> Grade:
    return max((change.edit.grade for change in changes), key=lambda grade: grade.rank)
