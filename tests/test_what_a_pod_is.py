"""What a pod is taken for by its image: an agent of the node needs access to it, and a data store keeps running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardener.facts.images.products import runs_data_store
from hardener.tree.core_views import PodTemplate
from hardener.tree.tree import Tree

from .conftest import write

LOGS = {"volumes": [{"name": "logs", "hostPath": {"path": "/var/log"}}]}


def pod(folder: Path, kind: str, image: str, spec: dict[str, Any], context: dict[str, Any]) -> PodTemplate:
    container = {"name": "c", "image": image, "securityContext": context}
    pod_spec = {"containers": [container], **spec}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": pod_spec}
    item: dict[str, Any] = {"metadata": {"name": "x"}, "kind": kind, "apiVersion": "apps/v1"}
    if kind == "Pod":
        item |= {"apiVersion": "v1", "spec": pod_spec}
    elif kind == "CronJob":
        item |= {"apiVersion": "batch/v1", "spec": {"jobTemplate": {"spec": {"template": template}}}}
    else:
        item |= {"apiVersion": "batch/v1" if kind == "Job" else "apps/v1", "spec": {"template": template}}
    write(folder, {"x.yaml": json.dumps(item)})
    (found,) = Tree.read([str(folder)], root=str(folder)).pod_templates
    return found


@pytest.mark.parametrize(
    ("kind", "image", "spec", "context", "expected"),
    [
        ("Pod", "fluent/fluentd:v1.18", {}, {}, False),
        ("Pod", "fluent/fluentd:v1.18", LOGS, {}, True),
        ("Deployment", "longhornio/longhorn-ui:v1.7.0", {}, {}, False),
        ("Deployment", "longhornio/longhorn-ui:v1.7.0", LOGS, {}, False),  # its row says that it is a web server
        ("Deployment", "longhornio/longhorn-manager:v1.7.0", {}, {}, False),
        ("Deployment", "longhornio/longhorn-manager:v1.7.0", {}, {"privileged": True}, True),
        ("DaemonSet", "grafana/promtail:3.0.0", {}, {}, False),
        ("DaemonSet", "grafana/promtail:3.0.0", LOGS, {}, True),
        ("Deployment", "quay.io/cilium/cilium:v1.17.0", {"hostNetwork": True}, {}, True),
        ("Deployment", "calico/node:v3.29.0", {}, {"capabilities": {"add": ["NET_ADMIN"]}}, True),
        ("DaemonSet", "longhornio/longhorn-ui:v1.7.0", {"hostPID": True}, {}, True),  # by what it has, not by its name
        ("DaemonSet", "example.com/agent:1", {}, {"privileged": True}, True),
    ],
)
def test_an_agent_of_the_node_has_access_to_it(
    kind: str, image: str, spec: dict[str, Any], context: dict[str, Any], expected: bool, tmp_path: Path
) -> None:
    assert ("node-agent" in pod(tmp_path, kind, image, spec, context).classes) is expected


@pytest.mark.parametrize(
    ("kind", "image", "expected"),
    [
        ("Deployment", "redis:7", True),
        ("StatefulSet", "example.com/shop/mysql:8", True),
        ("Job", "redis:7", False),  # it is a client
        ("CronJob", "postgres:17", False),
        ("Deployment", "example.com/rabbitmq-publisher:1", False),
        ("Deployment", "oliver006/redis_exporter:v1", False),
        ("Deployment", "confluentinc/cp-kafka-rest:7.9.0", False),
        ("Deployment", "example.com/mysql-seed:1", False),
    ],
)
def test_a_data_store_is_what_keeps_running_and_is_no_client_of_one(
    kind: str, image: str, expected: bool, tmp_path: Path
) -> None:
    (container,) = pod(tmp_path, kind, image, {}, {}).containers
    assert runs_data_store(container) is expected


OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "o", "uid": "1"}


@pytest.mark.parametrize(("name", "classes"), [("x.yaml", ["owned"]), ("x.py", [])])
def test_an_owner_makes_the_pods_of_manifests_and_a_program_its_own(
    name: str, classes: list[str], tmp_path: Path
) -> None:
    item = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "ownerReferences": [OWNER]},
        "spec": {"containers": [{"name": "c", "image": "example.com/c:1"}]},
    }
    write(tmp_path, {name: f"x = {item}\n" if name.endswith(".py") else json.dumps(item)})
    (found,) = Tree.read([str(tmp_path)], root=str(tmp_path)).pod_templates
    assert sorted(found.object.classes) == classes
