"""What NetworkPolicies let through: the words of the API and the recipes of the documentation.

The recipes are those of the concept page "Network Policies" and of ahmetb/kubernetes-network-policy-recipes.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from hardener.kubernetes.network.network_policy import (
    ANYWHERE,
    NAMESPACE_LABEL,
    Address,
    Direction,
    Pod,
    Policy,
    Ports,
    RulePorts,
    Spans,
    judge,
    lets_all,
    meet,
    parse,
)

LABELS_OF = {
    "shop": {NAMESPACE_LABEL: "shop", "team": "shop"},
    "ops": {NAMESPACE_LABEL: "ops", "team": "ops", "purpose": "monitoring"},
    "kube-system": {NAMESPACE_LABEL: "kube-system"},
}


def pod(namespace: str, labels: str, ports: str = "", host: bool = False) -> Pod:
    """``labels`` as "app=web,tier=front", ``ports`` as "http=8080/TCP"."""
    named: dict[str, tuple[tuple[int, str], ...]] = {}
    for name, number, protocol in re.findall(r"([\w-]+)=(\d+)/(\w+)", ports):
        named[name] = (*named.get(name, ()), (int(number), protocol))
    parts = dict(part.split("=") for part in labels.split(",") if part)
    return Pod(namespace, parts, LABELS_OF[namespace], named, host)


ENDS: dict[str, Pod | Address] = {
    "web": pod("shop", "app=web,tier=front"),
    "api": pod("shop", "app=api,tier=back,legacy=yes", "http=8080/TCP metrics=9090/TCP dns=53/UDP"),
    "db": pod("shop", "app=db,tier=back", "http=5432/TCP dns=5353/TCP"),
    "agent": pod("shop", "app=web,tier=front", host=True),
    "prometheus": pod("ops", "app=prometheus"),
    "ops-web": pod("ops", "app=web"),
    "kube-dns": pod("kube-system", "k8s-app=kube-dns"),
    "outside": ANYWHERE,
    "10.1.2.3": Address.of("10.1.2.3"),
    "10.1.9.9": Address.of("10.1.9.9"),
    "169.254.169.254": Address.of("169.254.169.254"),
    "2001:db8::1": Address.of("2001:db8::1"),
}


def policies(text: str, namespace: str = "shop") -> list[Policy]:
    """The policies with the specs ``text``, documents of YAML."""
    found = []
    for spec in yaml.safe_load_all(text):
        policy = parse({"metadata": {"name": "p"}, "spec": spec}, namespace)
        assert policy is not None
        found.append(policy)
    return found


def is_open(rules: list[Policy], line: str, **options: bool) -> bool:
    """Whether ``line``, as "web > api:8080" or "web > api:53/UDP", is allowed; ":*" is every port."""
    client, server, port, protocol = re.fullmatch(r"(\S+) > (\S+?):([\w*-]+)(?:/(\w+))?", line).groups()  # type: ignore[union-attr]
    number = None if port == "*" else int(port) if port.isdigit() else port
    return judge(rules, ENDS[client], ENDS[server], number, protocol or "TCP", **options).allowed


# What is said, what stays open, what does not.
RECIPES: dict[str, tuple[str, str, str]] = {
    "no policy: everything is open": (
        "",
        "web > api:8080, outside > web:80, web > outside:443, prometheus > db:5432/UDP, web > api:*",
        "",
    ),
    "default deny all ingress": (
        "{podSelector: {}, policyTypes: [Ingress]}",
        "web > outside:443, web > kube-dns:53/UDP, web > prometheus:9090",
        "web > api:8080, prometheus > web:80, outside > web:80, agent > web:80",
    ),
    "default deny all egress": (
        "{podSelector: {}, policyTypes: [Egress]}",
        "prometheus > web:80, outside > web:80",
        "web > api:8080, web > outside:443, web > kube-dns:53/UDP",
    ),
    "default deny all": (
        "{podSelector: {}, policyTypes: [Ingress, Egress]}",
        "prometheus > ops-web:80, ops-web > outside:443",
        "web > api:8080, prometheus > web:80, web > prometheus:9090, outside > web:80, web > outside:443",
    ),
    "allow all ingress wins over a deny": (
        "{podSelector: {}, policyTypes: [Ingress]}\n---\n{podSelector: {}, ingress: [{}]}",
        "web > api:8080, prometheus > web:80, outside > web:80, agent > api:8080, web > api:*",
        "",
    ),
    "allow all egress wins over a deny": (
        "{podSelector: {}, policyTypes: [Egress]}\n---\n{podSelector: {}, policyTypes: [Egress], egress: [{}]}",
        "web > api:8080, web > outside:443, web > 169.254.169.254:80",
        "",
    ),
    "deny to one application": (
        "{podSelector: {matchLabels: {app: api}}, ingress: []}",
        "web > db:5432, api > db:5432, outside > web:80",
        "web > api:8080, outside > api:8080, prometheus > api:9090",
    ),
    "limit to some pods": (
        "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}",
        "web > api:8080, web > api:22/UDP, web > api:*",
        "db > api:8080, ops-web > api:8080, outside > api:8080, agent > api:8080",
    ),
    "deny from other namespaces": (
        "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}",
        "web > api:8080, db > web:80",
        "prometheus > api:8080, outside > api:8080, agent > api:8080",
    ),
    "allow from all namespaces": (
        "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {}}]}]}",
        "web > api:8080, prometheus > api:8080, kube-dns > api:1",
        "outside > api:8080, agent > api:8080, 10.1.2.3 > api:8080",
    ),
    "allow from one namespace": (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {purpose: monitoring}}}]}]}",
        "prometheus > api:8080, ops-web > db:5432",
        "web > api:8080, kube-dns > api:8080, outside > api:8080",
    ),
    "a namespace by name": (
        "podSelector: {}\n"
        "ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]}]",
        "prometheus > api:8080",
        "web > api:8080",
    ),
    "both selectors in one item are AND": (
        "podSelector: {}\n"
        "ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}, podSelector: {matchLabels: {app: web}}}]}]",
        "ops-web > api:8080",
        "web > api:8080, prometheus > api:8080",
    ),
    "two items are OR": (
        "podSelector: {}\n"
        "ingress:\n"
        "- from: [{namespaceSelector: {matchLabels: {team: ops}}}, {podSelector: {matchLabels: {app: web}}}]",
        "ops-web > api:8080, web > api:8080, prometheus > api:8080",
        "db > api:8080, outside > api:8080",
    ),
    "an empty namespace selector with a pod selector: those pods of any namespace": (
        "podSelector: {}\ningress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}]",
        "web > api:8080, ops-web > api:8080",
        "db > api:8080",
    ),
    "allow from outside": (
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: []}]}",
        "outside > web:80, prometheus > web:80, agent > web:1/UDP, web > web:*",
        "",
    ),
    "from: null is no from": ("{podSelector: {}, ingress: [{from: null, ports: null}]}", "outside > web:80", ""),
    "only one port": (
        "{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 8080}]}]}",
        "web > api:8080, outside > api:8080, web > api:http",
        "web > api:8081, web > api:8080/UDP, web > api:*, web > api:metrics",
    ),
    "ports: [] is every port": ("{podSelector: {}, ingress: [{ports: []}]}", "web > api:1, web > api:*", ""),
    "from and ports must both match": (
        "podSelector: {matchLabels: {app: api}}\n"
        "ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]},\n"
        "          {from: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 9090}]}]",
        "web > api:8080, db > api:9090",
        "web > api:9090, db > api:8080",
    ),
    "a range of ports": (
        "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 32000, endPort: 32768}]}]}",
        "web > outside:32000, web > outside:32768, web > api:32500",
        "web > outside:31999, web > outside:32769, web > outside:32000/UDP",
    ),
    "a protocol alone is all its ports": (
        "{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}",
        "web > api:53/UDP, web > api:1/UDP, web > api:dns/UDP",
        "web > api:53, web > api:53/SCTP, web > api:*",
    ),
    "a named port is that of each server": (
        "{podSelector: {}, ingress: [{ports: [{port: http}]}]}",
        "web > api:8080, web > db:5432, web > db:http, web > api:http",
        "web > api:5432, web > db:8080, web > prometheus-like:8080",
    ),
    "a named port of egress is that of the server, too": (
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
        "web > api:8080, web > db:5432",
        "web > api:5432, web > kube-dns:8080, web > outside:8080",
    ),
    "a named port has a protocol": (
        "{podSelector: {}, ingress: [{ports: [{port: dns, protocol: UDP}]}]}",
        "web > api:53/UDP, web > api:dns/UDP",
        "web > api:53, web > db:5353, web > db:5353/UDP",
    ),
    "a number in quotes is a name": ("{podSelector: {}, ingress: [{ports: [{port: '8080'}]}]}", "", "web > api:8080"),
    "addresses, less some": (
        "podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.9.0/24]}}]}]",
        "10.1.2.3 > web:80",
        "10.1.9.9 > web:80, outside > web:80, prometheus > web:80, 2001:db8::1 > web:80, agent > web:80",
    ),
    "all addresses but those of the node's network": (
        "podSelector: {}\npolicyTypes: [Egress]\n"
        "egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32, 169.254.0.0/16]}}]}]",
        "web > outside:443, web > 10.1.2.3:443, web > api:8080, web > kube-dns:53/UDP, web > agent:80",
        "web > 169.254.169.254:80, web > 2001:db8::1:80",
    ),
    "all addresses but private ones are no pods": (
        "podSelector: {}\npolicyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]",
        "",
        "web > 10.1.2.3:443, web > api:8080, web > outside:443",
    ),
    "IPv6": (
        "podSelector: {}\npolicyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: '2001:db8::/32'}}]}]",
        "web > 2001:db8::1:443",
        "web > 10.1.2.3:443, web > outside:443",
    ),
    "egress to the cluster, not outside": (
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]}",
        "web > api:8080, web > kube-dns:53/UDP",
        "web > outside:443, web > agent:80",
    ),
    "DNS alone": (
        "podSelector: {}\npolicyTypes: [Egress]\n"
        "egress:\n"
        "- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}},\n"
        "        podSelector: {matchExpressions: [{key: k8s-app, operator: In, values: [kube-dns]}]}}]\n"
        "  ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
        "web > kube-dns:53/UDP, web > kube-dns:53",
        "web > kube-dns:80, web > api:53, web > outside:53/UDP",
    ),
    "omitted policyTypes: Ingress only": (
        "{podSelector: {}}", "web > outside:443, web > kube-dns:53/UDP", "web > api:8080",
    ),
    "omitted policyTypes with an empty egress: Ingress only": (
        "{podSelector: {}, egress: []}", "web > outside:443", "web > api:8080",
    ),
    "omitted policyTypes with egress rules: both": (
        "{podSelector: {matchLabels: {app: web}}, egress: [{to: [{podSelector: {matchLabels: {app: api}}}]}]}",
        "web > api:8080, api > db:5432",
        "web > db:5432, api > web:80, outside > web:80, web > outside:443",
    ),
    "rules of a direction that policyTypes leaves out say nothing": (
        "{podSelector: {}, policyTypes: [Egress], ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}],"
        " egress: [{}]}",
        "web > api:8080, outside > api:8080",
        "",
    ),
    "an absent podSelector selects all": ("{policyTypes: [Ingress]}", "", "web > api:8080"),
    "several labels must all be there": (
        "{podSelector: {matchLabels: {tier: back, legacy: 'yes'}}}", "web > db:5432", "web > api:8080",
    ),
    "In": (
        "{podSelector: {matchExpressions: [{key: app, operator: In, values: [api, db]}]}}",
        "api > web:80",
        "web > api:8080, web > db:5432",
    ),
    "NotIn, and labels without the key": (
        "{podSelector: {matchExpressions: [{key: legacy, operator: NotIn, values: ['no', maybe]}]}}",
        "", "web > api:8080, web > db:5432, api > web:80",
    ),
    "Exists": (
        "{podSelector: {matchExpressions: [{key: legacy, operator: Exists}]}}", "web > db:5432", "web > api:8080",
    ),
    "DoesNotExist": (
        "{podSelector: {matchExpressions: [{key: legacy, operator: DoesNotExist}]}}", "web > api:8080", "web > db:5432",
    ),
    "labels and expressions are AND": (
        "{podSelector: {matchLabels: {tier: back}, matchExpressions: [{key: legacy, operator: DoesNotExist}]}}",
        "web > api:8080, api > web:80",
        "web > db:5432",
    ),
    "policies add up": (
        "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}\n---\n"
        "podSelector: {matchLabels: {tier: back}}\n"
        "ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}}]}]",
        "web > api:8080, prometheus > api:8080, prometheus > db:5432",
        "web > db:5432, db > api:8080",
    ),
    "the client must be let out and the server must let in": (
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 8080}]}]}\n---\n"
        "{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 8080}, {port: 9090}]}]}",
        "web > api:8080, db > api:9090",
        "web > api:9090, web > api:*",
    ),
    "pods on the network of their node are not isolated, and no selector means them": (
        "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{namespaceSelector: {}}]}],"
        " egress: [{to: [{namespaceSelector: {}}]}]}",
        "outside > agent:80, agent > outside:443",
        "agent > api:8080, web > agent:80",
    ),
    "SCTP": ("{podSelector: {}, ingress: [{ports: [{port: 7, protocol: SCTP}]}]}", "web > api:7/SCTP", "web > api:7"),
}  # fmt: skip
ENDS["prometheus-like"] = pod("shop", "app=x")


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes(recipe: str) -> None:
    text, opened, closed = RECIPES[recipe]
    rules = policies(text) if text else []
    for line in filter(None, opened.split(", ")):
        assert is_open(rules, line), f"closed: {line}"
    for line in filter(None, closed.split(", ")):
        assert not is_open(rules, line), f"open: {line}"


# Shapes that the API server refuses: the object has no effect, or the part of it lets nothing through.
NO_EFFECT = [
    "[]", "podSelector: [a]", "podSelector: x", "ingress: {}", "ingress: [1]", "ingress: [{from: {}}]",
    "ingress: [{from: [web]}]", "ingress: [{ports: 80}]", "ingress: [{ports: [80]}]", "policyTypes: Ingress",
    "podSelector: {matchLabels: [a]}", "podSelector: {matchExpressions: {}}", "egress: [{to: [{ipBlock: 10.0.0.0/8}]}]",
    "podSelector: {matchExpressions: [{key: a, operator: In, values: b}]}",
]  # fmt: skip
LETS_NOTHING_THROUGH = [
    "from: [{}]", "from: [null]", "from: [{ipBlock: {cidr: 0.0.0.0/0}, podSelector: {}}]",
    "from: [{ipBlock: {cidr: everywhere}}]", "from: [{ipBlock: {}}]",
    "from: [{ipBlock: {cidr: 0.0.0.0/0, except: [x]}}]", "ports: [{port: 0}]", "ports: [{port: 65536}]",
    "from: [{podSelector: {matchExpressions: [{key: app, operator: Like, values: [web]}]}}]",
    "from: [{podSelector: {matchExpressions: [{key: app, operator: In}]}}]",
    "from: [{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: []}]}}]",
    "ports: [{protocol: tcp}]", "ports: [{port: 80, endPort: http}]", "ports: [{endPort: 90}]", "ports: [{port: true}]",
    "ports: [{port: http, endPort: 9000}]", "ports: [{port: 8090, endPort: 80}]", "ports: [{port: 8080.5}]",
]  # fmt: skip


@pytest.mark.parametrize("spec", NO_EFFECT)
def test_what_the_api_refuses_has_no_effect(spec: str) -> None:
    assert parse({"spec": yaml.safe_load(spec)}, "shop") is None


@pytest.mark.parametrize("document", [[], "a", 1, {"spec": 1}])
def test_what_is_no_object_has_no_effect(document: Any) -> None:
    assert parse(document, "shop") is None


@pytest.mark.parametrize("rule", LETS_NOTHING_THROUGH)
def test_what_the_api_refuses_lets_nothing_through(rule: str) -> None:
    rules = policies(f"{{podSelector: {{}}, ingress: [{{{rule}}}]}}")
    assert not any(is_open(rules, f"{end} > api:8080") for end in ENDS)


def test_no_spec_isolates_all() -> None:
    policy = parse({}, "shop")
    assert policy is not None
    assert not is_open([policy], "web > api:8080")


# A block of all addresses, and pods.
@pytest.mark.parametrize(
    ("block", "covers"),
    [
        ("{cidr: 0.0.0.0/0}", True),
        ("{cidr: '::/0'}", True),
        ("{cidr: 0.0.0.0/0, except: [169.254.169.254/32]}", True),
        ("{cidr: 0.0.0.0/0, except: [169.254.0.0/16, 100.100.100.200/32, 168.63.129.16/32]}", True),
        ("{cidr: '::/0', except: ['fd00:ec2::254/128', 'fe80::/10']}", True),
        ("{cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]}", False),
        ("{cidr: 0.0.0.0/0, except: [100.64.0.0/10]}", False),
        ("{cidr: 0.0.0.0/1}", False),
        ("{cidr: 10.0.0.0/8}", False),
    ],
)
def test_blocks_and_pods(block: str, covers: bool) -> None:
    rules = policies(f"podSelector: {{}}\npolicyTypes: [Egress]\negress: [{{to: [{{ipBlock: {block}}}]}}]")
    assert is_open(rules, "web > prometheus:80") is covers
    assert is_open(rules, "web > agent:80") is covers
    assert not is_open(rules, "web > prometheus:80", blocks_cover_pods=False)
    assert not is_open(rules, "web > agent:80", blocks_cover_pods=False)
    assert is_open(rules, "web > outside:80", blocks_cover_pods=False) is covers


def test_the_rule_that_lets_through_is_named() -> None:
    text = """
    podSelector: {matchLabels: {app: api}}
    ingress: [{ports: [{port: 1}]}, {from: [{podSelector: {matchLabels: {app: web}}}]}]
    """
    policy = parse({"metadata": {"name": "guard"}, "spec": yaml.safe_load(text)}, "shop", origin="file")
    assert policy is not None
    verdict = judge([policy], ENDS["web"], ENDS["api"], 8080)
    assert verdict.allowed and not verdict.egress.isolated and verdict.egress.open
    assert verdict.ingress.isolated and verdict.ingress.policy is policy
    assert verdict.ingress.policy.origin == "file" and verdict.ingress.policy.name == "guard"
    assert verdict.ingress.rule is not None and verdict.ingress.rule.path == ("spec", "ingress", 1)
    refused = judge([policy], ENDS["db"], ENDS["api"], 8080)
    assert (refused.allowed, refused.ingress.isolated, refused.ingress.rule) == (False, True, None)


def test_policies_that_say_the_same_are_equal() -> None:
    one, other = policies(
        "{podSelector: {matchLabels: {a: '1', b: '2'}}}\n---\n"
        "{podSelector: {matchExpressions: [{key: b, operator: In, values: ['2']}], matchLabels: {a: '1'}},"
        " policyTypes: [Ingress], ingress: []}"
    )
    assert one == other and hash(one) == hash(other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (None, None, True),
        (None, (), False),
        ((Ports("TCP", 80, 80),), None, True),
        ((Ports("TCP", 80, 90),), (Ports("TCP", 90, 99),), True),
        ((Ports("TCP", 80, 89),), (Ports("TCP", 90, 99),), False),
        ((Ports("TCP", 80, 80),), (Ports("UDP", 80, 80),), False),
        ((Ports("TCP", 1, 0, "http"),), (Ports("TCP", 8080, 8080),), True),
        ((Ports("TCP", 1, 0, "http"),), (Ports("TCP", 80, 80),), False),
        ((Ports("TCP", 1, 0, "nothing"),), None, False),
    ],
)
def test_ports_meet(one: tuple[Ports, ...] | None, other: tuple[Ports, ...] | None, expected: bool) -> None:
    first, second = (None if each is None else RulePorts(each) for each in (one, other))
    assert meet(first, second, ENDS["api"]) is expected
    assert meet(second, first, ENDS["api"]) is expected


def test_spans_hold_what_their_parts_hold() -> None:
    parts = [("TCP", 80, 80), ("TCP", 90, 99), ("UDP", 53, 53), ("TCP", 85, 92), ("TCP", 100, 100), ("TCP", 70, 80)]
    spans = Spans(parts)
    for protocol in ("TCP", "UDP", "SCTP"):
        for first in range(50, 110):
            for last in range(first, 110):
                wanted = any(own == protocol and one <= last and first <= other for own, one, other in parts)
                assert spans.meet(protocol, first, last) is wanted


# Policies that close nothing.

EVERY_POD: dict[str, Any] = {"namespaceSelector": {}}
EVERY_ADDRESS = {"ipBlock": {"cidr": "0.0.0.0/0"}}
ALL_BUT_METADATA = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}

UNDONE: list[tuple[str, list[dict[str, Any]], int | None]] = [
    ("ingress", [], None),
    ("ingress", [{}], 0),
    ("ingress", [{"from": [], "ports": []}], 0),
    ("ingress", [{"from": [{"podSelector": {}}]}, {"from": [EVERY_POD]}], 1),
    ("ingress", [{"from": [{**EVERY_POD, "podSelector": {}}]}], 0),
    ("ingress", [{"from": [{**EVERY_POD, "podSelector": {"matchLabels": {"app": "web"}}}]}], None),
    ("ingress", [{"from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]}], None),
    ("ingress", [{"from": [{"podSelector": {}}]}], None),
    ("ingress", [{"from": [EVERY_ADDRESS]}], 0),
    ("ingress", [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}], None),
    ("ingress", [{"ports": [{"port": 80}]}], None),
    ("ingress", [{"ports": [{"port": 80}]}, {}], 1),
    ("ingress", [{"ports": [{"protocol": "UDP"}, {"port": 1, "endPort": 65535}]}], 0),
    ("ingress", [{"ports": [{"port": 1024, "endPort": 65535}]}], None),
    ("ingress", [{"ports": [{"protocol": "UDP"}]}], None),
    ("egress", [{}], 0),
    ("egress", [{"to": [EVERY_POD, ALL_BUT_METADATA]}], 0),
    ("egress", [{"to": [ALL_BUT_METADATA]}, {"to": [EVERY_POD]}], 1),
    ("egress", [{"to": [EVERY_POD]}], None),
    ("egress", [{"to": [EVERY_ADDRESS]}], None),
    ("egress", [{"to": [ALL_BUT_METADATA]}], None),
    ("egress", [{"ports": [{"port": 443}]}], None),
]


@pytest.mark.parametrize(("direction", "rules", "expected"), UNDONE)
def test_a_rule_that_lets_everything_through_is_found(
    direction: Direction, rules: list[dict[str, Any]], expected: int | None
) -> None:
    read = parse({"spec": {"policyTypes": ["Ingress", "Egress"], direction: rules}}, "shop")
    assert read is not None
    rule = lets_all(read, direction)
    assert (rule and rule.path[-1]) == expected
