"""Which pods run a control plane, and which only look like one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.tree.tree import Tree
from tests.conftest import Harden, write


def workload(kind: str = "Deployment", namespace: str = "tenant", name: str = "app", **container: Any) -> str:
    spec = {"containers": [{"name": "c", "image": "example.com/app:1", **container}]}
    metadata = {"name": name, "namespace": namespace}
    if kind == "Pod":
        return yaml.safe_dump({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec})
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    inner = {"selector": {"matchLabels": {"app": name}}, "template": template}
    if kind == "CronJob":
        inner = {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}}
    group = "batch/v1" if kind == "CronJob" else "apps/v1"
    return yaml.safe_dump({"apiVersion": group, "kind": kind, "metadata": metadata, "spec": inner})


SERVER: dict[str, Any] = {"image": "registry.k8s.io/kube-apiserver:v1.35.0", "command": ["kube-apiserver", "--v=2"]}
ETCD: dict[str, Any] = {"image": "quay.io/coreos/etcd:v3.6.0", "command": ["etcd", "--data-dir=/data"]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (workload(**SERVER), "control-plane"),
        (workload("StatefulSet", **SERVER), "control-plane"),
        (workload(command=["/usr/local/bin/kube-controller-manager"]), "control-plane"),
        (workload(command=["hyperkube", "kube-scheduler", "--v=2"]), "control-plane"),
        (workload(command=["hyperkube", "apiserver", "--v=2"]), "control-plane"),
        (workload(command=["sh", "-c", "exec kube-apiserver --v=2"]), "control-plane"),
        (workload(command=["/go-runner", "/bin/kube-scheduler", "--v=2"]), "control-plane"),
        (workload(image="registry.k8s.io/kube-apiserver:v1.35.0", args=["--v=2"]), "control-plane"),
        (workload(image="rancher/hyperkube:v1.30.0", args=["kube-apiserver", "--v=2"]), "control-plane"),
        (workload(**SERVER) + "---\n" + workload("StatefulSet", name="etcd", **ETCD), "control-plane"),
        (workload(**SERVER) + "---\n" + workload("StatefulSet", "shop", "etcd", **ETCD), None),
        (workload("StatefulSet", **ETCD), None),  # a store of an application
        (workload("CronJob", image="registry.k8s.io/etcd:3.6.0-0", command=["etcdctl", "defrag"]), None),
        (workload(image="registry.k8s.io/kube-apiserver:v1.35.0", command=["sleep", "1h"]), None),
        (workload(args=["--component", "kube-apiserver", "--v=2"]), None),
        (workload(command=["/probe", "--url", "https://x/kube-apiserver", "--v=2"]), None),
        (workload(image="registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0"), None),
        (workload("Pod", **SERVER), "static-pod"),
        (workload("Pod", **ETCD), None),  # the control plane of nobody
        (workload("Pod", "kube-system", **ETCD), "static-pod"),
        (workload("Pod", **ETCD).replace("spec:", "spec:\n  hostNetwork: true"), "static-pod"),
        (workload("Pod", image="ghcr.io/kube-vip/kube-vip:v1"), None),
    ],
)
def test_what_runs_a_control_plane(text: str, found: str | None) -> None:
    pod = Tree.from_text(text).pod_templates[-1]
    assert [name for name in pod.classes if name in ("control-plane", "static-pod")] == ([found] if found else [])


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("profile", ["baseline", "restricted", "strict"])
def test_an_api_server_of_another_cluster_is_read_and_left_without_guesses(
    kind: str, profile: str, harden: Harden, tmp_path: Path
) -> None:
    weak = ["kube-apiserver", "--authorization-mode=AlwaysAllow", "--token-auth-file=/t.csv", "--profiling=true"]
    write(tmp_path, {"server.yaml": workload(kind, **SERVER | {"command": weak})})
    report = json.loads(harden("diff", ".", "--profile", profile, "--format", "json").out)
    ids = {record["id"] for record in report["changes"]}
    held = {record["id"] for record in report["held"]}
    seen = {record["id"] for record in report["findings"]}
    assert "component-profiling" in ids
    assert {"authorization-mode", "token-auth-file-remove"} <= held | seen
    guesses = {
        "cpu-limit", "memory-limit", "resource-requests", "ephemeral-limit", "run-as-user", "run-as-non-root",
        "drop-capabilities", "read-only-root-filesystem", "netpol-workload", "netpol-default-deny",
        "deny-service-external-ips",
    }  # fmt: skip
    assert not guesses & ids
    assert "control-plane" in seen  # and it is said


def test_the_store_of_an_application_is_hardened_as_such(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"etcd.yaml": workload("Pod", **ETCD)})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert "no-privilege-escalation" in {record["id"] for record in report["changes"]}
    assert "control plane" not in json.dumps(report)
