"""What would be left out in silence is said: kinds spelt wrong, API versions that are gone, resources not there, forms
that no API server takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.kubernetes.objects import kind_names, object_shapes
from hardener.kubernetes.objects.kind_names import KINDS, may_be_misspelt, meant, served_as
from hardener.sources.python.libraries import types

from .overlay_trees import BASE, WEB, run

DATA = Path(kind_names.__file__).parents[1] / "data"
INTERNAL = "internal.apiserver.k8s.io"  # is off unless it is asked for
INGRESS = "apiVersion: {}\nkind: Ingress\nmetadata: {{name: web}}\nspec: {{}}\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(tree: Path, id: str, *files: dict[str, str], edit: str = ".") -> list[Report]:
    findings = [finding for finding in run(tree, *files, edit=edit).findings if finding.id == id]
    assert all(finding.severity is Severity.LOW for finding in findings)
    return findings


def said(tree: Path, id: str, files: dict[str, str]) -> list[Report]:
    return [finding for finding in run(tree, files).findings if finding.id == id]


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


def test_no_group_of_kubernetes_is_taken_for_one_of_a_definition() -> None:
    groups = {each["group"] for each in json.loads((DATA / "discovery.json").read_text())} - {"apps"}
    assert {
        group: served_as(f"{group}/v1".lstrip("/"), "Deployment") for group in groups | {INTERNAL}
    } == dict.fromkeys(groups | {INTERNAL}, "apps/v1")
    assert served_as("gateway.networking.k8s.io/v1", "Deployment") is None


def test_a_kind_that_is_spelt_wrong(tree: Path) -> None:
    [finding] = found(tree, "unknown-kind", {"web.yaml": WEB.replace("kind: Deployment", "kind: Deployement")})
    assert (finding.file, finding.line) == ("web.yaml", 2)
    assert finding.message == "not looked at: the API group apps has no kind Deployement"
    assert finding.advice == "write Deployment, if that is meant"
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


def named(api_version: str, kind: str, more: str = "spec: {}") -> str:
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: web}}\n{more}\n"


@pytest.mark.parametrize(
    ("api_version", "kind", "served"),
    [
        ("v1", "Deployment", "apps/v1"), ("apps/v1", "Pod", "v1"), ("apps/v1", "Service", "v1"),
        ("app/v1", "Deployment", "apps/v1"), ("apps.v1", "Deployment", "apps/v1"),
        ("apps/v2", "StatefulSet", "apps/v1"), ("extensions/v1", "DaemonSet", "apps/v1"),
        ("apps/v1", "CronJob", "batch/v1"), ("extensions/v1beta1", "Job", "batch/v1"),
        ("v1", "Ingress", "networking.k8s.io/v1"), ("policy/v1", "NetworkPolicy", "networking.k8s.io/v1"),
        ("v1", "ClusterRole", "rbac.authorization.k8s.io/v1"),
        ("autoscaling/v3", "HorizontalPodAutoscaler", "autoscaling/v2"),
        ("storage.k8s.io/v1", "PersistentVolume", "v1"),
        # As they should be, or those of others.
        ("v1", "Pod", None), ("apps/v1", "Deployment", None), ("batch/v1", "Job", None),
        ("autoscaling/v1", "HorizontalPodAutoscaler", None), ("autoscaling/v2", "HorizontalPodAutoscaler", None),
        ("serving.knative.dev/v1", "Service", None), ("apps.kruise.io/v1alpha1", "StatefulSet", None),
        ("batch.volcano.sh/v1alpha1", "Job", None), ("iam.example.com/v1", "Role", None), ("v1", "Route", None),
        ("projectcalico.org/v3", "NetworkPolicy", None), ("v1", "DeploymentConfig", None), ("v2", "Chart", None),
        # Said in another way.
        ("extensions/v1beta1", "Deployment", None), ("batch/v1beta1", "CronJob", None),
        ("rbac.authorization.k8s.io/v1beta1", "Role", None),
    ],
)  # fmt: skip
def test_a_kind_of_another_api_group(tree: Path, api_version: str, kind: str, served: str | None) -> None:
    assert served_as(api_version, kind) == served
    findings = found(tree, "wrong-api-version", {"web.yaml": named(api_version, kind)})
    assert [(finding.file, finding.line, finding.advice) for finding in findings] == (
        [("web.yaml", 1, f"write apiVersion: {served}")] if served else []
    )


@pytest.mark.parametrize("kind", ["deployment", "Deployment", "DEPLOYMENT"])
def test_a_kind_of_another_group_in_other_letters(tree: Path, kind: str) -> None:
    [finding] = found(tree, "wrong-api-version", {"web.yaml": named("v1", kind)})
    assert finding.advice == "write apiVersion: apps/v1" + " and kind: Deployment" * (kind != "Deployment")
    assert found(tree, "unknown-kind", {"web.yaml": named("v1", kind)}) == []


NO_VERSION = WEB.replace("apiVersion: apps/v1\n", "")


@pytest.mark.parametrize("text", [NO_VERSION, "apiVersion:\n" + NO_VERSION, "apiVersion: ''\n" + NO_VERSION])
def test_a_workload_without_an_api_version(tree: Path, text: str) -> None:
    [finding] = found(tree, "wrong-api-version", {"web.yaml": text})
    assert (finding.message, finding.advice) == (
        "it names no API version, so it is not looked at", "write apiVersion: apps/v1",
    )  # fmt: skip
    assert (finding.file, str(finding.object), finding.line) == (
        "web.yaml",
        "Deployment/web",
        text.count("apiVersion") + 1,
    )


@pytest.mark.parametrize(
    ("text", "served", "line"),
    [
        ("kind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {kind: ClusterRole, name: cluster-admin}\n",
         "rbac.authorization.k8s.io/v1", 1),
        ("kind: Namespace\nmetadata: {name: shop}\n", "v1", 1),
        ("apiVersion: v1\nkind: List\nitems:\n- kind: Service\n  metadata: {name: s}\n", "v1", 4),
        ("apiVersion: v1\nkind: List\nitems:\n- " + NO_VERSION.replace("\n", "\n  "), "apps/v1", 4),
        ("kind: ServiceList\nitems:\n- metadata: {name: s}\n", "v1", 1),
    ],
)  # fmt: skip
def test_an_object_without_an_api_version(tree: Path, text: str, served: str, line: int) -> None:
    [finding] = found(tree, "wrong-api-version", {"a.yaml": text})
    assert (finding.advice, finding.not_looked_at) == (f"write apiVersion: {served}", True)
    assert finding.line in (line, line + 2)


NOT_REPORTED = {
    "items that take their version from the list": {
        "a.yaml": "apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: s}\n",
    },
    "a kind that nobody knows": {"a.yaml": "kind: Widget\nmetadata: {name: w}\n"},
    "a patch that a kustomization lists": {
        "kustomization.yaml": "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n", "web.yaml": WEB,
        "patch.yaml": named("v1", "Deployment", "spec: [{replicas: 2}]"),
    },
    "a part that deletes": {"part.yaml": named("v1", "Deployment", "$patch: delete")},
    "what has no name": {"part.yaml": "apiVersion: v1\nkind: Deployment\nspec: []\n"},
    "a version that is filled in later": {"part.yaml": named("${APPS}", "Deployment")},
    "no object": {"part.yaml": "kind: Deployment\nspec: []\n"},
    "a patch without a version": {"part.yaml": NO_VERSION.replace("        image: example.com/web:1.2.3\n", "")},
    "a patch without a version that a kustomization lists": {
        "kustomization.yaml": "resources: [web.yaml]\npatches: [{path: patch.yaml, target: {kind: Deployment}}]\n",
        "web.yaml": WEB, "patch.yaml": NO_VERSION,
    },
    "an item of a list": {"list.yaml": "apiVersion: v1\nkind: List\nitems:\n- " + WEB.replace("\n", "\n  ")},
    "a form that is filled in later": {"part.yaml": named("apps/v1", "Deployment", "spec: ${SPEC}")},
    "a form of a custom resource": {"part.yaml": named("example.com/v1", "Deployment", "spec: []")},
    "fields without a value": {"part.yaml": named("v1", "Service", "spec:\n  ports:\n  selector:")},
    "what OpenShift 3 called so": {
        "role.yaml": "apiVersion: v1\nkind: RoleBinding\nmetadata: {name: view}\nroleRef: {name: view}\n",
        "route.yaml": named("route.openshift.io/v1", "Route", "spec: {to: {kind: Service, name: web}}"),
    },
}  # fmt: skip


@pytest.mark.parametrize("files", NOT_REPORTED.values(), ids=NOT_REPORTED.keys())
def test_what_is_no_whole_object_of_kubernetes_is_not_taken_for_a_mistake(tree: Path, files: dict[str, str]) -> None:
    assert found(tree, "wrong-api-version", files) + found(tree, "not-valid-kubernetes", files) == []


def pod(more: str) -> str:
    return named("v1", "Pod", f"spec:\n  containers:\n  - name: web\n    image: example.com/web:1.2.3\n    {more}")


FORMS = [  # what is written, the place that is named, and what is right
    (named("v1", "Pod", "spec:\n- containers: [{name: a, image: b}]"), "spec", pod("tty: false")),
    (named("apps/v1", "Deployment", "spec: {template: [{spec: {}}]}"), "spec.template", WEB),
    (named("apps/v1", "Deployment", "spec: {template: {spec: [{containers: []}]}}"), "spec.template.spec",
     named("apps/v1", "Deployment", "spec: {template: {spec: {containers: []}}}")),
    (pod("args: --port=80"), "spec.containers[0].args", pod("args: [--port=80]")),
    (pod("env: {PORT: 80}"), "spec.containers[0].env", pod("env: [{name: PORT, value: '80'}]")),
    (pod("livenessProbe: [{exec: {command: [ls]}}]"), "spec.containers[0].livenessProbe",
     pod("livenessProbe: {exec: {command: [ls]}}")),
    (pod("resources: {limits: [{cpu: 1}]}"), "spec.containers[0].resources.limits",
     pod("resources: {limits: {cpu: 1}}")),
    (pod("command: [sleep]\n  tolerations: {operator: Exists}"), "spec.tolerations",
     pod("command: [sleep]\n  tolerations: [{operator: Exists}]")),
    (named("v1", "Service", "spec: {ports: [80]}"), "spec.ports[0]",
     named("v1", "Service", "spec: {ports: [{port: 80}]}")),
    (named("v1", "Service", "spec: {selector: [app]}"), "spec.selector",
     named("v1", "Service", "spec: {selector: {app: a}}")),
    (named("v1", "ConfigMap", "data: [a, b]"), "data", named("v1", "ConfigMap", "data: {a: b}")),
    (named("networking.k8s.io/v1", "Ingress", "spec: {rules: {host: a.example.com}}"), "spec.rules",
     named("networking.k8s.io/v1", "Ingress", "spec: {rules: [{host: a.example.com}]}")),
    (named("rbac.authorization.k8s.io/v1", "Role", "rules: {verbs: [get]}"), "rules",
     named("rbac.authorization.k8s.io/v1", "Role", "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]")),
    (named("batch/v1", "CronJob", "spec: {jobTemplate: [{spec: {}}]}"), "spec.jobTemplate",
     named("batch/v1", "CronJob", "spec: {jobTemplate: {spec: {}}}")),
    ("apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: [b]}\n", "metadata.labels",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {b: c}}\n"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "place", "right"), FORMS, ids=[place for _, place, _ in FORMS])
def test_a_form_that_no_api_server_takes(tree: Path, wrong: str, place: str, right: str) -> None:
    [finding] = found(tree, "not-valid-kubernetes", {"a.yaml": wrong})
    assert finding.file == "a.yaml" and f"{place} " in finding.message
    assert found(tree, "not-valid-kubernetes", {"a.yaml": right}) == []


def test_the_table_of_forms_is_that_of_the_schemas() -> None:
    def judge(form: str, known: str, where: str) -> None:
        assert known, f"{where} is not in the schemas"
        assert (form[0] == "[") == (known[0] == "["), where
        if form == "{":
            assert known[0] == "{" or types.fields(known) or known == "object", where
        elif form[0] != "[":
            assert known == form, where
        elif form != "[":
            judge(form[1:], known[1:], where)

    for name, fields in object_shapes.TYPES.items():
        for field, form in fields.items():
            judge(form, types.field_type(name, field), f"{name}.{field}")
    for (group, kind), fields in object_shapes.KINDS.items():
        assert types.api_versions(kind)[0].rpartition("/")[0] == group
        for field, form in fields.items():
            judge(form, types.field_type(kind, field), f"{kind}.{field}")


def test_the_best_version_of_a_kind_is_that_of_the_schemas() -> None:
    for kinds in KINDS.values():
        for kind in kinds:
            assert served_as("v0", kind) == types.api_versions(kind)[0]
            assert all(served_as(each, kind) is None for each in types.api_versions(kind)), kind


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


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: SELECTED}}
  template:
    metadata: {labels: {app: web}}
    spec: SPEC
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: KIND
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: web}]
"""


def deployment(spec: str = "{containers: []}", selected: str = "web") -> str:
    return DEPLOYMENT.replace("SPEC", spec).replace("SELECTED", selected)


WRONG_NAMES = {
    "YAML": {"a.yaml": deployment("{containers: [], hostPid: true}")},
    "a dict of a program": {
        "a.py": 'x = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": '
        '{"hostPid": True, "containers": [{"name": "a", "image": "b:1", "args": []}]}}\n'
    },
    "a part of a pod in a program": {
        "a.py": 'x = {"spec": {"containers": [{"name": "a", "image": "b:1", "args": []}]}}\n'
        'x["spec"]["hostPid"] = True\n'
    },
    "a manifest in Terraform": {
        "a.tf": 'resource "kubernetes_manifest" "a" {\n  manifest = {\n    apiVersion = "v1"\n    kind = "Pod"\n'
        '    metadata = { name = "a" }\n    spec = { containers = [], hostPid = true }\n  }\n}\n'
    },
    "a patch": {
        "kustomization.yaml": "patches: [{path: a.yaml}]\n",
        "a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {hostPid: true}\n",
    },
}


@pytest.mark.parametrize("files", WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_a_field_that_kubernetes_does_not_know_is_said_in_every_language(tree: Path, files: dict[str, str]) -> None:
    [finding] = said(tree, "unknown-field", files)
    assert (finding.severity, finding.advice) == (Severity.HIGH, "you meant hostPID: write that, if so")
    assert "Kubernetes 1.36 knows no field" in finding.message


REFUSED = {
    "a protocol in small letters": (
        {"a.yaml": deployment("{containers: [{name: a, image: b, ports: [{containerPort: 1, protocol: tcp}]}]}")},
        "spec.template.spec.containers[0].ports[0].protocol is not in capitals",
    ),
    "a selector of other labels": ({"a.yaml": deployment(selected="api")}, "the selector does not match"),
    "a subject without a namespace": (
        {"a.yaml": BINDING.replace("KIND", "ClusterRoleBinding")},
        "the ServiceAccount web has no namespace",
    ),
}


@pytest.mark.parametrize(("files", "message"), REFUSED.values(), ids=REFUSED)
def test_what_the_api_server_refuses_is_said(tree: Path, files: dict[str, str], message: str) -> None:
    [finding] = said(tree, "not-valid-kubernetes", files)
    assert finding.message.startswith(message)


RIGHT = {
    "labels that match": {"a.yaml": deployment()},
    "labels that are filled in": {"a.yaml": deployment(selected="${NAME}")},
    "an account in the namespace of its RoleBinding": {"a.yaml": BINDING.replace("KIND", "RoleBinding")},
    "an account whose namespace kustomize fills in": {
        "kustomization.yaml": "namespace: shop\nresources: [a.yaml]\n",
        "a.yaml": BINDING.replace("KIND", "ClusterRoleBinding"),
    },
}


@pytest.mark.parametrize("files", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_not_said(tree: Path, files: dict[str, str]) -> None:
    assert said(tree, "not-valid-kubernetes", files) + said(tree, "unknown-field", files) == []
