"""Which rules a list lacks, and which of its rules nothing asks for."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.kubernetes.network.policy_rules import missing, unexplained, without


def pods(**labels: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": labels}}


def tcp(*ports: int | str) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


WEB, API = pods(app="web"), pods(app="api")
WEB_AS_EXPRESSION = {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}}

NOTHING_MISSING = {
    "the same": ([{"from": [WEB], "ports": tcp(80)}], [{"from": [WEB], "ports": tcp(80)}]),
    "another order": ([{"from": [API, WEB], "ports": tcp(443, 80)}], [{"from": [WEB, API], "ports": tcp(80, 443)}]),
    "an expression that says the same": ([{"from": [WEB_AS_EXPRESSION]}], [{"from": [WEB]}]),
    "TCP is the default": ([{"from": [WEB], "ports": [{"port": 80}]}], [{"from": [WEB], "ports": tcp(80)}]),
    "open to anybody": ([{"ports": tcp(80)}], [{"from": [WEB], "ports": tcp(80)}]),
    "open to anybody on all ports": ([{}], [{"from": [WEB], "ports": tcp(80)}, {"ports": tcp(9)}, {}]),
    "empty lists are open, too": ([{"from": [], "ports": []}], [{"from": [WEB], "ports": tcp(80)}]),
    "all ports": ([{"from": [WEB]}], [{"from": [WEB], "ports": tcp(80)}]),
    "two rules together": (
        [{"from": [WEB], "ports": tcp(80)}, {"from": [WEB], "ports": tcp(443)}],
        [{"from": [WEB], "ports": tcp(80, 443)}],
    ),
    "a range": ([{"from": [WEB], "ports": [{"port": 8000, "endPort": 9000}]}], [{"from": [WEB], "ports": tcp(8080)}]),
    "nothing wanted": ([], []),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "wanted"), NOTHING_MISSING.values(), ids=NOTHING_MISSING)
def test_what_is_let_through_is_not_missing(rules: Any, wanted: Any) -> None:
    assert missing(rules, wanted, "ingress") == []


def test_a_new_peer_joins_the_rule_with_its_ports() -> None:
    rules = [{"from": [WEB], "ports": tcp(443)}, {"from": [WEB], "ports": tcp(80)}]
    (found,) = missing(rules, [{"from": [WEB, API], "ports": tcp(80)}], "ingress")
    assert (found.into, found.peers, found.ports) == (1, (1,), tuple(tcp(80)))


def test_new_ports_are_a_new_rule() -> None:
    (found,) = missing([{"from": [WEB], "ports": tcp(80)}], [{"from": [WEB], "ports": tcp(80, 443)}], "ingress")
    assert (found.into, found.peers, found.ports) == (None, (0,), tuple(tcp(443)))


def test_what_anybody_may_do_is_a_rule_of_its_own() -> None:
    (found,) = missing([{"from": [WEB], "ports": tcp(80)}], [{"ports": tcp(80)}], "ingress")
    assert (found.into, found.peers, found.ports) == (None, None, tuple(tcp(80)))


@pytest.mark.parametrize("rules", [None, "rules", {}, [None], ["rule"], [[]], [{"from": "web"}], [{"from": ["web"]}]])
def test_rules_that_no_api_server_takes_let_nothing_through(rules: Any) -> None:
    wanted = [{"from": [WEB], "ports": tcp(80)}]
    lacking = missing(rules, wanted, "ingress")
    assert [item.wanted for item in lacking] == ([] if rules == [None] else [0])


EXPLAINED: dict[str, tuple[Any, Any, list[Any]]] = {
    "all of it": ([{"from": [WEB], "ports": tcp(80)}], [{"from": [WEB], "ports": tcp(80)}], []),
    "a peer": ([{"from": [WEB, API], "ports": tcp(80)}], [{"from": [WEB], "ports": tcp(80)}], [(0, "from", 1)]),
    "a rule": ([{"from": [API]}, {"from": [WEB]}], [{"from": [WEB]}], [(0,)]),
    "one port is enough": ([{"from": [WEB], "ports": tcp(80, 81)}], [{"from": [WEB], "ports": tcp(80)}], []),
    "another port": ([{"from": [WEB], "ports": tcp(81)}], [{"from": [WEB], "ports": tcp(80)}], [(0,)]),
    "anybody explains everybody": ([{"from": [WEB], "ports": tcp(80)}], [{"ports": tcp(80)}], []),
    "nobody explains anybody": ([{"ports": tcp(80)}], [{"from": [WEB], "ports": tcp(80)}], [(0,)]),
    "all ports need all ports": ([{"from": [WEB]}], [{"from": [WEB], "ports": tcp(80)}], [(0,)]),
    "what is refused": ([{"from": [{}, WEB]}], [{"from": [WEB]}], [(0, "from", 0)]),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "wanted", "found"), EXPLAINED.values(), ids=EXPLAINED)
def test_what_nothing_explains(rules: Any, wanted: Any, found: list[Any]) -> None:
    assert list(unexplained(rules, wanted, "ingress")) == found


def test_rules_without_some() -> None:
    rules = [{"from": [WEB]}, {"from": [WEB, API], "ports": tcp(80)}]
    assert without(rules, [(0,), (1, "from", 0)]) == [{"from": [API], "ports": tcp(80)}]
    assert rules[1]["from"] == [WEB, API]


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_added_once_nothing_is_missing(direction: Any) -> None:
    key = {"ingress": "from", "egress": "to"}[direction]
    wanted: list[Any] = [{key: [WEB, API], "ports": tcp(80)}, {key: [API]}, {"ports": tcp("http")}]
    rules: list[Any] = [{key: [WEB], "ports": tcp(80)}]
    for item in missing(rules, wanted, direction):
        peers = [wanted[item.wanted][key][number] for number in item.peers or ()]
        if item.into is not None:
            rules[item.into][key] += peers
        else:
            named = {} if item.peers is None else {key: peers}
            rules.append(named | ({"ports": list(item.ports)} if item.ports else {}))
    assert missing(rules, wanted, direction) == []
    assert list(unexplained(rules, wanted, direction)) == []
