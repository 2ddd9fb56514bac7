"""Which pods run a control plane, and which only look like one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.components.flag_values import called
from hardener.tree.control_plane import components, control_planes, unread
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
        (workload(command=["sh", "-c", "kubectl rollout status deploy/kube-scheduler -n kube-system"]), None),
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


SHELL = ["/bin/sh", "-c"]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        # It starts where a command stands.
        ([*SHELL, "exec /usr/local/bin/kube-apiserver --x"], "kube-apiserver"),
        ([*SHELL, "sleep 1; kube-apiserver --x"], "kube-apiserver"),
        ([*SHELL, "set -e; exec kubelet --x"], "kubelet"),
        ([*SHELL, "sleep 1 && (kube-scheduler \\\n  --x) &"], "kube-scheduler"),
        ([*SHELL, "if test -f /x; then exec kube-proxy --x; else kubelet --y; fi"], "kube-proxy"),
        ([*SHELL, "while true\ndo kubelet --x\ndone"], "kubelet"),
        ([*SHELL, "A=b nice -n 5 timeout 5 kubelet --x"], "kubelet"),
        ([*SHELL, 'exec "$BIN/kube-apiserver" --x'], "kube-apiserver"),
        ([*SHELL, "/usr/bin/kube-apiserver --x 2>&1 | tee /var/log/x"], "kube-apiserver"),
        (["bash", "-ec", 'exec sh -c "kube-apiserver --x"'], "kube-apiserver"),
        (["/tini", "--", "kube-apiserver", "--x"], "kube-apiserver"),
        (["/tini", "--", "sh", "-c", "exec etcd --x"], "etcd"),
        (["env", "A=b", "kube-apiserver", "--x"], "kube-apiserver"),
        (["timeout", "5", "/kubelet", "--x"], "kubelet"),
        (["nice", "kubelet", "--x"], "kubelet"),
        (["/kube-log-runner", "--log-file=/var/log/x", "kube-scheduler", "--x"], "kube-scheduler"),
        (["tini", "--", "/go-runner", "--log-file", "/var/log/x", "kube-scheduler", "--x"], "kube-scheduler"),
        # Its name is a word for another program, or a text.
        ([*SHELL, "kubectl rollout status deploy/kube-scheduler -n kube-system"], None),
        ([*SHELL, "until nc -z kube-apiserver -w 3 443; do sleep 1; done; exec myapp"], None),
        ([*SHELL, "kubectl logs kube-apiserver --tail 5"], None),
        ([*SHELL, "pgrep kubelet -a"], None),
        ([*SHELL, "cat <<EOF > /x\nkubelet --x\nEOF\nexec myapp"], None),
        ([*SHELL, "# kubelet --x\nexec myapp"], None),
        ([*SHELL, "echo 'kubelet --x'; exec myapp"], None),
        (["env", "CALL=nothing; kubelet --x", "myapp"], None),
        (["timeout", "5", "pgrep", "kubelet", "-a"], None),
        (["kubectl", "logs", "kube-apiserver", "--tail", "5"], None),
        (["tini", "--", "myapp", "kube-apiserver", "--x"], None),
        (["myapp", "; kubelet --x"], None),
    ],
)
def test_a_component_is_started_where_a_command_stands(command: list[str], found: str | None) -> None:
    assert called(command, []) == found
    assert called(command[:-1], command[-1:]) == found


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


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        (workload("Pod", **ETCD), False),
        (workload("Pod", "kube-system", **ETCD), True),
        (workload("Pod", **ETCD).replace("spec:", "spec:\n  hostNetwork: true"), True),
        (
            workload("Pod", **ETCD).replace(
                "metadata:", "metadata:\n  annotations: {kubernetes.io/config.source: file}"
            ),
            True,
        ),
        (workload("DaemonSet", **ETCD), False),
        (workload("DaemonSet", "kube-system", **ETCD), True),
        (workload("Pod", command=["sh", "-c", "exec etcd --data-dir=/data"]), False),
        (workload("Pod", "kube-system", command=["sh", "-c", "exec etcd --data-dir=/data"]), True),
        (workload("StatefulSet", **ETCD), False),
        (workload(**SERVER) + "---\n" + workload("StatefulSet", name="etcd", **ETCD), True),
        (workload("Pod", **SERVER), True),
    ],
)
def test_whose_component_it_is_one_rule_tells(text: str, is_read: bool) -> None:
    tree = Tree.from_text(text)
    carrier = control_planes(tree)[-1]
    assert bool([*components(carrier), *unread(carrier)]) is is_read
    pod = next(pod for pod in tree.pod_templates if pod.object is carrier.object)
    if pod.kind != "DaemonSet" and "sh" not in text:
        assert bool({"static-pod", "control-plane"} & set(pod.classes)) is is_read


def test_the_store_of_an_application_is_hardened_as_such(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"etcd.yaml": workload("Pod", **ETCD)})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    assert "no-privilege-escalation" in {record["id"] for record in report["changes"]}
    assert "control plane" not in json.dumps(report)
