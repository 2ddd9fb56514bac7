"""Whole runs over audit policies: what comes out has every property, keeps every rule, and is left alone after that."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.authoring import profile
from hardener.authoring.registry import transforms
from hardener.engine import pipeline
from hardener.kubernetes.audit.properties import PROPERTIES, omitting, violations
from hardener.kubernetes.audit.rules import STRENGTHS, policy_text
from hardener.kubernetes.audit.validity import problems
from hardener.tree.tree import Tree
from tests.conftest import shared
from tests.kubernetes.test_audit_policy import HOSTILE, RULES, Policy

LOGGING = frozenset(id for id, each in transforms().items() if each.stage == "logging")
HEAD = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy"}


def run(text: str, name: str = "restricted") -> str:
    """``text`` as it comes out; no change may be refused."""
    outcome = pipeline.run(Tree.from_text(text), profile.load(name), only=LOGGING)
    assert not outcome.refused
    return outcome.files[0].text if outcome.files else text


def check(policy: Policy, text: str) -> None:
    after = run(text)
    found = yaml.safe_load(after)
    for item in PROPERTIES[:-1]:
        assert not violations(found, item), item.name
    assert all(violation.verdict.rule is not None for violation in violations(found, PROPERTIES[-1]))
    assert not omitting(found)
    kept = iter(found["rules"])
    assert all(any(_same(rule, other) for other in kept) for rule in policy["rules"])
    assert run(after) == after


def _same(rule: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether a rule came through; of its stages, the start of an answer may be there again."""
    one, two = copy.deepcopy(rule), copy.deepcopy(other)
    stages, left = one.pop("omitStages", []), two.pop("omitStages", [])
    return one == two and set(stages) - set(left) <= {"ResponseStarted"} and set(left) <= set(stages)


@pytest.mark.parametrize("style", ["block", "flow", "json"])
@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.slow
def test_a_hostile_policy_comes_out_whole(case: str, style: str) -> None:
    policy = HEAD | HOSTILE[case][0]
    text = (
        json.dumps(policy, indent=2)
        if style == "json"
        else yaml.safe_dump(policy, sort_keys=False, default_flow_style=None if style == "flow" else False, width=1000)
    )
    check(policy, text)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(RULES, max_size=4), st.sampled_from([[], ["RequestReceived"], ["ResponseStarted"]]))
def test_any_policy_comes_out_whole(rules: list[Policy], stages: list[str]) -> None:
    policy = HEAD | ({"omitStages": stages} if stages else {}) | {"rules": rules}
    text = yaml.safe_dump(policy, sort_keys=False)
    if any(problems(policy, (1, 36))):
        assert run(text) == text  # what it says, nobody knows
    else:
        check(policy, text)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_policy_of_ours_is_left_alone(strength: str) -> None:
    text = policy_text(strength)
    assert run(text, strength) == text


def test_the_policy_of_the_guide_gets_what_it_lacks_and_keeps_its_comments() -> None:
    before = shared("seed", "k10-secure.yaml").read_text()
    after = run(before)
    found = yaml.safe_load(after)
    assert not [item.name for item in PROPERTIES if violations(found, item)]
    assert found["omitStages"] == ["RequestReceived"]
    assert len(found["rules"]) == len(yaml.safe_load(before)["rules"]) + 3
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
