"""A pod of which a part is filled in later has no Pod Security level above privileged: that part may be anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Harden, write

HARDENED = """\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  hostNetwork: {host}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    seccompProfile: {{type: RuntimeDefault}}
  containers:
  - name: web
    image: registry.example.com/web:1
    ports: [{{containerPort: 8080, hostPort: "{port}"}}]
    securityContext:
      allowPrivilegeEscalation: false
      privileged: {privileged}
      capabilities: {{drop: [ALL]}}
"""
KNOWN = {"host": "false", "port": "0", "privileged": "false"}
"""What makes it restricted."""
NOT_KNOWN = {
    "host": ("${HOST}", "spec.hostNetwork is ${HOST}"),
    "port": ("${PORT}", "spec.containers[0].ports[0].hostPort is ${PORT}"),
    "privileged": ("${PRIVILEGED}", "spec.containers[0].securityContext.privileged is ${PRIVILEGED}"),
}


def enforced(harden: Harden, folder: Path, text: str) -> tuple[list[str], list[str]]:
    """The levels that labels would enforce, and what is said of pods that keep the namespace from one."""
    write(folder, {"app.yaml": text})
    report = json.loads(harden("diff", "--only", "namespace-pss-labels", ".", "--format", "json").out)
    wanted = [change["after"] for change in report["changes"] if change["path"][-1].endswith("/enforce")]
    return wanted, [found["message"] for found in report["findings"] if found["id"] == "namespace-pss-labels"]


def test_what_is_written_gives_the_level(harden: Harden, tmp_path: Path) -> None:
    assert enforced(harden, tmp_path, HARDENED.format(**KNOWN)) == (["restricted"], [])


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_what_is_filled_in_later_may_be_anything(harden: Harden, tmp_path: Path, name: str) -> None:
    value, said = NOT_KNOWN[name]
    wanted, found = enforced(harden, tmp_path, HARDENED.format(**{**KNOWN, name: value}))
    assert wanted == [] and len(found) == 1 and found[0].endswith(f": not known: {said}")


PROGRAM = """\
from kubernetes.client import V1Capabilities, V1Container, V1ObjectMeta, V1Pod, V1PodSecurityContext, V1PodSpec
from kubernetes.client import V1SeccompProfile, V1SecurityContext


def pod(more):
    web = V1Container(
        name="web", image="registry.example.com/web:1",
        security_context=V1SecurityContext(allow_privilege_escalation=False, capabilities=V1Capabilities(drop=["ALL"])),
    )
    return V1Pod(
        api_version="v1", kind="Pod", metadata=V1ObjectMeta(name="web", namespace="shop"),
        spec=V1PodSpec(
            containers=[web{more}],
            security_context=V1PodSecurityContext(
                run_as_non_root=True, run_as_user=1000, seccomp_profile=V1SeccompProfile(type="RuntimeDefault")
            ),
        ),
    )
"""


@pytest.mark.parametrize(
    "more, said",
    [
        ("", "reaches restricted"),
        (", *more", "reaches privileged (not known: spec.containers "),
        (", more", "not known"),
    ],
)
def test_what_a_program_adds_may_be_anything(harden: Harden, tmp_path: Path, more: str, said: str) -> None:
    write(tmp_path, {"app.py": PROGRAM.replace("{more}", more)})
    report = json.loads(harden("diff", "--only", "namespace-pss-labels", ".", "--format", "json").out)
    assert [said in found["message"] for found in report["findings"]] == [True]
