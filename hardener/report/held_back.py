"""What was held back, in words: how much of which grade, above which choice, and where."""

from __future__ import annotations

from collections import Counter

from hardener.authoring.edits import Grade
from hardener.engine.outcome import Outcome

_MEANS = {
    Grade.GUESS: ": the fact that decides is not known",
    Grade.BREAKING: ": there is evidence that something breaks",
}


def held_back(outcome: Outcome) -> str:
    """Return how many steps of ``outcome`` were held back, and why: ``16 (15 review, 1 breaking), above --max-grade
    safe``. Guesses are counted apart."""
    grades = Counter(held.grade for held in outcome.held_back)
    counts = ", ".join(f"{grades[grade]} {grade}" for grade in Grade if grade in grades)
    return f"{grades.total()} ({counts}), above --max-grade {outcome.max_grade}"


def why_held(grade: Grade, max_grade: Grade) -> str:
    """Return why one step of ``grade`` was held back."""
    return f"graded {grade}, above --max-grade {max_grade}{_MEANS.get(grade, '')}"


def place(file: str, line: int) -> str:
    """Return a file with its line; without one where there is none, as in a file that is not made yet (``line`` is
    0)."""
    return f"{file}:{line}" if line else file
