"""The rules of a direction: connections put together, and none of them lost."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from hardener.authoring.edits import Evidence
from hardener.facts.network.connections import Port

Rules = import_module("hardener.transforms.network._rules").Rules
HTTP, METRICS, DNS = Port(80), Port(9090), Port(53, "UDP")
A, B = {"podSelector": {"matchLabels": {"app": "a"}}}, {"podSelector": {"matchLabels": {"app": "b"}}}

Said = tuple[list[dict[str, Any]], tuple[Port, ...], bool]  # peers, ports, whether apart


def finished(*said: Said) -> set[tuple[str, tuple[int | str, ...]]]:
    """Peer and ports of each rule that is written for what is ``said``."""
    rules = Rules("ingress")
    for number, (peers, ports, apart) in enumerate(said):
        rules.allow(peers, ports, [Evidence(f"fact {number}")], apart=apart)
    return {
        (peer["podSelector"]["matchLabels"]["app"], tuple(port["port"] for port in rule.value.get("ports", ())))
        for rule in rules.finished()
        for peer in rule.value["from"]
    }


@pytest.mark.parametrize(
    ("said", "written"),
    [
        pytest.param([([A], (HTTP,), False)], {("a", (80,))}, id="one"),
        pytest.param(
            [([A], (HTTP,), False), ([A], (HTTP, METRICS), False)], {("a", (80, 9090))}, id="one with more ports"
        ),
        pytest.param([([A], (HTTP,), False), ([A], (), False)], {("a", ())}, id="one with all ports"),
        pytest.param([([A], (), False), ([A], (HTTP,), False)], {("a", ())}, id="all ports, then one"),
        pytest.param(
            [([A], (HTTP,), False), ([A], (METRICS, DNS), False)],
            {("a", (80,)), ("a", (9090, 53))},
            id="more ports, others",
        ),
        pytest.param(
            [([A], (HTTP, METRICS), False), ([A], (HTTP, DNS, Port(443)), False)],
            {("a", (80, 9090)), ("a", (80, 53, 443))},
            id="more ports, some of them",
        ),
        pytest.param(
            [([A], (HTTP, METRICS), False), ([A], (METRICS, HTTP), False)],
            {("a", (80, 9090)), ("a", (9090, 80))},
            id="the same ports in another order",
        ),
        pytest.param(
            [([A], (HTTP,), False), ([B], (HTTP, METRICS), False)], {("a", (80,)), ("b", (80, 9090))}, id="another peer"
        ),
        pytest.param(
            [([A], (HTTP,), False), ([A], (HTTP, METRICS), True)],
            {("a", (80,)), ("a", (80, 9090))},
            id="more ports, said apart",
        ),
        pytest.param([([A], (HTTP,), True), ([A], (), False)], {("a", (80,)), ("a", ())}, id="one port, said apart"),
    ],
)
def test_a_connection_is_left_out_only_where_another_rule_says_it(
    said: list[Said], written: set[tuple[str, tuple[int | str, ...]]]
) -> None:
    assert finished(*said) == written


def test_who_says_more_gets_the_evidence() -> None:
    rules = Rules("egress")
    rules.allow([A], [HTTP], [Evidence("the first")])
    rules.allow([A], [HTTP, METRICS], [Evidence("the second")])
    (rule,) = rules.finished()
    assert [fact.text for fact in rule.evidence] == ["the second", "the first"]
    assert [[fact.text for fact in facts] for facts in rule.by_peer] == [["the second", "the first"]]


@pytest.mark.parametrize(
    ("opened", "ports", "written"),
    [
        ((HTTP,), (HTTP,), [(80,)]),
        ((HTTP,), (HTTP, METRICS), [(80,), (80, 9090)]),
        ((HTTP,), (METRICS,), [(80,), (9090,)]),
        ((HTTP,), (), [(80,), ()]),
        ((), (HTTP,), [()]),
        ((Port("${PORT}"),), (HTTP,), [()]),
        ((HTTP,), (Port("${PORT}"),), [(80,), ()]),
    ],
)
def test_what_anybody_may_do_narrows_nothing(
    opened: tuple[Port, ...], ports: tuple[Port, ...], written: list[tuple[int, ...]]
) -> None:
    rules = Rules("ingress")
    rules.allow_anybody(opened, [])
    rules.allow([A], ports, [])
    found = [tuple(port["port"] for port in rule.value.get("ports", ())) for rule in rules.finished()]
    assert found == written
