"""Every spelling of an override label of kubeaudit, and what it keeps from being changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardener.engine.waivers import kubeaudit
from hardener.tree.tree import Tree
from tests.conftest import Harden, write

pytestmark = pytest.mark.slow  # its many cases together

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web, LABELS}
    spec:
      hostPID: true
      hostIPC: true
      hostNetwork: true
      volumes:
      - {name: etc-1, hostPath: {path: /etc}}
      - {name: proc, hostPath: {path: /proc}}
      containers:
      - name: a
        image: example.com/a:1
        securityContext: {SECURITY}
        volumeMounts: [{name: etc-1, mountPath: /e}, {name: proc, mountPath: /p}]
      - name: b
        image: example.com/b:1
        securityContext: {SECURITY}
        volumeMounts: [{name: etc-1, mountPath: /e}]
"""
# What an override is called, the transform that it waives, and the security context that gives this one work.
OVERRIDES = [
    ("privilege-escalation", "no-privilege-escalation", "allowPrivilegeEscalation: true"),
    ("privileged", "no-privileged", "privileged: true"),
    ("run-as-root", "run-as-non-root", ""),
    ("run-as-root", "run-as-user", ""),
    ("not-overridden-non-root-user", "run-as-user", ""),
    ("automount-service-account-token", "automount-token", ""),
    ("read-only-root-filesystem-false", "read-only-root-filesystem", ""),
    ("namespace-host-PID", "no-host-pid", ""),
    ("namespace-host-IPC", "no-host-ipc", ""),
    ("namespace-host-network", "no-host-network", ""),
    ("host-path-mount-etc-1", "no-host-path", ""),
    ("capability-chown", "drop-capabilities", ""),
    ("capability-ALL", "drop-capabilities", ""),
    ("disabled-apparmor", "apparmor-profile", "appArmorProfile: {type: Unconfined}"),
]
OF_CONTAINERS = {
    "no-privilege-escalation", "no-privileged", "run-as-user", "read-only-root-filesystem", "drop-capabilities",
}  # fmt: skip
FIRST = {
    "privilege-escalation": "privilegeEscalation", "privileged": "privileged", "run-as-root": "runAsRoot",
    "automount-service-account-token": "automountServiceAccountToken",
    "read-only-root-filesystem-false": "readOnlyRootFilesystemFalse", "capability-chown": "capability.chown",
}  # fmt: skip
Report = dict[str, Any]


def diff(harden: Harden, folder: Path, labels: str, only: str, security: str = "", text: str = POD) -> Report:
    write(folder, {"app.yaml": text.replace("LABELS", labels).replace("SECURITY", security), ".harden.yaml": ""})
    done = harden("diff", ".", "--profile", "strict", "--only", only, "--max-grade", "breaking", "--format", "json")
    assert done.status in (0, 1), done.err
    report: Report = json.loads(done.out)
    return report


def places(records: list[dict[str, Any]]) -> set[str]:
    """The containers, volumes or else the pod that ``records`` are about."""
    found = set()
    for record in records:
        path = record["path"]
        at = next((index for index, part in enumerate(path) if part in ("containers", "volumes")), None)
        found.add("pod" if at is None or at + 1 >= len(path) else f"{path[at]}[{path[at + 1]}]")
    return found


def spellings(override: str) -> list[str]:
    """Labels for a whole pod."""
    found = [f"kubeaudit.io/allow-{override}: ''", f"audit.kubernetes.io/pod.allow-{override}: ''"]
    found += [f"audit.kubernetes.io/pod/allow-{override}: why", f"audit.kubernetes.io/namespace.allow-{override}: why"]
    found += [f"audit.kubernetes.io/allow-{override}: why"]
    return found + ([f"kubeaudit.allow.{FIRST[override]}: why"] if override in FIRST else [])


ROWS = [(label, id, security) for name, id, security in OVERRIDES for label in spellings(name)]


@pytest.mark.parametrize(("label", "id", "security"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_a_label_of_the_pod(label: str, id: str, security: str, harden: Harden, tmp_path: Path) -> None:
    before = diff(harden, tmp_path, "x: y", id, security)
    report = diff(harden, tmp_path, label, id, security)
    kept = places([*before["changes"], *before["held"]])
    # A read-only root brings volumes with it; of two folders of the node one is allowed.
    kept = {"volumes[0]"} if id == "no-host-path" else {place for place in kept if not place.startswith("volumes")}
    assert places(report["waived"]) & kept  # a step that changes several is one record
    assert not kept & places([*report["changes"], *report["held"]])
    name, _, value = label.partition(": ")
    assert {record["carrier"] for record in report["waived"]} == {"kubeaudit"}
    assert {record["reason"] for record in report["waived"]} == {name if value == "''" else value}


@pytest.mark.parametrize("spelling", [
    "container.kubeaudit.io/b.allow-{}: ''", "container.audit.kubernetes.io/b.allow-{}: ''",
    "container.audit.kubernetes.io/b/allow-{}: why",
])  # fmt: skip
@pytest.mark.parametrize(("override", "id", "security"), [row for row in OVERRIDES if row[1] in OF_CONTAINERS])
def test_a_label_of_one_container(
    spelling: str, override: str, id: str, security: str, harden: Harden, tmp_path: Path
) -> None:
    report = diff(harden, tmp_path, spelling.format(override), id, security)
    left = places([*report["changes"], *report["held"]])
    assert "containers[1]" in places(report["waived"])
    assert "containers[1]" not in left
    assert "containers[0]" in left or id == "run-as-user"  # whose number is the pod's


@pytest.mark.parametrize(
    "label",
    [
        "audit.kubernetes.io/allow-privileged: ''",  # these two ask for a reason
        "kubeaudit.allow.privileged: ''",
        "kubeaudit.allow.privilege: why",
        "kubeaudit.allow.allow-privileged: why",
        "kubeaudit.io/allow-privileged-pods: why",
        "kubeaudit.io/privileged: why",
        "kubeaudit.io/pod.allow-privileged: why",
        "audit.kubernetes.io/shop.allow-privileged: why",
        "audit.kubernetes.io/pod-allow-privileged: why",
        "container.kubeaudit.io/b/allow-privileged: why",
        "container.kubeaudit.io/c.allow-privileged: why",
        "container.kubeaudit.io/allow-privileged: why",
        "my-kubeaudit.io/allow-privileged: why",
        "audit.kubernetes.io/level: Metadata",
    ],
)
def test_what_is_no_label_of_kubeaudit(label: str, harden: Harden, tmp_path: Path) -> None:
    report = diff(harden, tmp_path, label, "no-privileged", "privileged: true")
    assert report["waived"] == [] and len(report["changes"]) == 2


def test_an_annotation_is_none(harden: Harden, tmp_path: Path) -> None:
    text = POD.replace("labels: {app: web, LABELS}", "labels: {app: web}\n      annotations: {LABELS}")
    report = diff(harden, tmp_path, "kubeaudit.io/allow-privileged: why", "no-privileged", "privileged: true", text)
    assert report["waived"] == []


CRON_JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: web, namespace: shop}
spec:
  schedule: 0 0 * * *
  jobTemplate:
    metadata: {}
    spec:
      template:
        metadata: {}
        spec:
          containers:
          - {name: a, image: "example.com/a:1", securityContext: {privileged: true}}
"""
LABELS = "labels: {kubeaudit.io/allow-privileged: why, container.kubeaudit.io/a.allow-privileged: why}"


@pytest.mark.parametrize(
    ("text", "is_waived"),
    [
        (POD.replace("shop}", f"shop, {LABELS}}}", 1), False),
        (CRON_JOB.replace("shop}", f"shop, {LABELS}}}"), False),
        (CRON_JOB.replace("metadata: {}", f"metadata: {{{LABELS}}}", 1), False),
        (CRON_JOB.replace("    metadata: {}\n        spec", f"    metadata: {{{LABELS}}}\n        spec"), True),
        (f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web, {LABELS}}}\nspec:\n  containers:\n"
         '  - {name: a, image: "example.com/a:1", securityContext: {privileged: true}}\n', True),
    ],
)  # fmt: skip
def test_a_label_counts_on_the_pods(text: str, is_waived: bool, harden: Harden, tmp_path: Path) -> None:
    report = diff(harden, tmp_path, "x: y", "no-privileged", "privileged: true", text)
    assert bool(report["waived"]) is is_waived
    assert bool(report["changes"]) is not is_waived


ADDED = "capabilities: {add: [NET_ADMIN, SYS_TIME]}"


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("x: y", ["containers[0]", "containers[1]"]),
        ("kubeaudit.io/allow-capability-net-admin: why", ["containers[0]", "containers[1]"]),  # SYS_TIME is left
        ("kubeaudit.io/allow-capability-net-admin: why, kubeaudit.io/allow-capability-sys-time: why", []),
        ("kubeaudit.io/allow-capability-net-admin: why, container.kubeaudit.io/b.allow-capability-sys-time: why",
         ["containers[0]"]),
        ("audit.kubernetes.io/pod.allow-capability-net-admin: '', kubeaudit.allow.capability.sys_time: why", []),
    ],
)  # fmt: skip
def test_a_capability_is_allowed_by_its_name(labels: str, found: list[str], harden: Harden, tmp_path: Path) -> None:
    report = diff(harden, tmp_path, labels, "drop-capabilities", ADDED)
    # kubeaudit asks for no drop where all that are added are allowed, and then nothing is touched.
    assert sorted(places(report["findings"])) == found
    assert sorted(places([*report["changes"], *report["held"]])) == found


@pytest.mark.parametrize(
    ("label", "volumes"),
    [
        ("kubeaudit.io/allow-host-path-mount-proc: why", {"volumes[0]"}),
        ("container.kubeaudit.io/a.allow-host-path-mount-proc: why", {"volumes[0]"}),
        ("kubeaudit.io/allow-host-path-mount-other: why", {"volumes[0]", "volumes[1]"}),
        ("container.kubeaudit.io/c.allow-host-path-mount-etc-1: why", {"volumes[0]", "volumes[1]"}),
    ],
)
def test_a_mount_is_kept_by_its_name(label: str, volumes: set[str], harden: Harden, tmp_path: Path) -> None:
    report = diff(harden, tmp_path, label, "no-host-path")
    assert places([*report["changes"], *report["held"]]) == volumes


NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {LABELS}}
"""


@pytest.mark.parametrize(
    ("label", "is_waived"),
    [
        ("kubeaudit.io/allow-non-default-deny-ingress-network-policy: ''", True),
        ("audit.kubernetes.io/namespace.allow-non-default-deny-egress-network-policy: why", True),
        ("audit.kubernetes.io/shop/allow-non-default-deny-egress-network-policy: why", True),
        ("audit.kubernetes.io/shop.allow-non-default-deny-ingress-network-policy: why", True),
        ("audit.kubernetes.io/blog/allow-non-default-deny-egress-network-policy: why", False),
        ("kubeaudit.io/allow-default-deny: why", False),
    ],
)
def test_a_label_of_a_namespace(label: str, is_waived: bool, harden: Harden, tmp_path: Path) -> None:
    report = diff(harden, tmp_path, label, "netpol-default-deny", text=NAMESPACE)
    assert bool(report["waived"]) is is_waived
    assert bool(report["changes"]) is not is_waived


@pytest.mark.parametrize(
    "labels", ["kubeaudit.io/allow-capability-chown: [a]", "kubeaudit.io/allow-host-path-mount-x:", "a: b"]
)
@pytest.mark.parametrize(
    "line", ["volumes: 7", "volumes: [a]", "containers: 7", "containers: [{name: b, securityContext: 7}]"]
)
def test_shapes_that_no_api_server_takes_stop_nothing(labels: str, line: str, harden: Harden, tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {LABELS}}\nspec:\n  " + line + "\n"
    diff(harden, tmp_path, labels, "drop-capabilities,no-host-path", text=text)


def test_a_reason_that_says_nothing_is_the_label_itself() -> None:
    item = Tree.from_text(POD.replace("LABELS", "x: y")).objects[0]
    for value, reason in (("True", "kubeaudit.io/allow-privileged"), ("disks", "disks")):
        override = kubeaudit.read(item, "kubeaudit.io/allow-privileged", value)
        assert override is not None and override.reason == reason
