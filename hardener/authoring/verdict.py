"""How sure a change is: the one place where the facts of a rule become a grade and a basis, and get their order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, auto
from operator import attrgetter
from typing import NamedTuple, TypedDict

from hardener.authoring.edits import Basis, Evidence, Grade


class Effect(IntEnum):
    """What a change does beside what its rule is about; see docs/design/decisions.md 11."""

    PLAIN = auto()
    """Nothing that a person would have to know beforehand."""
    WATCHED = auto()
    """Something that a person looks at, however sure it is that the change works."""
    BEYOND = auto()
    """It reaches what the tree does not show, a revert does not take it back, or a forgotten step stops a component."""


class _Stand(IntEnum):
    """What the facts of a rule come to."""

    AGAINST = auto()
    UNKNOWN = auto()
    DOUBTFUL = auto()
    NOTHING_FOUND = auto()
    SHOWN = auto()


_BY_FACTS = {
    _Stand.AGAINST: Grade.BREAKING,
    _Stand.UNKNOWN: Grade.REVIEW,
    _Stand.DOUBTFUL: Grade.REVIEW,
    _Stand.NOTHING_FOUND: Grade.REVIEW,
    _Stand.SHOWN: Grade.SAFE,
}
_BY_EFFECT = {Effect.PLAIN: Grade.SAFE, Effect.WATCHED: Grade.REVIEW, Effect.BEYOND: Grade.BREAKING}


class Words(TypedDict):
    """The keyword arguments that a view takes a verdict by."""

    grade: Grade
    basis: Basis
    evidence: list[Evidence]


class Verdict(NamedTuple):
    """The grade of a change, where that comes from, and its facts."""

    grade: Grade
    basis: Basis
    evidence: list[Evidence]

    @property
    def breaks(self) -> bool:
        """Whether the change is one to hold back."""
        return self.grade is Grade.BREAKING

    @property
    def is_safe(self) -> bool:
        """Whether the change is shown to work."""
        return self.grade is Grade.SAFE

    @property
    def words(self) -> Words:
        """Return the verdict as keyword arguments: ``pod.set("hostPID", to=False, **found.words)``."""
        return {"grade": self.grade, "basis": self.basis, "evidence": self.evidence}

    def along(self, *facts: Evidence, basis: Basis = Basis.PROVED) -> Verdict:
        """Return the verdict on an edit that is made only together with this one, for a reason of its own."""
        return Verdict(self.grade, basis, list(facts))


def verdict(
    *,
    why: Iterable[Evidence] = (),
    against: Iterable[Evidence] = (),
    known: Iterable[Evidence] = (),
    absent: Iterable[Evidence] = (),
    unknown: Iterable[Evidence] = (),
    doubts: Iterable[Evidence] = (),
    sure: bool = True,
    effect: Effect = Effect.PLAIN,
    basis: Basis | None = None,
) -> Verdict:
    """Return what the facts that a rule collected come to; they are listed in the order of the arguments.

    ``why`` asks for the change and decides nothing. ``against`` speaks against it, ``known`` shows that it works, for
    certain where that is ``sure``. ``absent`` says that signs against it were looked for in vain, and is left out where
    there are any. ``unknown`` says that the fact which decides is not known, ``doubts`` what else leaves it open.
    ``basis`` is where the facts come from, where that is not by inference.
    """
    why, against, known, absent, unknown, doubts = map(list, (why, against, known, absent, unknown, doubts))
    if against:
        stand = _Stand.AGAINST
    elif unknown:
        stand = _Stand.UNKNOWN
    elif doubts or not sure:
        stand = _Stand.DOUBTFUL
    elif absent and not known:
        stand = _Stand.NOTHING_FOUND
    else:
        stand = _Stand.SHOWN
    return Verdict(
        worst(_BY_FACTS[stand], _BY_EFFECT[effect]),
        basis or _basis(against or known, absent or unknown, doubts),
        [*why, *against, *known, *([] if against else absent), *unknown, *doubts],
    )


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on what is made only together: the least sure of ``verdicts``, with the facts of all."""
    several = list(verdicts)
    # Of facts that read the same the first is enough.
    facts = {fact.text: fact for each in reversed(several) for fact in reversed(each.evidence)}
    return Verdict(
        worst(Grade.SAFE, *[each.grade for each in several]),
        max([each.basis for each in several], key=list(Basis).index, default=Basis.PROVED),
        list(reversed(facts.values())),
    )


def worst(*grades: Grade) -> Grade:
    """Return the least sure of ``grades``, which is that of everything that is made only together."""
    return max(grades, key=attrgetter("rank"))


def _basis(decisive: list[Evidence], missing: list[Evidence], doubts: list[Evidence]) -> Basis:
    """Return how the facts are known: what rests on none that decides, or on one that is missing, is assumed."""
    if decisive or (doubts and not missing):
        return Basis.INFERRED
    return Basis.ASSUMED
