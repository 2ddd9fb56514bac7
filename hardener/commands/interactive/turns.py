"""In which order a person is asked: the steps of a transform as a group, then each of them."""

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
    """The steps of a transform that nothing holds back, or those that are held back with one grade: so one answer never
    takes a breaking step along with a guess."""

    key: str
    steps: list[Asked]
    number: int = 0

    @property
    def transform(self) -> Transform:
        """Whose steps they are."""
        return self.steps[0].transform

    @property
    def grade(self) -> Grade:
        """The worst of them."""
        return max((step.grade for step in self.steps), key=lambda grade: grade.rank)

    def is_open(self, answers: Answers) -> bool:
        """Whether it is worth a question: more than one step is open, and nobody wanted to see each."""
        return self.key not in answers.one_by_one and sum(step.is_open(answers) for step in self.steps) > 1


Turn = Group | Asked


def turns(outcome: Outcome, answers: Answers) -> list[Turn]:
    """What is open, by transform: each group of steps, and the steps of it behind it."""
    by_transform: dict[str, list[Asked]] = {}
    for step in _steps(outcome):
        if step.is_open(answers):
            by_transform.setdefault(step.transform.id, []).append(step)
    groups = [group for steps in by_transform.values() for group in _groups(steps)]
    found: list[Turn] = []
    for number, group in enumerate(groups, 1):
        group.number = number
        found += [group, *group.steps]
    for number, step in enumerate(steps_of(found), 1):
        step.number = number
    return found


def _groups(steps: list[Asked]) -> list[Group]:
    """The steps of one transform: those that are made, then those that are held back, the mildest grade first."""
    found: dict[str, Group] = {}
    for step in sorted(steps, key=lambda step: (step.held, step.grade.rank if step.held else 0)):
        key = f"{step.transform.id} {step.grade if step.held else ''}"
        found.setdefault(key, Group(key, [])).steps.append(step)
    return list(found.values())


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
