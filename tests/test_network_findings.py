"""Connections of trees that once lost one, or had one that is none, and what a policy does with them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .conftest import Harden, commit, run, shared

# The folder, what was given, what connects, and what may.
TREES: dict[tuple[str, ...], tuple[str, set[str], set[str]]] = {
    ("findings", "network", "test-edge"): (
        "k8s", {"vote redis", "worker redis", "worker db", "result db"}, set(),
    ),
    ("findings", "network", "false-edge"): ("k8s", {"vote redis"}, set()),
    ("findings", "network", "netpol-code"): (".", {"worker rng", "worker hasher", "webui redis"}, {"worker redis"}),
    ("findings", "network", "partial-caller"): (
        ".", {"web mysql-server"}, {"server gateway", "server mysql-server"},
    ),
    ("apps", "voting-app"): ("k8s-specifications", {"vote redis", "worker redis", "worker db", "result db"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("path", TREES, ids="/".join)
def test_who_connects_to_whom(path: tuple[str, ...], tmp_path: Path) -> None:
    given, certain, doubts = TREES[path]
    found = json.loads(run("graph", given, "--format", "json", cwd=copied(path, tmp_path)).out)
    names = {workload["id"]: workload["name"] for workload in found["workloads"]}
    ends = {(f"{names[edge['client']]} {names[edge['server']]}", edge["certain"]) for edge in found["edges"]}
    assert {pair for pair, is_certain in ends if is_certain} == certain
    assert {pair for pair, is_certain in ends if not is_certain} == doubts


def copied(path: tuple[str, ...], folder: Path) -> Path:
    tree = folder / "tree"
    shutil.copytree(shared(*path), tree)
    commit(folder)
    return tree


def policies(report: dict[str, Any]) -> dict[str, Any]:
    made = [change["after"] for change in report["changes"] if change["id"] == "netpol-workload"]
    return {policy["metadata"]["name"]: policy["spec"] for policy in made}


@pytest.mark.parametrize(
    ("name", "policy", "peer"),
    [
        ("broken-doc-netpol", "harden-proxy", {"namespaceSelector": {}, "podSelector": {}}),
        ("cross-namespace", "harden-core-interceptors", {"namespaceSelector": {}, "podSelector": {}}),
        ("partial-caller", "harden-mysql-server", {"podSelector": {"matchLabels": {"app": "server"}}}),
        ("netpol-code", "harden-redis", {"podSelector": {"matchLabels": {"app": "worker"}}}),
    ],
)
def test_who_stays_let_in(name: str, policy: str, peer: dict[str, Any], harden: Harden, tmp_path: Path) -> None:
    copied(("findings", "network", name), tmp_path)
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert peer in [each for rule in policies(report)[policy]["ingress"] for each in rule["from"]]


def test_external_dns_keeps_the_metadata_address(harden: Harden, tmp_path: Path) -> None:
    copied(("findings", "network", "imds"), tmp_path)
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert {"ipBlock": {"cidr": "0.0.0.0/0"}} in [
        peer for rule in policies(report)["harden-external-dns"]["egress"] for peer in rule["to"]
    ]
    assert any("keeps the metadata address" in finding["message"] for finding in report["findings"])


def test_the_boutique_is_closed_as_before(harden: Harden, tmp_path: Path) -> None:
    copied(("corpus", "microservices-demo"), tmp_path)
    report = json.loads(harden("diff", "tree/kubernetes-manifests", "--format", "json").out)
    found = report["summary"]["reachability"]
    assert (found["connections"], found["openAfter"], found["keptPartlyRead"]) == (16, 26, 0)
