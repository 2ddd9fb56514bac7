"""Every promise about grades, by table: docs/grades.md for users, docs/design/grades.md for authors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hardener.authoring.edits import Basis, Evidence, Grade
from hardener.authoring.verdict import Effect, Verdict, together, verdict, worst

WHY, AGAINST, KNOWN, ABSENT, UNKNOWN, DOUBT = (
    Evidence(text)
    for text in (
        "the manifest says root",
        "it runs mount",
        "its user is 1000",
        "nothing in the manifest shows a need for it",
        "the user of its image is not known",
        "an agent of the node",
    )
)

GRADES: list[tuple[str, dict[str, Any], Grade]] = [
    ("the manifest, or what is known of the image, shows that it works", {"known": [KNOWN]}, Grade.SAFE),
    ("what is known is not sure enough", {"known": [KNOWN], "sure": False}, Grade.REVIEW),
    ("what decides is not known, and a guess is made by nobody who does not ask", {"unknown": [UNKNOWN]}, Grade.GUESS),
    ("what decides is not known, whatever else is", {"known": [KNOWN], "unknown": [UNKNOWN]}, Grade.GUESS),
    (
        "what decides is not known, and a fact speaks against it",
        {"unknown": [UNKNOWN], "against": [AGAINST]},
        Grade.BREAKING,
    ),
    ("doubt without evidence is review", {"known": [KNOWN], "doubts": [DOUBT]}, Grade.REVIEW),
    ("signs of a need were looked for in vain", {"absent": [ABSENT]}, Grade.REVIEW),
    ("a sign of a need holds a weak value", {"absent": [ABSENT], "against": [AGAINST]}, Grade.BREAKING),
    ("one fact against it outweighs all others", {"known": [KNOWN], "against": [AGAINST]}, Grade.BREAKING),
    ("the point of the tool, and all the same one to look at", {"why": [WHY], "effect": Effect.WATCHED}, Grade.REVIEW),
    ("a watched effect is no reason to make it", {"against": [AGAINST], "effect": Effect.WATCHED}, Grade.BREAKING),
    ("beyond the tree and beyond a revert, whatever else", {"known": [KNOWN], "effect": Effect.BEYOND}, Grade.BREAKING),
    ("what asks for a change decides nothing", {"why": [WHY], "known": [KNOWN]}, Grade.SAFE),
]

BASES: list[tuple[str, dict[str, Any], Basis]] = [
    ("what an image is known by is inferred", {"known": [KNOWN]}, Basis.INFERRED),
    ("what the tree or the lock says is proved", {"known": [KNOWN], "basis": Basis.PROVED}, Basis.PROVED),
    ("nothing found is an assumption", {"absent": [ABSENT]}, Basis.ASSUMED),
    ("nothing known is an assumption", {"unknown": [UNKNOWN]}, Basis.ASSUMED),
    ("a doubt does not make it less of one", {"absent": [ABSENT], "doubts": [DOUBT]}, Basis.ASSUMED),
    ("a sign is an inference", {"absent": [ABSENT], "against": [AGAINST]}, Basis.INFERRED),
    ("what asks for a change is no ground for it", {"why": [WHY], "effect": Effect.WATCHED}, Basis.ASSUMED),
    ("no fact at all is a default of harden", {}, Basis.ASSUMED),
]

ORDERS: list[tuple[str, dict[str, Any], list[Evidence]]] = [
    ("facts against come before those for it", {"known": [KNOWN], "against": [AGAINST]}, [AGAINST, KNOWN]),
    ("doubts come last", {"doubts": [DOUBT], "unknown": [UNKNOWN], "known": [KNOWN]}, [KNOWN, UNKNOWN, DOUBT]),
    ("what asks for the change comes first", {"against": [AGAINST], "why": [WHY]}, [WHY, AGAINST]),
    ("nobody says that nothing was found where something was", {"absent": [ABSENT], "against": [AGAINST]}, [AGAINST]),
    ("nothing was found, and that is said", {"absent": [ABSENT], "doubts": [DOUBT]}, [ABSENT, DOUBT]),
]


def _named(table: list[tuple[str, dict[str, Any], Any]]) -> list[Any]:
    return [pytest.param(facts, wanted, id=promise) for promise, facts, wanted in table]


@pytest.mark.parametrize(("facts", "grade"), _named(GRADES))
def test_the_facts_make_the_grade(facts: dict[str, Any], grade: Grade) -> None:
    assert verdict(**facts).grade is grade


@pytest.mark.parametrize(("facts", "basis"), _named(BASES))
def test_the_facts_make_the_basis(facts: dict[str, Any], basis: Basis) -> None:
    assert verdict(**facts).basis is basis


@pytest.mark.parametrize(("facts", "evidence"), _named(ORDERS))
def test_the_facts_stand_in_their_order(facts: dict[str, Any], evidence: list[Evidence]) -> None:
    assert verdict(**facts).evidence == evidence


@pytest.mark.parametrize("effect", Effect)
def test_nothing_that_speaks_against_a_change_is_outweighed(effect: Effect) -> None:
    found = verdict(why=[WHY], known=[KNOWN], absent=[ABSENT], doubts=[DOUBT], against=[AGAINST], effect=effect)
    assert found.breaks and AGAINST in found.evidence


def test_a_fact_more_never_makes_a_change_surer() -> None:
    starts: list[dict[str, Any]] = [{"known": [KNOWN]}, {"known": [KNOWN], "doubts": [DOUBT]}, {"absent": [ABSENT]}]
    additions: list[dict[str, Any]] = [{"against": [AGAINST]}, {"unknown": [UNKNOWN]}, {"doubts": [DOUBT]}]
    for facts in starts:
        for more in additions:
            before, after = verdict(**facts), verdict(**{**facts, **more})
            assert worst(before.grade, after.grade) is after.grade


def test_what_goes_along_with_a_change_has_its_grade_and_a_reason_of_its_own() -> None:
    held = verdict(against=[AGAINST])
    assert held.along(KNOWN) == Verdict(Grade.BREAKING, Basis.PROVED, [KNOWN])


def test_what_is_made_only_together_is_as_sure_as_the_worst_of_it() -> None:
    assert worst(Grade.SAFE, Grade.BREAKING, Grade.REVIEW) is Grade.BREAKING
    sure, assumed = verdict(known=[KNOWN, WHY], basis=Basis.PROVED), verdict(absent=[ABSENT])
    assert together([sure, assumed, sure]) == Verdict(Grade.REVIEW, Basis.ASSUMED, [ABSENT, KNOWN, WHY])
    assert together([]) == Verdict(Grade.SAFE, Basis.PROVED, [])


def test_every_change_of_every_golden_case_names_its_evidence() -> None:
    records = [
        (str(file.parent), line)
        for file in sorted((Path(__file__).parents[1] / "golden").rglob("findings.txt"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith(("applied ", "held "))
    ]
    assert len({line.split()[1] for _, line in records}) > 100  # transforms
    assert [each for each in records if ": " not in each[1]] == []
