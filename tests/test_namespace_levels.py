"""No namespace is given, or advised, a Pod Security level that one of its pods does not reach as a run leaves it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hardener.facts.objects.pod_security_levels import standings
from hardener.kubernetes.pod_security import LEVELS

from .conftest import Harden, commit, write
from .test_builds import read

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n---\n"
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: shop{above}
spec:
{spec}  containers:
  - name: {name}
    image: registry.example.com/{name}:1
{container}"""
OWNED = "\n  ownerReferences: [{apiVersion: example.com/v1, kind: Runner, name: a, uid: b}]"
HARDENED = {
    "spec": "  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}\n",
    "container": "    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}\n",
}
PODS = {
    "nothing is written": {},
    "it has all": HARDENED,
    "privileged": {"container": "    securityContext: {privileged: true}\n"},
    "privileged, and mounts": {"container": "    securityContext: {privileged: true}\n    command: [mount, -a]\n"},
    "network of the node": {"spec": "  hostNetwork: true\n"},
    "port of the node": {"container": "    ports: [{containerPort: 80, hostPort: 80}]\n"},
    "folder of the node": {"spec": "  volumes: [{name: data, hostPath: {path: /srv/data}}]\n"},
    "root, and another user's files": {"container": "    command: [sh, -c, chown web /srv && exec web]\n"},
    "a capability": {"container": "    securityContext: {capabilities: {add: [SYS_ADMIN]}}\n"},
    "processes of the node, in a text that cannot change": {
        "spec": "  hostPID: &of-node true\n", "container": "    tty: *of-node\n"
    },
    "made by who knows": {"above": OWNED, "container": "    securityContext: {privileged: true}\n"},
}  # fmt: skip
BLANK = {"above": "", "spec": "", "container": ""}
LABEL = re.compile(r"pod-security\.kubernetes\.io/enforce[=:] ?(\w+)")


@pytest.mark.parametrize("gate", ["safe", "review", "breaking"])
@pytest.mark.parametrize("declared", [NAMESPACE, ""], ids=["declared", "elsewhere"])
@pytest.mark.parametrize("name", PODS)
def test_no_level_is_above_what_the_pods_reach(
    harden: Harden, tmp_path: Path, name: str, declared: str, gate: str
) -> None:
    pod = POD.format(name="one", **{**BLANK, **PODS[name]})
    other = POD.format(name="two", **{**BLANK, **HARDENED})
    write(tmp_path, {"app.yaml": f"{declared}{pod}---\n{other}"})
    commit(tmp_path)
    report = json.loads(harden("apply", ".", "--max-risk", gate, "--format", "json").out)
    findings = [found["advice"] for found in report["findings"] if found["id"] == "namespace-pss-labels"]
    wanted = LABEL.findall("\n".join([(tmp_path / "app.yaml").read_text(), *findings]))
    reached = min((one.level for one in standings(read(tmp_path, {}))), key=LEVELS.index)
    assert all(LEVELS.index(level) <= LEVELS.index(reached) for level in wanted), (wanted, reached)
