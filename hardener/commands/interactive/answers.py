"""What a person has decided about steps, in a form that the next run on the same tree knows them by."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum

from hardener.authoring.edits import Create, Grade
from hardener.engine.outcome import Change
from hardener.engine.pipeline import Gate
from hardener.engine.step import Step
from hardener.tree.core_views import View

Key = tuple[str, ...]


class Answer(StrEnum):
    """Made, not made, or not made for a reason that is written down."""

    YES = "yes"
    NO = "no"
    WAIVED = "waived"


def key(changes: list[Change], *, whole: bool) -> Key:
    """The name of a step: its transform and places, with ``whole`` also what it writes there."""
    parts = [changes[0].transform.id]
    for change in changes:
        edit, item = change.edit, change.object
        piece = edit.piece if isinstance(edit, Create) else item.piece
        parts += (piece.file.path, item.kind, str(item.namespace), item.name, type(edit).__name__, str(edit.path))
        if whole:
            parts.append(json.dumps(getattr(edit, "value", None), default=repr, sort_keys=True))
    return tuple(parts)


Saved = tuple[dict[Key, Answer], dict[str, tuple[Answer, int]], frozenset[str]]


@dataclass(slots=True)
class Answers:
    """The answers so far. What was accepted is accepted with all that it writes: when other answers change that, it is
    another step. What was not wanted is a place that is left alone."""

    given: dict[Key, Answer] = field(default_factory=dict)
    rules: dict[str, tuple[Answer, int]] = field(default_factory=dict)  # by transform, up to this rank of a grade
    one_by_one: frozenset[str] = frozenset()  # groups of steps of which each is asked about by itself
    quit: bool = False
    targets: dict[Key, View] = field(default_factory=dict)  # of the steps of the last run

    def saved(self) -> Saved:
        """What is answered now, for ``restore``."""
        return dict(self.given), dict(self.rules), self.one_by_one

    def restore(self, saved: Saved) -> None:
        """Take back what was answered since."""
        self.given, self.rules, self.one_by_one = dict(saved[0]), dict(saved[1]), saved[2]

    def give(self, changes: list[Change], answer: Answer) -> None:
        """Note the answer to one step."""
        self.given[key(changes, whole=answer is Answer.YES)] = answer

    def rule(self, id: str, grade: Grade, answer: Answer) -> None:
        """Note an answer for all steps of a transform that are graded no worse than ``grade``."""
        self.rules[id] = (answer, grade.rank)

    def ask_each(self, group: str) -> None:
        """Note that the steps of a group are asked about one by one."""
        self.one_by_one |= {group}

    def of(self, changes: list[Change], grade: Grade) -> Answer | None:
        """The answer to a step, None where there is none yet."""
        for whole in (True, False):
            if (found := self.given.get(key(changes, whole=whole))) is not None:
                return found
        answer, rank = self.rules.get(changes[0].transform.id, (None, 0))
        return answer if answer is not None and grade.rank <= rank else None

    def chooser(self, gate: Gate) -> Gate:
        """``gate`` with these answers. A step that the gate would hold back anyway is held back, not dropped."""
        plain = Gate(gate.max_grade, gate.accepted)

        def choose(step: Step) -> bool | None:
            self.targets[key(step.changes, whole=False)] = step.target
            answer = self.of(step.changes, step.grade)
            if answer is Answer.YES:
                return True
            unwanted = answer is not None or self.quit
            return False if unwanted and plain.lets(step) else None

        return Gate(gate.max_grade, gate.accepted, choose)
