"""The rules of a direction: connections put together, and none of them lost; and which peers stand beside a policy."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring.edits import Evidence
from hardener.facts.network.connections import Port
from hardener.tree.tree import Settings, Tree

from .conftest import DEPLOYMENT, write

Rules = import_module("hardener.transforms.network._rules").Rules
peers = import_module("hardener.transforms.network._peers")
cluster_dns = import_module("hardener.transforms.network._dns").cluster_dns
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


@pytest.mark.parametrize(
    ("builds", "same"),
    [
        pytest.param({"one": "[../a, ../b]"}, True, id="one build"),
        pytest.param({"one": "[../a, ../b]", "two": "[../a, ../b]"}, True, id="two builds of both"),
        pytest.param({"one": "[../a]", "two": "[../b]"}, False, id="two builds"),
        pytest.param({"one": "[../a, ../b]", "two": "[../a]"}, False, id="a build of both, and one of the first"),
        pytest.param({"one": "[../a, ../b]", "two": "[../b]"}, False, id="a build of both, and one of the second"),
    ],
)
def test_a_peer_is_in_the_same_namespace_where_every_build_says_so(
    builds: dict[str, str], same: bool, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        text = DEPLOYMENT.replace("name: web", f"name: {name}", 1)
        write(tmp_path / name, {"web.yaml": text, "kustomization.yaml": "resources: [web.yaml]\n"})
    for namespace, resources in builds.items():
        write(tmp_path / namespace, {"kustomization.yaml": f"namespace: {namespace}\nresources: {resources}\n"})
    first, second = (pod.object for pod in Tree.read([str(tmp_path)], root=str(tmp_path)).pod_templates)
    assert peers.same_namespace(first, second) is same
    assert peers.same_namespace(second, first) is same


SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {selector: SELECTOR}\n"


@pytest.mark.parametrize(
    ("selector", "written"),
    [
        ("{app: api}", {"app": "api"}),
        ("{app: api, pod-template-hash: 7d9f8b6c5}", {"app": "api"}),
        ("{pod-template-hash: 7d9f8b6c5}", {"pod-template-hash": "7d9f8b6c5"}),
        ('"${SELECTOR}"', None),
    ],
)
def test_pods_behind_a_service_are_those_that_it_selects(selector: str, written: dict[str, str] | None) -> None:
    tree = Tree.from_text(f"{DEPLOYMENT}---\n{SERVICE.replace('SELECTOR', selector)}")
    (pod,), (service,) = tree.pod_templates, tree.of("", "Service")
    found = peers.behind(pod, service)
    assert found == {"podSelector": {} if written is None else {"matchLabels": written}}


@pytest.mark.parametrize(
    ("platform", "text", "ports", "namespaces"),
    [
        (None, DEPLOYMENT, {53}, {"kube-system"}),
        ("eks", DEPLOYMENT, {53}, {"kube-system"}),
        ("eks", "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: a}\n", {53}, {"kube-system"}),
        ("openshift", DEPLOYMENT, {5353}, {"openshift-dns"}),
    ],
)
def test_the_dns_of_a_platform(platform: str | None, text: str, ports: set[int], namespaces: set[str]) -> None:
    found, listening = cluster_dns(Tree.from_text(text, settings=Settings(platform=platform)))
    named = [each["namespaceSelector"]["matchExpressions"][0] for each in found if "namespaceSelector" in each]
    assert {port.port for port in listening} == ports
    assert {value for one in named for value in one["values"]} == namespaces
