"""Kubernetes' own fixtures, hardened: what failed the Pod Security level passes, or a finding says what remains."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome, Report
from hardener.kubernetes import pod_security
from hardener.support.data_path import Path as Path_
from hardener.tree.core_views import PodTemplate
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

# What no run changes, by the check that it breaks: the finding that says so, at that place.
SAID_BY = {
    "capabilities_baseline": {"drop-capabilities"}, "capabilities_restricted": {"drop-capabilities"},
    "hostPathVolumes": {"no-host-path"}, "restrictedVolumes": {"no-host-path", "restricted-volume-types"},
    "windowsHostProcess": {"no-host-process"},
}  # fmt: skip
# A pod for Windows is left without these, and one finding of the pod names them by their ids.
LEFT_OUT = {"hostNamespaces": "no-host-network"}

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="needs ../shared/conformance")


def minor(version: str) -> int:
    return int(version.removeprefix("v1."))


def hardened(folder: Path, version: tuple[int, int], gate: pipeline.Gate) -> Outcome:
    tree = Tree.read([str(folder)], root=str(folder), settings=Settings(version))
    return pipeline.run(tree, profile.load("restricted"), gate)


def says(finding: Report, broken: pod_security.Violation, place: Path_, pod: PodTemplate) -> bool:
    """Whether ``finding`` names ``place``, which ``broken`` names in ``pod``."""
    if finding.object is not pod.object:
        return False
    if finding.id == "windows" and broken.check in LEFT_OUT:
        return LEFT_OUT[broken.check] in finding.message
    where = tuple((*pod.path, *place))
    shorter = min(len(where), len(finding.path))
    return finding.id in SAID_BY.get(broken.check, ()) and tuple(finding.path[:shorter]) == where[:shorter]


def unsaid(outcome: Outcome, judged: tuple[int, int]) -> list[tuple[str, str, Path_]]:
    """What keeps pods from level restricted, and no finding says: file, check and place."""
    found = []
    for pod in outcome.tree.pod_templates:
        template = {"metadata": pod.metadata.data, "spec": pod.data}
        for broken in pod_security.evaluate(template, "restricted", judged):
            for place in broken.paths:
                if not any(says(finding, broken, place, pod) for finding in outcome.findings):
                    found.append((pod.object.piece.file.name, broken.check, place))
    return found


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_a_failing_fixture_passes_or_a_finding_says_what_remains(version: str, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / version / "fail", tmp_path / "fail")
    judged = (1, minor(version))
    outcome = hardened(tmp_path / "fail", judged, pipeline.Gate(Grade.BREAKING))
    assert not outcome.refused
    assert unsaid(outcome, judged) == []


@pytest.mark.slow
def test_a_finding_that_is_missing_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / VERSIONS[-1] / "fail", tmp_path / "fail")
    judged = (1, minor(VERSIONS[-1]))
    outcome = hardened(tmp_path / "fail", judged, pipeline.Gate(Grade.BREAKING))
    outcome.findings = [finding for finding in outcome.findings if finding.id not in ("drop-capabilities", "windows")]
    assert {check for _, check, _ in unsaid(outcome, judged)} == {"capabilities_restricted", "hostNamespaces"}


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
