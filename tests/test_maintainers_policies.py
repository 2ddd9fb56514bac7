"""What maintainers let through by policies of their own, and what a run makes of the same manifests without them.

Of each workload that a maintainer wrote a policy for, who reaches it is asked of both: every workload of the bundle,
a pod of any namespace, a pod of its own, pods with the labels that a policy names, and an address outside, each on
every port that the workload or a Service or policy of it names.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.network.label_selector import Selector
from hardener.kubernetes.network.network_policy import (
    ANYWHERE,
    NAMESPACE_LABEL,
    Address,
    Pod,
    Policy,
    judge,
    parse,
    selects,
)

from .conftest import Harden, commit, shared

# Bundles of `truth`, and how many pairs their maintainers leave open: a test that compares nothing is none.
BUNDLES = {"argocd": 124, "boutique": 48, "kf-dex": 4, "kube-prometheus": 18, "prometheus-adapter": 3}
STRANGER = Pod("somewhere-else", {}, {NAMESPACE_LABEL: "somewhere-else"})
Pair = tuple[str, str, int]


@dataclass
class Bundle:
    """The workloads and policies of a folder; ``ports`` are those that somebody names, by workload."""

    pods: dict[str, Pod] = field(default_factory=dict)
    ports: dict[str, set[int]] = field(default_factory=dict)
    policies: list[Policy] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Bundle:
        found = cls()
        documents = [item for path in sorted(folder.rglob("*.y*ml")) for item in yaml.safe_load_all(path.read_text())]
        objects = [item for item in documents if isinstance(item, dict) and "kind" in item]
        for item in objects:
            template = item.get("spec", {}).get("template") if isinstance(item.get("spec"), dict) else None
            if isinstance(template, dict) and "metadata" in template and "containers" in template.get("spec", {}):
                found._take(item, template)
        for item in objects:
            if item["kind"] == "NetworkPolicy":
                policy = parse(item, namespace(item))
                assert policy is not None
                found.policies.append(policy)
            elif item["kind"] == "Service":
                found._serve(item)
        return found

    def _take(self, item: dict[str, Any], template: dict[str, Any]) -> None:
        name, spec = f"{item['kind']}/{item['metadata']['name']}", template["spec"]
        listed = [port for container in spec["containers"] for port in container.get("ports", ())]
        names: dict[str, tuple[tuple[int, str], ...]] = {
            port["name"]: ((port["containerPort"], port.get("protocol", "TCP")),) for port in listed if "name" in port
        }
        own = namespace(item)
        labels = {str(key): str(value) for key, value in template["metadata"]["labels"].items()}
        self.pods[name] = Pod(own, labels, {NAMESPACE_LABEL: own}, names, spec.get("hostNetwork") is True)
        self.ports[name] = {port["containerPort"] for port in listed if port.get("protocol", "TCP") == "TCP"}

    def _serve(self, service: dict[str, Any]) -> None:
        selector = service["spec"].get("selector") or {}
        for name, pod in self.pods.items():
            if selector and pod.namespace == namespace(service) and selector.items() <= pod.labels.items():
                for port in service["spec"].get("ports", ()):
                    target = port.get("targetPort", port["port"])
                    numbers = (n for n, _ in pod.ports.get(target, ())) if isinstance(target, str) else (target,)
                    self.ports[name].update(numbers)

    def isolated(self) -> Iterator[str]:
        """The workloads that a policy selects for ingress, though it may let everybody in."""
        for name, pod in self.pods.items():
            if any(policy.ingress is not None and selects(policy, pod) for policy in self.policies):
                yield name

    def opens(self, source: Pod | Address, target: str, port: int) -> bool:
        """Whether ``source`` reaches ``port`` of ``target``; of who is no workload here, only whether it is let in."""
        verdict = judge(self.policies, source, self.pods[target], port)
        return verdict.allowed if source in self.pods.values() else verdict.ingress.open


def namespace(item: dict[str, Any]) -> str:
    return str(item["metadata"].get("namespace", "default"))


def named_by_policies(bundle: Bundle, own: str) -> dict[str, Pod | Address]:
    """A pod for each label selector that a policy of the namespace ``own`` names as a peer, in the bundle or not."""
    found: dict[str, Pod | Address] = {}
    policies = [policy for policy in bundle.policies if policy.namespace == own]
    for rule in (rule for policy in policies for rule in policy.ingress or ()):
        for peer in rule.peers or ():
            labels, spaces = labels_of(peer.pods), labels_of(peer.namespaces)
            space = spaces.get(NAMESPACE_LABEL, own)
            if labels:
                found[f"{space}: {labels}"] = Pod(space, labels, {NAMESPACE_LABEL: space})
    return found


def labels_of(selector: Selector | None) -> dict[str, str]:
    needs = selector.requirements if selector is not None else ()
    return {need.key: next(iter(need.values)) for need in needs if need.operator == "In"}


def pairs(expected: Bundle, run: Bundle) -> tuple[list[Pair], list[Pair]]:
    """The pairs that ``expected`` leaves open, and those of them that ``run`` closes."""
    found, closed = [], []
    for target in expected.isolated():
        ports = set(expected.ports[target])
        for policy in expected.policies:
            if selects(policy, expected.pods[target]):
                ports.update(
                    port.first for rule in policy.ingress or () for port in rule.ports or () if port.name is None
                )
        sources: dict[str, tuple[Pod | Address, Pod | Address]] = {
            name: (pod, run.pods[name]) for name, pod in expected.pods.items() if name != target
        }
        own = expected.pods[target].namespace
        others: dict[str, Pod | Address] = {
            "a pod of any namespace": STRANGER,
            "a pod of its namespace": Pod(own, {}, {NAMESPACE_LABEL: own}),
            "anywhere": ANYWHERE,
            **named_by_policies(expected, own),
        }
        sources |= {name: (other, other) for name, other in others.items()}
        for source, (before, after) in sources.items():
            for port in sorted(ports):
                if expected.opens(before, target, port):
                    found.append((source, target, port))
                    if not run.opens(after, target, port):
                        closed.append((source, target, port))
    return found, closed


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.slow
def test_what_a_maintainer_leaves_open_stays_open(harden: Harden, tmp_path: Path, name: str) -> None:
    case = shared("truth", "cases", name)
    shutil.copytree(case / "naked", tmp_path, dirs_exist_ok=True)
    commit(tmp_path)
    assert harden("apply", ".", "--yes", "--only", "K05").status == 0
    found, closed = pairs(Bundle.read(case / "expected"), Bundle.read(tmp_path))
    assert closed == []
    assert len(found) == BUNDLES[name]
