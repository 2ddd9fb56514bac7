"""Which rule of an audit policy decides: truth tables made by hand from checker.go; properties, and their repair."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.kubernetes.audit.blind_spots import blind_spots
from hardener.kubernetes.audit.policy import LEVELS, Request, evaluate, matches
from hardener.kubernetes.audit.properties import (
    PROPERTIES,
    is_component,
    is_leak,
    omitting,
    place,
    shadowed,
    violations,
)
from hardener.kubernetes.audit.rules import DEFAULT, SECRETS, STRENGTHS, policy_text
from hardener.kubernetes.audit.rules import policy as canonical_policy
from hardener.kubernetes.audit.validity import problems
from tests.conftest import shared

Policy = dict[str, Any]


def core(*resources: str, **more: Any) -> dict[str, Any]:
    return {"resources": [{"group": "", "resources": list(resources)} | more]}


GET_POD = Request("get", "pods", namespace="shop", name="web")
EXEC = Request("create", "pods/exec", namespace="shop", name="web")
ROLE = Request("update", "clusterroles", "rbac.authorization.k8s.io", name="view")
HEALTH = Request("get", path="/healthz/ping")
ACCOUNT = Request(
    "list", "secrets", namespace="shop", user="system:serviceaccount:shop:app",
    groups=("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"),
)  # fmt: skip

# rule, request, whether it matches
TRUTH = [
    ({}, GET_POD, True),
    ({}, HEALTH, True),
    ({"users": ["alice"]}, GET_POD, True),
    ({"users": ["bob"]}, GET_POD, False),
    ({"users": ["bob", "alice"], "userGroups": ["nobody"]}, GET_POD, False),
    ({"users": []}, GET_POD, True),
    ({"userGroups": ["system:authenticated"]}, GET_POD, True),
    ({"userGroups": ["x", "system:serviceaccounts:shop"]}, ACCOUNT, True),
    ({"userGroups": ["system:serviceaccounts:other"]}, ACCOUNT, False),
    ({"verbs": ["get"]}, GET_POD, True),
    ({"verbs": ["list"]}, GET_POD, False),
    ({"verbs": ["get"]}, HEALTH, True),
    ({"verbs": ["*"]}, GET_POD, False),  # a verb has no wildcard
    ({"namespaces": ["shop"]}, GET_POD, True),
    ({"namespaces": ["other"]}, GET_POD, False),
    ({"namespaces": ["shop"]}, HEALTH, False),
    ({"namespaces": [""]}, ROLE, True),
    ({"namespaces": ["shop"]}, ROLE, False),
    (core("pods"), GET_POD, True),
    (core("pods"), EXEC, False),
    (core("pods"), HEALTH, False),
    (core("pods/exec"), EXEC, True),
    (core("pods/exec"), GET_POD, False),
    (core("*"), GET_POD, True),
    (core("*"), EXEC, True),
    (core("*/exec"), EXEC, True),
    (core("*/exec"), GET_POD, False),
    (core("*/log"), EXEC, False),
    (core("pods/*"), EXEC, True),
    (core("pods/*"), GET_POD, True),
    (core("services/*"), GET_POD, False),
    (core("*"), ROLE, False),
    ({"resources": [{"group": ""}]}, GET_POD, True),
    ({"resources": [{}]}, GET_POD, True),
    ({"resources": [{"group": "rbac.authorization.k8s.io"}]}, ROLE, True),
    ({"resources": [{"group": "apps"}]}, ROLE, False),
    ({"resources": [{"group": "*"}]}, ROLE, True),
    ({"resources": [{"group": "*", "resources": ["pods"]}]}, GET_POD, True),
    ({"resources": [{"group": "*", "resources": ["pods"]}]}, ROLE, False),
    ({"resources": [{"group": "apps"}, {"group": ""}]}, GET_POD, True),
    (core("pods", resourceNames=["web"]), GET_POD, True),
    (core("pods", resourceNames=["db"]), GET_POD, False),
    (core("*", resourceNames=["web"]), EXEC, True),
    (core("pods", resourceNames=["web"]), Request("list", "pods", namespace="shop"), False),
    ({**core("pods"), "namespaces": ["other"]}, GET_POD, False),
    ({"nonResourceURLs": ["*"]}, HEALTH, True),
    ({"nonResourceURLs": ["/healthz*"]}, HEALTH, True),
    ({"nonResourceURLs": ["/healthz/*"]}, HEALTH, True),
    ({"nonResourceURLs": ["/healthz"]}, HEALTH, False),
    ({"nonResourceURLs": ["/healthz/ping"]}, HEALTH, True),
    ({"nonResourceURLs": ["*"]}, GET_POD, False),
    ({"nonResourceURLs": ["*"], "resources": []}, HEALTH, True),
]


@pytest.mark.parametrize(("rule", "request_", "wanted"), TRUTH)
def test_a_rule_matches(rule: Policy, request_: Request, wanted: bool) -> None:
    assert matches(rule, request_) is wanted


def test_the_first_rule_that_matches_decides() -> None:
    policy = {
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "Metadata", **core("secrets"), "omitStages": ["ResponseStarted"]},
            {"level": "Request", "verbs": ["list"]},
            {"level": "None", "nonResourceURLs": ["/healthz*"]},
        ],
    }
    table = [
        (Request("list", "secrets"), "Metadata", {"RequestReceived", "ResponseStarted"}, 0),
        (Request("list", "pods"), "Request", {"RequestReceived"}, 1),
        (HEALTH, "None", {"RequestReceived"}, 2),
        (Request("get", "pods"), "None", {"RequestReceived"}, None),
    ]
    for request, level, omitted, rule in table:
        verdict = evaluate(policy, request)
        assert (verdict.level, set(verdict.omitted), verdict.rule) == (level, omitted, rule), request


def test_of_an_empty_policy_nothing_is_recorded() -> None:
    assert evaluate({}, GET_POD).level == "None"


VALIDITY = [
    ({"level": "Metadata"}, []),
    ({}, ["has no level"]),
    ({"level": "All"}, ["the level 'All'"]),
    ({"level": "Metadata", "nonResourceURLs": ["/a*", "*"]}, []),
    ({"level": "Metadata", "nonResourceURLs": ["healthz"]}, ["does not begin with /"]),
    ({"level": "Metadata", "nonResourceURLs": ["/a*b"]}, ["not its last character"]),
    ({"level": "Metadata", "nonResourceURLs": ["/a"], "namespaces": ["x"]}, ["the one or the other"]),
    ({"level": "Metadata", "nonResourceURLs": ["/a"], "resources": [{"group": ""}]}, ["the one or the other"]),
    ({"level": "Metadata", "resources": [{"group": "apps/v1"}]}, ["without its version"]),
    ({"level": "Metadata", "resources": [{"group": "Apps"}]}, ["no API group"]),
    ({"level": "Metadata", "resources": [{"group": "*"}]}, ["from 1.36 on"]),
    ({"level": "Metadata", "resources": [{"group": "", "resourceNames": ["x"]}]}, ["names objects of no resource"]),
    ({"level": "Metadata", "omitStages": ["Never"]}, ["none of RequestReceived"]),
    ({"level": "Metadata", "verbs": "get"}, ["is no list"]),
    (None, ["is no rule"]),
]


@pytest.mark.parametrize(("rule", "wanted"), VALIDITY)
def test_what_a_server_does_not_start_with(rule: Policy | None, wanted: list[str]) -> None:
    found = [text for _, text in problems({"rules": [rule]}, (1, 35))]
    assert len(found) == len(wanted)
    for text, part in zip(found, wanted, strict=True):
        assert part in text


def test_a_wildcard_group_is_valid_from_1_36_on() -> None:
    assert not list(problems({"rules": [{"level": "Metadata", "resources": [{"group": "*"}]}]}, (1, 36)))


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_policy_of_ours_is_valid_and_has_every_property_it_claims(strength: str) -> None:
    policy = yaml.safe_load(policy_text(strength))
    assert policy == canonical_policy(strength)
    assert not list(problems(policy, (1, 30)))
    failing = {item.name for item in PROPERTIES if violations(policy, item)}
    assert failing == ({"pods"} if strength == "baseline" else set())
    assert not omitting(policy)


def test_the_policy_of_the_guide_lacks_what_the_design_says() -> None:
    policy = yaml.safe_load(shared("seed", "k10-secure.yaml").read_text())
    assert {item.name for item in PROPERTIES if violations(policy, item)} == {"exec", "pods", "admission"}
    (lacking,) = {v.request.resource for v in violations(policy, PROPERTIES[2])}
    assert lacking == "pods/ephemeralcontainers"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("alice", False), ("system:masters", False), ("system:serviceaccount:shop:app", False),
        ("system:authenticated", False), ("system:anonymous", False), ("system:kube-proxy", True),
        ("system:nodes", True), ("system:serviceaccount:kube-system:namespace-controller", True),
    ],
)  # fmt: skip
def test_what_is_a_part_of_the_cluster(name: str, wanted: bool) -> None:
    assert is_component(name) is wanted


def repaired(policy: Policy) -> tuple[Policy, int]:
    """``policy`` with one rule for each property that does not hold, and how many these are."""
    found = copy.deepcopy(policy)
    rules = found.setdefault("rules", [])
    count = 0
    for item in PROPERTIES:
        lacking = violations(found, item)
        if item.name == "default":
            if any(violation.verdict.rule is None for violation in lacking):
                rules.append(copy.deepcopy(item.rule))
                count += 1
        elif lacking:
            index = place(lacking)
            rules.insert(len(rules) if index is None else index, copy.deepcopy(item.rule))
            count += 1
    return found, count


HOSTILE: dict[str, tuple[Policy, int]] = {
    "no rules": ({"rules": []}, 6),
    "everything whole": ({"rules": [{"level": "RequestResponse"}]}, 1),
    "everything as metadata": ({"rules": [{"level": "Metadata"}]}, 4),
    "nothing of accounts": (
        {"rules": [{"level": "None", "userGroups": ["system:serviceaccounts"]}, {"level": "Metadata"}]}, 5,
    ),
    "nothing of secrets": (
        {"rules": [{"level": "None", **core("secrets")}, {"level": "RequestResponse"}]}, 1,
    ),
    "only rights": (
        {"rules": [{"level": "RequestResponse", "resources": [{"group": "rbac.authorization.k8s.io"}]}]}, 5,
    ),
    "nothing in one namespace": (
        {"rules": [{"level": "None", "namespaces": ["dark"]}, {"level": "RequestResponse"}]}, 4,
    ),
    "nothing of one person": ({"rules": [{"level": "None", "users": ["mallory"]}, {"level": "RequestResponse"}]}, 5),
    "one secret whole": (
        {"rules": [{"level": "Request", **core("secrets", resourceNames=["key"])}, {"level": "RequestResponse"}]}, 1,
    ),
    "the proxy is quiet": (
        {"rules": [{"level": "None", "users": ["system:kube-proxy"]}, SECRETS, {"level": "RequestResponse"}]}, 0,
    ),
    "the proxy is too loud": (
        {"rules": [{"level": "Request", "users": ["system:kube-proxy"]}, SECRETS, {"level": "RequestResponse"}]}, 1,
    ),
    "rights after a rule for writes": (
        {"rules": [{"level": "Metadata", "verbs": ["create"]}, SECRETS, {"level": "RequestResponse"}]}, 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_one_pass_repairs_a_hostile_policy(case: str) -> None:
    policy, wanted = HOSTILE[case]
    found, count = repaired(policy)
    left = {item.name: lacking for item in PROPERTIES if (lacking := violations(found, item))}
    assert left.keys() <= {"default"}
    assert all(violation.verdict.rule is not None for violation in left.get("default", []))
    assert (count, repaired(found)) == (wanted, (found, 0))


def test_a_rule_that_records_nothing_by_intent_is_said() -> None:
    policy = {"rules": [DEFAULT | {"level": "None", "resources": [{"group": "apps"}]}, {"level": "RequestResponse"}]}
    assert shadowed(violations(policy, PROPERTIES[-1])) == [0]


@pytest.mark.parametrize(("level", "leak"), [("Request", True), ("RequestResponse", True), ("None", False)])
def test_a_body_that_is_recorded_is_a_leak(level: str, leak: bool) -> None:
    assert {is_leak(violation) for violation in violations({"rules": [{"level": level}]}, PROPERTIES[0])} == {leak}


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ([{"level": "Metadata"}], []),
        ([{"level": "None", **core("events")}, {"level": "Metadata"}], ["every verb on events"]),
        (
            [{"level": "None", "verbs": ["list", "watch"], "resources": [{"group": "apps"}]}, {"level": "Metadata"}],
            ["list, watch deployments.apps", "list, watch statefulsets.apps"],
        ),
        ([{"level": "None", "userGroups": ["system:serviceaccounts:other"]}, {"level": "Metadata"}], []),
    ],
)
def test_what_a_log_cannot_show_of_an_account(rules: list[Policy], wanted: list[str]) -> None:
    assert blind_spots({"rules": rules}, "shop", "app") == wanted


NAMES = st.sampled_from(
    ["alice", "mallory", "system:kube-proxy", "system:serviceaccount:shop:app", "system:node:node-1"]
)
GROUPS = st.sampled_from(["system:authenticated", "system:serviceaccounts", "system:nodes", "system:masters", "dev"])
RESOURCES = st.sampled_from(
    ["*", "pods", "pods/*", "*/exec", "pods/exec", "secrets", "configmaps", "serviceaccounts/*", "roles", "deployments"]
)
API_GROUPS = st.sampled_from(["", "*", "apps", "rbac.authorization.k8s.io", "admissionregistration.k8s.io"])


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, max_size=2, unique=True)


RULES = st.fixed_dictionaries(
    {"level": st.sampled_from(LEVELS)},
    optional={
        "users": some(NAMES),
        "userGroups": some(GROUPS),
        "verbs": some(st.sampled_from(["get", "list", "create", "update", "patch", "delete", "deletecollection"])),
        "namespaces": some(st.sampled_from(["", "shop", "dark", "kube-system"])),
        "resources": st.lists(
            st.fixed_dictionaries(
                {"group": API_GROUPS},
                optional={"resources": some(RESOURCES), "resourceNames": some(st.sampled_from(["thing", "key"]))},
            ),
            max_size=2,
        ),
        "omitStages": some(st.sampled_from(["RequestReceived", "ResponseStarted"])),
    },
)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(RULES, max_size=5))
def test_one_pass_repairs_any_policy(rules: list[Policy]) -> None:
    found, _ = repaired({"rules": rules})
    for item in PROPERTIES[:-1]:
        assert not violations(found, item), item.name
    assert not any(violation.verdict.rule is None for violation in violations(found, PROPERTIES[-1]))
    assert repaired(found) == (found, 0)
    kept = iter(found["rules"])
    assert all(any(rule == other for other in kept) for rule in rules)  # none is changed, none moves
