"""The files for Falco and Tetragon say what they are meant to."""

from __future__ import annotations

import pytest
import yaml

from hardener.kubernetes.components.component import is_log_agent
from hardener.kubernetes.policies.runtime_rules import falco_rules, tetragon_policies


def test_the_rules_of_falco_use_what_they_define() -> None:
    items = yaml.safe_load(falco_rules(["shop", "pay"]))
    defined = {item[key] for item in items for key in ("macro", "list") if key in item}
    assert defined == {"harden_ctr", "harden_namespaces", "harden_shells"}
    rules = [item for item in items if "rule" in item]
    assert len(rules) == 3
    used = " ".join(rule["condition"] for rule in rules)
    assert all(name in used for name in defined)
    assert "evt.dir" not in used
    for rule in rules:
        assert rule.keys() == {"rule", "desc", "condition", "output", "priority", "tags"}
        assert "\n" not in rule["output"]
    (namespaces,) = [item["items"] for item in items if item.get("list") == "harden_namespaces"]
    assert namespaces == ["pay", "shop"]


def test_the_policies_of_tetragon_only_report() -> None:
    policies = list(yaml.safe_load_all(tetragon_policies()))
    assert [policy["metadata"]["name"] for policy in policies] == ["harden-cloud-metadata", "harden-account-tokens"]
    for policy in policies:
        assert (policy["apiVersion"], policy["kind"]) == ("cilium.io/v1alpha1", "TracingPolicy")
        (probe,) = policy["spec"]["kprobes"]
        for selector in probe["selectors"]:
            assert selector.keys() == {"matchArgs"}  # no action: Sigkill and Override would be one
            given = {argument["index"] for argument in probe["args"]}
            assert {match["index"] for match in selector["matchArgs"]} <= given
            assert all(isinstance(value, str) for match in selector["matchArgs"] for value in match["values"])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("cr.fluentbit.io/fluent/fluent-bit:4.0.1", True), ("grafana/alloy", True), ("timberio/vector:0.50", True),
        ("otel-collector", True), ("gcr.io/datadoghq/agent", True), ("docker.elastic.co/beats/filebeat:9.0", True),
        ("splunk-otel-collector", True), ("logs-promtail", True), ("nginx", False), ("vectordb", False),
        ("pgvector/pgvector", False), ("web", False),
    ],
)  # fmt: skip
def test_what_takes_logs_off_a_node(name: str, wanted: bool) -> None:
    assert is_log_agent(name) is wanted
