"""A change that does not hold with one setting, and holds with another, is one that holds."""

from __future__ import annotations

import pytest

from hardener.observe.results import Failure, Result, otherwise
from hardener.report.observed import Observed, lines_of

ALL, CHOWN = "drop ALL", "add CHOWN"
BECAUSE = "main ends with 1: chown: Operation not permitted"


@pytest.mark.parametrize(
    ("held", "failed", "expected"),
    [
        ({"a": {"caps": {ALL, CHOWN}}}, {"a": {"caps": {ALL}}}, (CHOWN,)),
        ({"a": {"caps": {ALL}}}, {"a": {"caps": {ALL}}}, ()),
        ({}, {"a": {"caps": {ALL}}}, ()),
        ({"a": {"caps": {ALL, CHOWN}}}, {"a": {"caps": {ALL}}, "b": {"caps": {ALL}}}, ()),
        ({"a": {"caps": {ALL, CHOWN}}, "b": {"caps": {ALL}}}, {"a": {"caps": {ALL}}, "b": {"user": {"0"}}}, (CHOWN,)),
    ],
)
def test_settings_that_hold_in_place_of_others(
    held: dict[str, dict[str, set[str]]], failed: dict[str, dict[str, set[str]]], expected: tuple[str, ...]
) -> None:
    assert otherwise("caps", held, failed) == expected


def test_the_report_counts_it_among_those_that_hold() -> None:
    result = Result("Deployment/db", None, "db.yaml", 1, state="held", held=["drop-capabilities"])
    result.failed.append(Failure(("drop-capabilities",), BECAUSE, (CHOWN,)))
    lines = [line.split() for line in lines_of(Observed("podman 5", 5, [result]))]
    assert ["Deployment/db", "yes", "yes", "-", "-", "-"] in lines
    said = f"Deployment/db comes up with drop-capabilities and {CHOWN}; with other settings it does not: {BECAUSE}"
    assert said.split() in lines
