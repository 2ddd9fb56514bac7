"""Applications in namespaces of the system, and containers beside agents of the node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Harden, write

KNOWN = "memcached:1.6"
UNKNOWN = "example.com/app:1"


def workload(
    *containers: dict[str, Any], kind: str = "Deployment", labels: dict[str, str] | None = None, **spec: Any
) -> str:
    named = [{"name": f"c{number}", **each} for number, each in enumerate(containers)]
    template = {"metadata": {"labels": {"app": "app", **(labels or {})}}, "spec": {**spec, "containers": named}}
    item = {
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "app", "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": {"app": "app"}}, "template": template},
    }  # fmt: skip
    return yaml.safe_dump(item)


def changes(harden: Harden, folder: Path, text: str) -> list[dict[str, Any]]:
    write(folder, {"app.yaml": text})
    found: list[dict[str, Any]] = json.loads(harden("diff", "app.yaml", "--format", "json").out)["changes"]
    return found


@pytest.mark.parametrize(
    ("text", "is_application"),
    [
        (workload({"image": KNOWN}), True),
        (workload({"image": UNKNOWN}), False),
        (workload({"image": KNOWN}, {"image": UNKNOWN}), False),
        (workload({"image": KNOWN}, labels={"tier": "control-plane"}), False),
        (workload({"image": "registry.k8s.io/kube-scheduler:v1.35.0"}), False),
    ],
)
def test_a_known_image_makes_an_application(text: str, is_application: bool, harden: Harden, tmp_path: Path) -> None:
    found = changes(harden, tmp_path, text)
    ids = {record["id"] for record in found}
    assert ({"drop-capabilities", "read-only-root-filesystem", "automount-token"} <= ids) is is_application
    # What isolates it, and what its namespace enforces, is for the cluster to say.
    assert not [name for name in ids if name.startswith(("netpol", "namespace"))]


LOGS = {"name": "logs", "hostPath": {"path": "/var/log"}}
AGENT = {"image": "example.com/shipper:1", "volumeMounts": [{"name": "logs", "mountPath": "/var/log"}]}


@pytest.mark.parametrize(
    ("beside", "is_hardened"),
    [
        ({"image": KNOWN}, True),
        ({"image": UNKNOWN}, False),
        ({"image": KNOWN, "securityContext": {"privileged": True}}, False),
        ({"image": KNOWN, "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}, False),
        ({"image": KNOWN, "volumeMounts": [{"name": "logs", "mountPath": "/logs"}]}, False),
        ({"image": "example.com/shipper:1"}, False),
    ],
)
def test_a_known_container_beside_an_agent(
    beside: dict[str, Any], is_hardened: bool, harden: Harden, tmp_path: Path
) -> None:
    text = workload(AGENT, beside, kind="DaemonSet", volumes=[LOGS]).replace("kube-system", "logs")
    paths = [record["path"] for record in changes(harden, tmp_path, text) if record["id"] == "drop-capabilities"]
    assert {path[path.index("containers") + 1] for path in paths} == ({1} if is_hardened else set())


def test_nobody_stands_beside_an_agent_that_cannot_be_told(harden: Harden, tmp_path: Path) -> None:
    text = workload({"image": UNKNOWN}, {"image": KNOWN}, kind="DaemonSet", hostNetwork=True)
    ids = {record["id"] for record in changes(harden, tmp_path, text.replace("kube-system", "logs"))}
    assert "drop-capabilities" not in ids
