"""Workloads in forms that nothing reads: each is counted, with its place and the way out."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import hardener.report
from hardener.kubernetes.objects.unread_forms import FORMS, in_language, in_yaml, is_apart

from .conftest import Harden, git, write

SCHEMA = Path(hardener.report.__file__).with_name("schema.json")
CUE = 'web: {\n\tapiVersion: "apps/v1"\n\tkind: "Deployment"\n}\njob: {apiVersion: "batch/v1", kind: "Job"}\n'
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: 'a:1'}]}\n"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("web.cue", CUE, [(3, "cue", "Deployment"), (5, "cue", "Job")]),
        ("web.jsonnet", "{ apiVersion: 'v1', kind: 'Pod' }", [(1, "jsonnet", "Pod")]),
        ("web.libsonnet", "local k = import 'k';\nk.apps.v1.deployment.new('a')", [(2, "jsonnet", "deployment")]),
        ("web.ts", 'import * as k8s from "@pulumi/kubernetes";\nnew k8s.apps.v1.Deployment("a", {});',
         [(2, "pulumi", "Deployment")]),
        ("main.go", '// pulumi-kubernetes\nappsv1.NewDeployment(ctx, "a", nil)', [(2, "pulumi", "Deployment")]),
        ("chart.ts", 'import {Chart} from "cdk8s";\nnew k8s.KubeDeployment(this, "a", {});',
         [(2, "cdk8s", "Deployment")]),
        ("main.go", 'import "k8s.io/api/core/v1"\np := &corev1.Pod{}', [(2, "go", "Pod")]),
        ("server.js", "const a = {apiVersion: 'v1', kind: 'Pod'}", [(1, "program", "Pod")]),
        ("web.yaml.j2", "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ a }}}\n", [(2, "template", "Pod")]),
        ("main.ts", 'import {Job} from "@pulumi/kubernetes/batch/v1";\nnew Job("a", {});', [(2, "pulumi", "Job")]),
        ("App.java", "import com.pulumi.kubernetes.apps.v1.Deployment;\nvar a = new Deployment(\"a\", null);",
         [(2, "pulumi", "Deployment")]),
        ("App.cs", "using Pulumi.Kubernetes.Apps.V1;\nvar a = new Deployment(\"a\");", [(2, "pulumi", "Deployment")]),
        ("App.cs", "// Pulumi\nnew Pulumi.Kubernetes.Core.V1.Pod(\"a\");", [(2, "pulumi", "Pod")]),
        ("main.go", 'import "cdk8s"\nkplus.NewDeployment(chart, nil)', [(2, "cdk8s", "Deployment")]),
        ("main.go", 'import "cdk8s"\nk8s.NewKubePod(chart, nil)', [(2, "cdk8s", "Pod")]),
        ("App.java", "import io.kubernetes.client;\nnew V1Pod().metadata(null);", [(2, "program", "Pod")]),
        ("App.java", "import io.fabric8.kubernetes;\nnew PodBuilder().build();", [(2, "program", "Pod")]),
        ("a.rs", 'json!({"apiVersion": "v1", "kind": "Pod"})', [(1, "program", "Pod")]),
        ("a.nix", 'apiVersion = "v1";\nkind = "Pod";', [(2, "dhall", "Pod")]),
        ("a.tftpl", "apiVersion: v1\nkind: Pod\n", [(2, "template", "Pod")]),
        ("Makefile", "a:\n\tkubectl apply -f - <<EOF\n\tapiVersion: v1\n\tkind: Pod\n", [(4, "heredoc", "Pod")]),
        ("ci/Jenkinsfile", "sh 'cat <<EOF'\napiVersion: v1\nkind: Job\n", [(3, "heredoc", "Job")]),
        ("web.ts", "export const kind = 'Deployment';", []),
        ("web.ts", 'import {Deployment} from "./deployments";\nnew Deployment("a", {});', []),
        ("policy.cue", 'kind: "Policy"', []),
    ],
)  # fmt: skip
def test_languages(name: str, text: str, found: list[tuple[int, str, str]]) -> None:
    assert [tuple(each) for each in in_language(name, text)] == found


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("helmfile.yaml", "releases:\n- name: a\n  chart: bitnami/redis\n", [(3, "helmfile")]),
        ("a/fleet.yaml", "helm:\n  chart: redis\n", [(2, "fleet")]),
        ("Chart.yaml", "name: a\ndependencies:\n- name: redis\n  repository: https://example.com/charts\n",
         [(4, "chart")]),
        ("Chart.yaml", "name: a\ndependencies:\n- name: lib\n  repository: file://../lib\n", []),
        ("settings.yaml", "chart: redis\n", []),
        ("values.yaml", "web:\n  initContainers:  # first\n  - name: a\n\n    image: b:1\n  - image: c\n",
         [(2, "settings")]),
        ("bare.yaml", "apiVersion: v1\n!!binary a2luZA==: Pod\nspec:\n  containers:\n  - image: a:1\n",
         [(4, "settings")]),
        ("values.yaml", "initContainers:\n- name: a\nb:\n  image: c\n", []),
        ("crd.yaml", "properties:\n  containers:\n    items:\n      image:\n        description: Its image.\n", []),
        ("azure-pipelines.yml", "resources:\n  containers:\n  - container: a\n    image: b:1\n", []),
        ("Pulumi.yaml", "resources:\n  a:\n    type: kubernetes:apps/v1:Deployment\n", [(3, "pulumi")]),
    ],
)  # fmt: skip
def test_tools(name: str, text: str, found: list[tuple[int, str]]) -> None:
    assert [(each.line, each.form) for each in in_yaml(name, text)] == found


@pytest.mark.parametrize(
    ("name", "form", "apart"),
    [
        ("README.md", "document", True), ("docs/a.cue", "cue", True), ("pkg/tests/a.cue", "cue", True),
        ("pkg/pod_test.go", "go", True), ("pkg/pod.go", "go", False), ("contest/a.cue", "cue", False),
    ],
)  # fmt: skip
def test_documents_and_tests_are_counted_apart(name: str, form: str, apart: bool) -> None:
    assert is_apart(name, form) is apart


def test_each_form_has_a_way_out() -> None:
    assert [key for key, form in FORMS.items() if not (form.name and form.advice)] == []


def counted(harden: Harden, tmp_path: Path, added: dict[str, str]) -> list[tuple[str, int, str]]:
    write(tmp_path, added)
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    return [
        (each["file"], each["line"], each["message"].removeprefix("not looked at: "))
        for each in report["findings"]
        if each["id"] == "unread-workload"
    ]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"kustomization.yaml": "resources:\n- https://example.com/base?ref=v1\n- ./web\nhelmCharts:\n- name: redis\n",
          "web/kustomization.yaml": "resources: []\n"},
         [("kustomization.yaml", 2, "https://example.com/base?ref=v1 in remote bases of kustomize"),
          ("kustomization.yaml", 5, "redis in charts of kustomize")]),
        ({"a.tf": 'resource "helm_release" "cache" {\n  chart = "redis"\n}\n'},
         [("a.tf", 1, "helm_release.cache in charts of Terraform")]),
        ({"a.tf": 'resource "kubernetes_replication_controller" "a" {\n  metadata {\n    name = "a"\n  }\n  spec {\n'
          '    template {\n      container {\n        image = "a:1"\n        name  = "a"\n      }\n    }\n  }\n}\n'},
         [("a.tf", 1, "ReplicationController/a in Terraform")]),
        ({"cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  pod: |\n"
          + "".join(f"    {line}\n" for line in POD.splitlines())},
         [("cm.yaml", 6, "Pod in texts within YAML")]),
        ({"README.md": f"```yaml\n{POD}```\n", "tests/web.cue": CUE}, []),
    ],
    ids=["kustomize", "helm_release", "an old form", "a text", "documents and tests"],
)  # fmt: skip
def test_what_no_reader_takes(
    files: dict[str, str], found: list[tuple[str, int, str]], harden: Harden, tmp_path: Path
) -> None:
    assert counted(harden, tmp_path, files) == found


def test_a_check_says_what_it_passed_for(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.cue": CUE, "ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"})
    git(tmp_path, "init", "-q")
    passed = harden("check", ".", "--only", "no-privileged")
    assert (
        passed.out.splitlines()[0]
        == "check passed for what was read; 2 workloads in 1 file of CUE were not; 2 findings"
    )
    assert passed.status == 0
    failed = harden("check", ".", "--only", "no-privileged", "--unread", "fail")
    assert failed.status == 2
    assert "2 workloads in 1 file of CUE were not read (--unread fail)" in failed.out
    assert harden("check", ".", "--only", "no-privileged", "--no-waivers", "--fail-on", "critical").status == 2
    report = json.loads(harden("check", ".", "--format", "sarif").out)["runs"][0]["results"]
    places = [each["locations"][0]["physicalLocation"] for each in report if each["ruleId"] == "unread-workload"]
    assert [place["region"]["startLine"] for place in places] == [3, 5]


def test_documents_are_a_note(harden: Harden, tmp_path: Path) -> None:
    fence = f"```yaml\n{POD}```\n"
    write(tmp_path, {"README.md": fence, "a.yaml": POD, **{f"docs/{number}.md": fence for number in range(4)}})
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    jsonschema.validate(report, json.loads(SCHEMA.read_text()))
    said = "not read, in documents and tests: 5 workloads in 5 files (README.md, docs/0.md, docs/1.md and 2 more)"
    places = [{"file": name, "line": 3} for name in ("README.md", *(f"docs/{n}.md" for n in range(4)))]
    assert [each for each in report["notes"] if each["id"] == "documents"] == [
        {"id": "documents", "message": said, "places": places}
    ]
    sarif = json.loads(harden("check", ".", "--format", "sarif").out)["runs"][0]["invocations"][0]
    notes = sarif["toolExecutionNotifications"]
    (locations,) = [each["locations"] for each in notes if each["descriptor"]["id"] == "documents"]
    assert [each["physicalLocation"]["artifactLocation"]["uri"] for each in locations] == [p["file"] for p in places]
