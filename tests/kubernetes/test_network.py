"""Many pods under many policies: the index says what asking for every pair says, at a cost that grows with the pods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.kubernetes.network.network_policy import ANYWHERE, NAMESPACE_LABEL, Pod, Policy, judge, parse
from hardener.kubernetes.network.reachability import Network

KEYS, VALUES, NAMESPACES, NAMES = ("a", "b"), ("1", "2"), ("x", "y", "z"), ("http", "dns")
NUMBERS = (53, 80, 8080, 9090)
PROTOCOLS = ("TCP", "UDP")


def open_pairs(network: Network) -> int:
    """How many ordered pairs of different pods can talk on some port."""
    return sum(network.sources(number).bit_count() for number in network.pods)


def mapping(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of those keys whose strategy gives no None."""
    return st.fixed_dictionaries(parts).map(lambda found: {k: v for k, v in found.items() if v is not None})


LABELS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2)
EXPRESSIONS = mapping(
    key=st.sampled_from(KEYS),
    operator=st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    values=st.lists(st.sampled_from(VALUES), unique=True, max_size=2),
)


def some(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(items, max_size=2)


SELECTORS = mapping(matchLabels=st.none() | LABELS, matchExpressions=st.none() | st.lists(EXPRESSIONS, max_size=1))
NAMESPACE_SELECTORS = SELECTORS | st.sampled_from([{"matchLabels": {NAMESPACE_LABEL: name}} for name in NAMESPACES])
BLOCKS = st.sampled_from(
    [{"cidr": "0.0.0.0/0"}, {"cidr": "10.0.0.0/8"}, {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}]
)
PEERS = (
    mapping(podSelector=SELECTORS)
    | mapping(podSelector=st.none() | SELECTORS, namespaceSelector=NAMESPACE_SELECTORS)
    | mapping(ipBlock=BLOCKS)
)
PORTS = mapping(
    port=st.none() | st.sampled_from([*NUMBERS, *NAMES]), protocol=st.none() | st.sampled_from(PROTOCOLS)
) | mapping(port=st.sampled_from(NUMBERS), endPort=st.sampled_from(NUMBERS))
SPECS = mapping(
    podSelector=SELECTORS,
    policyTypes=st.none() | st.lists(st.sampled_from(["Ingress", "Egress"]), unique=True),
    ingress=some(mapping(**{"from": some(PEERS), "ports": some(PORTS)})),
    egress=some(mapping(to=some(PEERS), ports=some(PORTS))),
)
POLICIES = st.builds(lambda spec, namespace: parse({"spec": spec}, namespace), SPECS, st.sampled_from(NAMESPACES))
NAMED = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(PROTOCOLS))), max_size=2
)


@st.composite
def pods(draw: st.DrawFn) -> dict[int, Pod]:
    labels = {name: {NAMESPACE_LABEL: name, **draw(LABELS)} for name in NAMESPACES}
    found = {}
    for number in draw(st.lists(st.integers(0, 20), unique=True, max_size=6)):
        name = draw(st.sampled_from(NAMESPACES))
        found[number] = Pod(name, draw(LABELS), labels[name], draw(NAMED), draw(st.integers(0, 5)) == 0)
    return found


def ports_in_use() -> Iterable[tuple[int, str]]:
    """Ports between which no rule of the strategies tells a difference."""
    for protocol in (*PROTOCOLS, "SCTP"):
        yield from ((number, protocol) for number in (1, *NUMBERS, 60, 100, 9000, 10000))


@pytest.mark.slow
@settings(max_examples=400)
@given(pods(), st.lists(POLICIES, max_size=5), st.booleans())
def test_many_pods_at_once_are_as_each_pair(
    found: dict[int, Pod], drawn: list[Policy | None], blocks_cover_pods: bool
) -> None:
    rules = [policy for policy in drawn if policy is not None]
    network = Network(found, rules, blocks_cover_pods=blocks_cover_pods)
    pairs = 0
    for number, server in found.items():
        expected = {
            other
            for other, client in found.items()
            if other != number
            and any(
                judge(rules, client, server, port, protocol, blocks_cover_pods=blocks_cover_pods).allowed
                for port, protocol in ports_in_use()
            )
        }
        sources = network.sources(number)
        assert {other for other in range(sources.bit_length()) if sources >> other & 1} == expected
        pairs += len(expected)
        own = network.policies_of(number)
        for client in found.values():
            assert judge(own, client, server, 80).ingress.open == judge(rules, client, server, 80).ingress.open
        assert network.is_isolated(number, "ingress") == judge(rules, ANYWHERE, server, 80).ingress.isolated
    assert open_pairs(network) == pairs


class _Counted(dict[str, str]):
    """Labels that count how often a condition is looked up in them."""

    looked_up = 0

    def get(self, *arguments: Any) -> Any:
        _Counted.looked_up += 1
        return super().get(*arguments)


def shop(size: int) -> tuple[dict[int, Pod], list[Policy]]:
    """As many workloads in one namespace, each with a policy: who may reach it, and where it may go."""
    pods = {n: Pod("shop", _Counted({"app": f"a{n}", "part-of": "shop"}), {}) for n in range(size)}
    rules = []
    for n in range(size):
        spec = {
            "podSelector": {"matchLabels": {"part-of": "shop", "app": f"a{n}"}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": f"a{(n + 1) % size}"}}}]}],
            "egress": [
                {"to": [{"podSelector": {"matchLabels": {"part-of": "shop", "app": f"a{(n - 1) % size}"}}}]},
                {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]},
            ],
        }
        policy = parse({"spec": spec}, "shop")
        assert policy is not None
        rules.append(policy)
    return pods, rules


def test_the_work_grows_with_the_pods_and_not_with_the_pairs() -> None:
    work = []
    for size in (100, 1000):
        _Counted.looked_up = 0
        assert open_pairs(Network(*shop(size))) == size
        work.append(_Counted.looked_up)
    assert work[1] <= 11 * work[0]
