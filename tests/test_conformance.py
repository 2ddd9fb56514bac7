"""Kubernetes' own fixtures, hardened: what failed the Pod Security level passes or carries a finding."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.kubernetes import pod_security
from hardener.tree.tree import Settings, Tree

FIXTURES = Path(__file__).parents[2] / "shared" / "conformance" / "pod-security" / "restricted"
VERSIONS = sorted((path.name for path in FIXTURES.glob("v1.*")), key=lambda name: int(name[3:]))
# What of the profile writes Pod Security fields; resources, tokens and the read-only root are no matter of the levels.
POD_SECURITY = frozenset({
    "no-privileged", "no-host-network", "no-host-pid", "no-host-ipc", "no-host-port", "no-host-path",
    "proc-mount-default", "selinux-options", "sysctls-allow-list", "no-probe-host", "apparmor-profile",
    "no-privilege-escalation", "drop-capabilities", "run-as-non-root", "run-as-user", "seccomp-runtime-default",
})  # fmt: skip

# The version from which the level asks for what a transform writes; before it, writing it is no matter of the level.
SINCE = {
    "no-privilege-escalation": 8, "seccomp-runtime-default": 19, "drop-capabilities": 22, "run-as-user": 23,
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="needs ../shared/conformance")


def minor(version: str) -> int:
    return int(version.removeprefix("v1."))


def hardened(folder: Path, version: tuple[int, int], gate: pipeline.Gate) -> Outcome:
    tree = Tree.read([str(folder)], root=str(folder), settings=Settings(version))
    return pipeline.run(tree, profile.load("restricted"), gate)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_a_failing_fixture_passes_or_carries_a_finding(version: str, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / version / "fail", tmp_path / "fail")
    judged = (1, minor(version))
    outcome = hardened(tmp_path / "fail", judged, pipeline.Gate(Grade.BREAKING))
    assert not outcome.refused
    said = {finding.file for finding in outcome.findings if finding.risk == "K01" and finding.id != "stale-comment"}
    silent = []
    for pod in outcome.tree.pod_templates:
        template = {"metadata": pod.metadata.data, "spec": pod.data}
        if pod_security.evaluate(template, "restricted", judged) and pod.object.piece.file.name not in said:
            silent.append(pod.object.piece.file.name)
    assert silent == []


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_a_passing_fixture_gets_no_pod_security_edit(version: str, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / version / "pass", tmp_path / "pass")
    judged = (1, minor(version)) if minor(version) < 22 else (1, 35)
    outcome = hardened(tmp_path / "pass", judged, pipeline.Gate())
    passing = {
        pod.object.piece.file.name
        for pod in Tree.read([str(tmp_path / "pass")], root=str(tmp_path / "pass")).pod_templates
        if not pod_security.evaluate({"metadata": pod.metadata.data, "spec": pod.data}, "restricted", judged)
    }
    edited = [
        (change.object.piece.file.name, change.transform.id)
        for change in outcome.changes
        if change.transform.id in POD_SECURITY
        and minor(version) >= SINCE.get(change.transform.id, 0)
        and change.object.piece.file.name in passing
    ]
    assert edited == []
