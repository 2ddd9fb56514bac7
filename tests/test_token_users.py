"""What works with the token of a pod without standing in its manifest, and what makes that needless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.engine import pipeline
from hardener.facts.access.api_use import need
from hardener.kubernetes.pods.token_users import (
    OPERATED,
    PROGRAMS,
    SIDECARS,
    Operated,
    Program,
    Sidecar,
    program,
    runs_as_default,
)
from hardener.tree.tree import Tree

from .conftest import write

FIELD = "automountServiceAccountToken"
VAULT, DAPR = "vault.hashicorp.com/", "dapr.io/"
BANZAI, SECRETS = "vault.security.banzaicloud.io/", "secrets-webhook.security.bank-vaults.io/"
FIRST_PARTY = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio}
spec: {values: {global: {jwtPolicy: first-party-jwt}}}
"""
WITHOUT_SDS = FIRST_PARTY.replace("jwtPolicy: first-party-jwt", "sds: {enabled: false}")
WITHOUT_PROJECTION = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: linkerd}
spec: {chart: {spec: {chart: linkerd-control-plane}}, values: {identity: {serviceAccountTokenProjection: false}}}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {KEY: enabled}}\n"


def deployment(annotations: dict[str, str], labels: dict[str, str], image: str) -> str:
    return yaml.safe_dump({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app", "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app", **labels}, "annotations": annotations},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    })  # fmt: skip


def is_kept(folder: Path, text: str) -> bool:
    """Whether the pod of a Deployment keeps its token where all transforms run."""
    write(folder, {"app.yaml": text})
    outcome = pipeline.run(Tree.read([str(folder)], root=str(folder)), profile.load("restricted"))
    changed = next((change.text for change in outcome.files if change.file.name.endswith("app.yaml")), text)
    found = next(item for item in yaml.safe_load_all(changed) if item["kind"] == "Deployment")
    spec: dict[str, Any] = found["spec"]["template"]["spec"]
    return spec.get(FIELD) is not False or any("projected" in volume for volume in spec.get("volumes", ()))


@pytest.mark.parametrize(
    ("annotations", "more", "kept"),
    [
        ({}, "", False),
        ({f"{DAPR}enabled": "true"}, "", True),
        ({f"{DAPR}enabled": "yes"}, "", True),
        ({f"{DAPR}enabled": "false"}, "", False),
        ({f"{DAPR}enabled": "true", f"{DAPR}disable-builtin-k8s-secret-store": "true"}, "", False),
        ({f"{DAPR}enabled": "true", f"{DAPR}disable-builtin-k8s-secret-store": "false"}, "", True),
        ({f"{VAULT}agent-inject": "true"}, "", True),
        ({f"{VAULT}agent-inject": "true", f"{VAULT}auth-type": "kubernetes"}, "", True),
        ({f"{VAULT}agent-inject": "true", f"{VAULT}auth-type": "aws"}, "", False),
        ({f"{VAULT}agent-inject": "true", f"{VAULT}agent-service-account-token-volume-name": "t"}, "", False),
        ({"vault.security.banzaicloud.io/vault-addr": "https://vault:8200"}, "", True),
        ({f"{BANZAI}vault-addr": "https://vault:8200", f"{BANZAI}vault-auth-method": "namespaced"}, "", True),
        ({f"{BANZAI}vault-addr": "https://vault:8200", f"{BANZAI}vault-auth-method": "aws-iam"}, "", False),
        ({f"{BANZAI}vault-addr": "https://vault:8200", f"{BANZAI}token-auth-mount": "t:token"}, "", False),
        ({f"{BANZAI}vault-addr": "https://vault:8200", f"{BANZAI}service-account-token-volume-name": "t"}, "", False),
        ({f"{SECRETS}vault-addr": "https://vault:8200"}, "", True),
        ({f"{SECRETS}bao-addr": "https://bao:8200"}, "", True),
        ({f"{SECRETS}bao-addr": "https://bao:8200", f"{SECRETS}bao-service-account-token-volume-name": "t"}, "", False),
        ({"consul.hashicorp.com/connect-inject": "true"}, "", True),
        ({"kuma.io/sidecar-injection": "enabled"}, "", True),
        ({"kuma.io/sidecar-injection": "enabled", "kuma.io/service-account-token-volume": "t"}, "", False),
        ({"kuma.io/sidecar-injection": "disabled"}, NAMESPACE.replace("KEY", "kuma.io/sidecar-injection"), False),
        ({}, NAMESPACE.replace("KEY", "kuma.io/sidecar-injection"), True),
        ({"linkerd.io/inject": "enabled"}, "", False),
        ({"linkerd.io/inject": "enabled"}, WITHOUT_PROJECTION, True),
        ({"linkerd.io/inject": "enabled", "config.linkerd.io/proxy-version": "stable-2.11.0"}, "", True),
        ({"linkerd.io/inject": "enabled", "config.linkerd.io/proxy-version": "edge-24.2.1"}, "", False),
        ({"sidecar.istio.io/inject": "true"}, "", False),
        ({"sidecar.istio.io/inject": "true"}, FIRST_PARTY, True),
        ({"sidecar.istio.io/inject": "true"}, WITHOUT_SDS, True),
        ({"sidecar.istio.io/inject": "false"}, FIRST_PARTY, False),
        ({}, f"{FIRST_PARTY}---\n{NAMESPACE.replace('annotations', 'labels').replace('KEY', 'istio-injection')}", True),
    ],
)  # fmt: skip
def test_a_sidecar_that_works_with_the_token_keeps_it(
    annotations: dict[str, str], more: str, kept: bool, tmp_path: Path
) -> None:
    text = deployment(annotations, {}, "example.com/app:1")
    assert is_kept(tmp_path, f"{text}---\n{more}" if more else text) is kept


def test_an_old_linkerd_is_a_doubt_where_its_version_is_not_known(tmp_path: Path) -> None:
    write(tmp_path, {"app.yaml": deployment({"linkerd.io/inject": "enabled"}, {}, "example.com/app:1")})
    (pod,) = Tree.read([str(tmp_path)], root=str(tmp_path)).pod_templates
    found = need(pod)
    assert [fact.text for fact in found.maybe] == ["Linkerd before 2.12 logs in with this token"]
    assert not found.evidence


@pytest.mark.parametrize(
    ("image", "kept"),
    [
        ("jenkins/jenkins:lts", True), ("jenkins/inbound-agent:1", True), ("jenkins/ssh-agent:1", True),
        ("ghcr.io/acme/jenkins-agent-go:1", True), ("us-docker.pkg.dev/spinnaker-community/docker/clouddriver:1", True),
        ("quay.io/argoproj/argoexec:v3.6.0", True), ("mailhog/mailhog:v1.0.1", False), ("acme/jenkins-theme:1", False),
    ],
)  # fmt: skip
def test_a_program_that_does_what_others_tell_it_keeps_the_token(image: str, kept: bool, tmp_path: Path) -> None:
    assert is_kept(tmp_path, deployment({}, {}, image)) is kept


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "expected"),
    [
        ("argoproj.io/v1alpha1", "Workflow", {"templates": []}, True),
        ("argoproj.io/v1alpha1", "Workflow", {"serviceAccountName": "runs"}, False),
        ("argoproj.io/v1alpha1", "Workflow", {"executor": {"serviceAccountName": "runs"}}, False),
        ("argoproj.io/v1alpha1", "CronWorkflow", {"workflowSpec": {"serviceAccountName": "runs"}}, False),
        ("argoproj.io/v1alpha1", "Application", {}, False),
        ("tekton.dev/v1", "TaskRun", {"taskRef": {"name": "build"}}, True),
        ("tekton.dev/v1", "PipelineRun", {"taskRunTemplate": {"serviceAccountName": "runs"}}, False),
        ("tekton.dev/v1", "TaskRun", {"podTemplate": {FIELD: False}}, False),
        ("triggers.tekton.dev/v1beta1", "EventListener", {"triggers": []}, True),
        ("spinnaker.io/v1alpha2", "SpinnakerService", {}, True),
    ],
)
def test_pods_of_an_operator_that_names_no_account_run_as_default(
    api_version: str, kind: str, spec: dict[str, Any], expected: bool
) -> None:
    assert runs_as_default({"apiVersion": api_version, "kind": kind, "spec": spec}) is expected


def test_rights_that_workflows_use_as_default_are_not_moved_to_one_workload(tmp_path: Path) -> None:
    binding = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: default, namespace: shop}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: runs}
"""
    workflow = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: report, namespace: shop}
spec: {entrypoint: main, templates: []}
"""
    texts = [binding, deployment({}, {}, "example.com/app:1"), workflow]
    for held, parts in ((False, texts[:2]), (True, texts)):
        write(tmp_path, {"app.yaml": "---\n".join(parts)})
        tree = Tree.read([str(tmp_path)], root=str(tmp_path))
        outcome = pipeline.run(tree, profile.load("restricted"), only=frozenset({"rbac-default-sa"}))
        assert bool(outcome.findings) is held
        assert bool(outcome.changes) is not held


def test_each_row_says_where_it_is_from() -> None:
    rows: tuple[Sidecar | Operated | Program, ...] = (*SIDECARS, *OPERATED, *PROGRAMS)
    for row in rows:
        assert row.does and row.source and row.version
    assert program("docker.io/library/nginx") is None
