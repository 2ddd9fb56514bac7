"""What would be left out in silence is said: kinds spelt wrong, API versions that are gone, resources not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.kubernetes.kind_names import KINDS, may_be_misspelt, meant

from .overlay_trees import BASE, WEB, run

INGRESS = "apiVersion: {}\nkind: Ingress\nmetadata: {{name: web}}\nspec: {{}}\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(tree: Path, id: str, *files: dict[str, str], edit: str = ".") -> list[Report]:
    findings = [finding for finding in run(tree, *files, edit=edit).findings if finding.id == id]
    assert all(finding.severity is Severity.LOW for finding in findings)
    return findings


@pytest.mark.parametrize(
    ("group", "kind", "wanted"),
    [
        ("apps", "Deployement", "Deployment"), ("apps", "deployment", "Deployment"), ("apps", "DeamonSet", "DaemonSet"),
        ("apps", "Statefulset", "StatefulSet"), ("", "Pods", "Pod"), ("", "service", "Service"),
        ("batch", "Cronjob", "CronJob"), ("networking.k8s.io", "NetworkPolicies", None),
        ("rbac.authorization.k8s.io", "Rolebinding", "RoleBinding"),
        ("apps", "Deployment", None), ("apps", "DeploymentList", None), ("apps", "ControllerRevision", None),
        ("example.com", "Deployement", None), ("", "Config", None), ("", "List", None), ("", "Event", None),
        ("", "Node", None), ("", "Endpoints", None), ("networking.k8s.io", "IngressClass", None),
        ("autoscaling", "Scale", None), ("", "PodTemplate", None),
    ],
)  # fmt: skip
def test_which_kind_was_meant(group: str, kind: str, wanted: str | None) -> None:
    assert meant(group, kind) == wanted


def test_no_known_kind_is_taken_for_another() -> None:
    assert [(group, kind) for group, kinds in KINDS.items() for kind in kinds if meant(group, kind)] == []
    assert not may_be_misspelt("Deployment")


def test_a_kind_that_is_spelt_wrong(tree: Path) -> None:
    [finding] = found(tree, "unknown-kind", {"web.yaml": WEB.replace("kind: Deployment", "kind: Deployement")})
    assert (finding.file, finding.line) == ("web.yaml", 2)
    assert finding.message == "not looked at: the API group apps has no kind Deployement"
    assert finding.advice == "write Deployment, if that is what it is"
    assert found(tree, "unknown-kind", {"web.yaml": WEB}) == []


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        (WEB.replace("apps/v1", "extensions/v1beta1"),
         "no API server serves Deployment of extensions/v1beta1 since Kubernetes 1.16", "write it as apps/v1"),
        (INGRESS.format("extensions/v1beta1"),
         "no API server serves Ingress of extensions/v1beta1 since Kubernetes 1.22",
         "write it as networking.k8s.io/v1"),
        (WEB, None, None),
        (INGRESS.format("networking.k8s.io/v1"), None, None),
    ],
)  # fmt: skip
def test_an_api_version_that_is_gone(tree: Path, text: str, message: str | None, advice: str | None) -> None:
    findings = found(tree, "removed-api", {"web.yaml": text})
    assert [(finding.message, finding.advice, finding.line) for finding in findings] == (
        [(message, advice, 1)] if message else []
    )


@pytest.mark.parametrize(
    ("entry", "is_said"),
    [
        ("nope.yaml", True), ("../nope", True), ("github.com.yaml", True),
        ("web.yaml", False), ("notes.txt", False), ("../other", False),
        ("https://example.com/web.yaml", False), ("github.com/a/b", False), ("git@example.com:a/b.git", False),
        ("example.com/a/b//c", False), ("example.com/a/b?ref=v1", False), ("${FOLDER}/web.yaml", False),
    ],
)  # fmt: skip
def test_a_resource_that_is_not_there(tree: Path, entry: str, is_said: bool) -> None:
    files = {**BASE, "base/kustomization.yaml": f"resources:\n- {entry}\n", "base/notes.txt": "x",
             "other/kustomization.yaml": "{}"}  # fmt: skip
    findings = found(tree, "missing-resource", files)
    assert [(finding.file, finding.line) for finding in findings] == ([("base/kustomization.yaml", 2)] * is_said)


def test_a_resource_of_a_kustomization_that_is_evidence_is_not_said(tree: Path) -> None:
    files = {**BASE, "base/kustomization.yaml": "resources: [web.yaml, nope.yaml]\n"}
    assert found(tree, "missing-resource", files, edit="base/web.yaml") == []
