"""Custom resources that hold pods: what is found in each, what is written, and how bad what is left is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.pods.operator_templates import TEMPLATES
from hardener.kubernetes.pods.weaknesses import weaknesses

from .conftest import Harden, git, shared, write

LOOSE: dict[str, Any] = {"name": "a", "image": "registry.example.com/a:1", "securityContext": {"privileged": True}}


def placed(pattern: tuple[Any, ...], value: Any) -> Any:
    """``value`` at ``pattern``; a star is the one item of a list."""
    if not pattern:
        return value
    below = placed(pattern[1:], value)
    return [below] if pattern[0] == "*" else {pattern[0]: below}


def example(kind: tuple[str, str], pod: tuple[Any, ...]) -> dict[str, Any]:
    row = TEMPLATES[kind]
    group, name = kind
    inside = ("kafkaContainer",) if row.containers[0] == ("*",) else row.containers[0]
    body = placed(pod, placed(inside, LOOSE))
    return {"apiVersion": f"{group}/{row.versions[0]}", "kind": name, "metadata": {"name": "x"}, **body}


def test_each_place_of_each_row_is_found(harden: Harden, tmp_path: Path) -> None:
    places = [(kind, pod) for kind, row in TEMPLATES.items() for pod in row.pods]
    names = [f"{number:03}.yaml" for number in range(len(places))]
    texts = [yaml.safe_dump(example(kind, pod)) for kind, pod in places]
    write(tmp_path, dict(zip(names, texts, strict=True)))
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    found = {each["file"] for each in report["changes"] if each["id"] == "no-privileged"}
    assert [place for name, place in zip(names, places, strict=True) if name not in found] == []


def test_each_row_names_its_source_with_a_commit() -> None:
    assert len(TEMPLATES) >= 30
    sources = {kind: re.match(r"[\w.-]+/[\w.-]+@[0-9a-f]{12} \S+", row.source) for kind, row in TEMPLATES.items()}
    assert [kind for kind, source in sources.items() if source is None] == []


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "w"},
    "spec": {"selector": {}, "template": {"spec": {"containers": [LOOSE]}}},
}
POD_FIELDS = {"securityContext": {"runAsUser": 0}}


@pytest.mark.parametrize(
    ("kind", "body", "edited", "findings"),
    [
        ("template.openshift.io/v1 Template", {"objects": [DEPLOYMENT]}, True, []),
        ("kubernetes.crossplane.io/v1alpha2 Object", {"spec": {"forProvider": {"manifest": DEPLOYMENT}}}, True, []),
        ("fluxcd.controlplane.io/v1 ResourceSet", {"spec": {"resources": [DEPLOYMENT]}}, True, []),
        ("kro.run/v1alpha1 ResourceGraphDefinition", {"spec": {"resources": [{"template": DEPLOYMENT}]}}, True, []),
        ("kafka.strimzi.io/v1beta2 Kafka", {"spec": {"kafka": {"template": {"pod": POD_FIELDS}}}}, False,
         [("operator-resource", "medium")]),
        ("rabbitmq.com/v1beta1 RabbitmqCluster",
         {"spec": {"override": {"statefulSet": {"spec": {"template": {"spec": {"hostNetwork": True}}}}}}}, False,
         [("operator-resource", "high")]),
        ("acme.example.com/v1 Thing", {"spec": {"pod": {"hostPID": True}}}, False, [("operator-resource", "high")]),
        ("acme.example.com/v1 Thing", {"spec": {"part": {"image": "ubuntu", "command": ["id"]}}}, False,
         [("operator-resource", "low")]),
        ("acme.example.com/v1 Machine", {"spec": {"image": "ubuntu-24.04", "flavor": "m1.small"}}, False, []),
        ("argoproj.io/v1alpha1 Workflow", {"spec": {"templates": [], "podSpecPatch": "hostNetwork: true"}}, False,
         [("operator-resource", "high")]),
    ],
)  # fmt: skip
def test_what_is_left_weighs_by_what_it_is(
    kind: str, body: dict[str, Any], edited: bool, findings: list[tuple[str, str]], harden: Harden, tmp_path: Path
) -> None:
    version, name = kind.split()
    item = {"apiVersion": version, "kind": name, "metadata": {"name": "x"}, **body}
    write(tmp_path, {"a.yaml": yaml.safe_dump(item)})
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    assert ("no-privileged" in {each["id"] for each in report["changes"]}) is edited
    found = [(each["id"], each["severity"]) for each in report["findings"] if each["id"] == "operator-resource"]
    assert found == findings


def test_a_waiver_lets_a_weakness_be(harden: Harden, tmp_path: Path) -> None:
    text = (
        "apiVersion: acme.example.com/v1\nkind: Thing\nmetadata:\n  name: x\n"
        "  annotations: {hardener.dev/ignore-no-host-pid: it traces the node}\n"
        "spec: {pod: {hostPID: true}}\n"
    )
    write(tmp_path, {"a.yaml": text})
    git(tmp_path, "init", "-q")
    assert json.loads(harden("check", ".", "--format", "json").out)["findings"] == []


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"runAsUser": 0}, []),
        ({"podSecurityContext": {"runAsUser": 0}}, ["runAsUser: 0"]),
        ({"securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN", "CHOWN"]}}}, ["capabilities SYS_ADMIN"]),
        ({"a": {"allowPrivilegeEscalation": True}, "b": {"privileged": True}},
         ["privileged: true", "allowPrivilegeEscalation: true"]),
        ({"volumes": [{"hostPath": {"path": "/"}}], "hostPath": "/metrics"}, ["hostPath"]),
        ({"privileged": "false", "hostNetwork": False}, []),
    ],
)  # fmt: skip
def test_weaknesses(spec: dict[str, Any], found: list[str]) -> None:
    assert [each.what for each in weaknesses({"kind": "Thing", "spec": spec})] == found


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.acme.example.com}
spec:
  group: acme.example.com
  names: {kind: Thing, plural: things}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              parts:
                items:
                  properties:
                    pod:
                      properties:
                        containers:
                          items: {properties: {name: {}, image: {}, securityContext: {}}}
"""
THING = """\
apiVersion: acme.example.com/v1
kind: Thing
metadata: {name: x}
spec:
  parts:
  - pod:
      containers:
      - {name: a, image: "registry.example.com/a:1", securityContext: {privileged: true}}
  - pod:
      containers:
      - {name: b, securityContext: {privileged: true}}
"""


@pytest.mark.parametrize(
    ("definition", "edited"),
    [
        (DEFINITION, ["no-privilege-escalation", "no-privileged", "no-privileged", "seccomp-runtime-default"]),
        (DEFINITION.replace("acme.example.com\n", "other.example.com\n"), []),
        ("", []),
    ],
    ids=["its own", "of another group", "none"],
)
def test_a_definition_says_where_pods_are(definition: str, edited: list[str], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"crd.yaml": definition, "thing.yaml": THING})
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    edits = {each["id"] for each in report["changes"]}
    assert sorted(each["id"] for each in report["changes"] if each["id"] in edits - {"drop-capabilities"}) == edited
    severities = [each["severity"] for each in report["findings"] if each["id"] == "operator-resource"]
    assert severities == ([] if edited else ["high"])


IN_YAML = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: a, namespace: shop}
spec:
  templates:
  - name: m
    container: {name: c, image: "registry.example.com/a:1", securityContext: {privileged: true}}
"""
IN_HCL = """\
resource "kubernetes_manifest" "a" {
  manifest = {
    apiVersion = "argoproj.io/v1alpha1"
    kind       = "WorkflowTemplate"
    metadata = {
      name      = "a"
      namespace = "shop"
    }
    spec = {
      templates = [
        {
          name = "m"
          container = {
            name  = "c"
            image = "registry.example.com/a:1"
            securityContext = {
              privileged = true
            }
          }
        }
      ]
    }
  }
}
"""
IN_PYTHON = """\
from kubernetes import client

BODY = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "WorkflowTemplate",
    "metadata": {"name": "a", "namespace": "shop"},
    "spec": {
        "templates": [
            {
                "name": "m",
                "container": {
                    "name": "c",
                    "image": "registry.example.com/a:1",
                    "securityContext": {"privileged": True},
                },
            }
        ]
    },
}
client.CustomObjectsApi().create_namespaced_custom_object("argoproj.io", "v1alpha1", "shop", "workflowtemplates", BODY)
"""


def test_each_language_gets_the_same(harden: Harden, tmp_path: Path) -> None:
    found = []
    for name, text in (("a.yaml", IN_YAML), ("a.tf", IN_HCL), ("a.py", IN_PYTHON)):
        folder = tmp_path / name
        write(folder, {name: text})
        git(folder, "init", "-q")
        report = json.loads(harden("check", ".", "--format", "json", cwd=folder).out)
        found.append(sorted((each["id"], json.dumps(each["path"])) for each in report["changes"]))
    assert ("no-privileged", '["spec", "templates", 0, "container", "securityContext"]') in found[0]
    assert found[0] == found[1] == found[2]


def as_hcl(value: Any, indent: str = "  ") -> str:
    """``value`` as an expression of Terraform."""
    if isinstance(value, dict):
        lines = [f"{indent}  {key} = {as_hcl(item, indent + '  ')}\n" for key, item in value.items()]
        return "{\n" + "".join(lines) + indent + "}"
    if isinstance(value, list):
        return f"[{', '.join(as_hcl(item, indent) for item in value)}]"
    return json.dumps(value)


def as_text(language: str, document: dict[str, Any]) -> str:
    """A file in ``language`` that makes ``document``."""
    group, version = document["apiVersion"].split("/")
    arguments = f'"{group}", "{version}", "shop", "{document["kind"].lower()}s"'
    texts = {
        "yaml": yaml.safe_dump(document, sort_keys=False),
        "tf": f'resource "kubernetes_manifest" "a" {{\n  manifest = {as_hcl(document)}\n}}\n',
        "py": f"from kubernetes import client\n\nBODY = {document!r}\n"
        f"client.CustomObjectsApi().create_namespaced_custom_object({arguments}, BODY)\n",
    }
    return texts[language]


ALIKE = (
    "Task", "PipelineRun", "StepAction", "Notebook", "SidecarSet", "Grafana", "EnvoyProxy", "Prometheus", "VMCluster",
    "Elasticsearch", "SparkApplication", "MCPServer", "DeploymentRuntimeConfig", "FlinkDeployment", "RedisCluster",
)  # fmt: skip


def told(harden: Harden, folder: Path, texts: dict[str, str]) -> dict[str, set[tuple[str, str, str]]]:
    """What a run says of each file of ``texts``, by its name without the ending: edits, held back, findings."""
    write(folder, texts)
    git(folder, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json", cwd=folder).out)
    found: dict[str, set[tuple[str, str, str]]] = {}
    for part in ("changes", "held", "findings"):
        for each in report[part]:
            said = (part, each["id"], json.dumps(each["path"]))
            found.setdefault(Path(each["file"]).stem, set()).add(said)
    return found


def test_each_language_gets_the_same_of_each_kind(harden: Harden, tmp_path: Path) -> None:
    kinds = [kind for kind in TEMPLATES if kind[1] in ALIKE]
    assert len(kinds) == len(ALIKE)
    documents = {f"k{number}": example(kind, TEMPLATES[kind].pods[0]) for number, kind in enumerate(kinds)}
    in_yaml, in_hcl, in_python = (
        told(harden, tmp_path / language, {f"{k}.{language}": as_text(language, v) for k, v in documents.items()})
        for language in ("yaml", "tf", "py")
    )
    silent = {name for name in documents if not any(id == "no-privileged" for _, id, _ in in_yaml[name])}
    assert silent == set()
    assert in_hcl == in_python == in_yaml


# Of the custom resources beside the repository: what becomes of `privileged: true`, and the finding that is left.
REACH: dict[str, tuple[str, str]] = {
    "00-rollout": ("changes", ""),
    "01-cronworkflow": ("changes", ""),
    "02-workflowtemplate": ("changes", ""),
    "03-task": ("", "operator-resource high"),
    "04-stepaction": ("", "operator-resource high"),
    "05-pipeline": ("changes", ""),
    "06-prometheus": ("changes", "operator-resource medium"),
    "07-cluster": ("", "operator-resource low"),
    "08-kafka": ("", "operator-resource medium"),
    "09-elasticsearch": ("held", "operator-resource medium"),
    "10-opentelemetrycollector": ("changes", "operator-resource low"),
    "11-raycluster": ("changes", ""),
    "12-raycluster": ("changes", ""),
    "13-sparkapplication": ("", "operator-resource low"),
    "14-inferenceservice": ("changes", ""),
    "15-inferenceservice": ("", "operator-resource low"),
    "16-service": ("changes", ""),
    "17-notebook": ("changes", ""),
    "18-pytorchjob": ("changes", ""),
    "19-job": ("changes", ""),
    "20-jobset": ("changes", ""),
    "21-cloneset": ("changes", ""),
    "22-scaledjob": ("changes", ""),
    "23-deploymentruntimeconfig": ("changes", "operator-resource low"),
    "24-object": ("changes", ""),
    "25-release": ("", "renders-elsewhere low"),
    "26-composition": ("changes", ""),
    "27-virtualmachine": ("", "operator-resource low"),
    "28-rabbitmqcluster": ("", "operator-resource medium"),
    "29-replicationsource": ("", "operator-resource medium"),
    "30-vlsingle": ("changes", "operator-resource low"),
    "31-plan": ("held", ""),
    "32-template": ("changes", ""),
    "33-argocd": ("", "operator-resource low"),
    "34-envoyproxy": ("changes", "operator-resource low"),
    "35-resourceset": ("changes", ""),
    "36-resourcegraphdefinition": ("changes", ""),
    "37-sandbox": ("changes", ""),
    "38-mcpserver": ("changes", "operator-resource low"),
    "39-redis": ("", "operator-resource medium"),
    "40-certificate": ("", ""),
}


def test_custom_resources_of_others(harden: Harden, tmp_path: Path) -> None:
    copy = tmp_path / "crs"
    shutil.copytree(shared("findings", "reach", "crs"), copy)
    git(copy, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json", cwd=copy).out)
    became = {
        Path(each["file"]).stem: part
        for part in ("changes", "held")
        for each in report[part]
        if each["id"] == "no-privileged"
    }
    left = {
        Path(each["file"]).stem: f"{each['id']} {each['severity']}"
        for each in report["findings"]
        if each["id"] in ("operator-resource", "renders-elsewhere")
    }
    names = [path.stem for path in sorted(copy.glob("*.yaml"))]
    assert {name: (became.get(name, ""), left.get(name, "")) for name in names} == REACH
