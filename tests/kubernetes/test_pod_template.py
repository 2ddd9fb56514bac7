"""Where pod templates are."""

from typing import Any

import pytest

from hardener.kubernetes.pods.pod_template import (
    PARTIAL_KINDS,
    POD_KINDS,
    group,
    partial_specs,
    runtime_specs,
    templates,
)
from hardener.support.data_path import Path

TEMPLATE: dict[str, Any] = {"metadata": {}, "spec": {"containers": []}}


def nested(path: Path) -> dict[str, Any]:
    """A document with a template at `path`."""
    node: Any = TEMPLATE
    for step in reversed(path):
        node = [node] if step == 0 else {step: node}
    return dict(node)


PLACES: list[tuple[str, str, Path]] = [
    ("v1", "Pod", ()),
    ("v1", "PodTemplate", ("template",)),
    ("v1", "ReplicationController", ("spec", "template")),
    ("apps/v1", "Deployment", ("spec", "template")),
    ("apps/v1beta1", "Deployment", ("spec", "template")),
    ("apps/v1beta2", "StatefulSet", ("spec", "template")),
    ("extensions/v1beta1", "Deployment", ("spec", "template")),
    ("extensions/v1beta1", "DaemonSet", ("spec", "template")),
    ("apps/v1", "ReplicaSet", ("spec", "template")),
    ("batch/v1", "Job", ("spec", "template")),
    ("batch/v1", "CronJob", ("spec", "jobTemplate", "spec", "template")),
    ("batch/v1beta1", "CronJob", ("spec", "jobTemplate", "spec", "template")),
    ("argoproj.io/v1alpha1", "Rollout", ("spec", "template")),
    ("apps.openshift.io/v1", "DeploymentConfig", ("spec", "template")),
    ("v1", "DeploymentConfig", ("spec", "template")),
    ("apps.kruise.io/v1alpha1", "CloneSet", ("spec", "template")),
    ("apps.kruise.io/v1beta1", "StatefulSet", ("spec", "template")),
    ("keda.sh/v1alpha1", "ScaledJob", ("spec", "jobTargetRef", "template")),
    ("batch.volcano.sh/v1alpha1", "Job", ("spec", "tasks", 0, "template")),
    ("kubeflow.org/v1", "PyTorchJob", ("spec", "pytorchReplicaSpecs", "Worker", "template")),
    ("kubeflow.org/v1", "TFJob", ("spec", "tfReplicaSpecs", "Chief", "template")),
    ("ray.io/v1", "RayCluster", ("spec", "headGroupSpec", "template")),
    ("ray.io/v1", "RayCluster", ("spec", "workerGroupSpecs", 0, "template")),
    ("ray.io/v1", "RayJob", ("spec", "rayClusterSpec", "headGroupSpec", "template")),
    ("ray.io/v1", "RayJob", ("spec", "submitterPodTemplate")),
    ("ray.io/v1", "RayService", ("spec", "rayClusterConfig", "workerGroupSpecs", 0, "template")),
    ("jobset.x-k8s.io/v1alpha2", "JobSet", ("spec", "replicatedJobs", 0, "template", "spec", "template")),
    ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", ("spec", "leaderWorkerTemplate", "workerTemplate")),
    ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", ("spec", "leaderWorkerTemplate", "leaderTemplate")),
]


@pytest.mark.parametrize(("api_version", "kind", "path"), PLACES)
def test_place(api_version: str, kind: str, path: Path) -> None:
    document = {"apiVersion": api_version, "kind": kind, **nested(path)}
    assert templates(document) == [path]
    assert kind in POD_KINDS


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("example.com/v1", "Deployment"),
        ("v1", "Deployment"),
        ("apps/v1", "Pod"),
        ("serving.knative.dev/v1", "Service"),
        ("networking.k8s.io/v1", "Ingress"),
        ("argoproj.io/v1alpha1", "Workflow"),
    ],
)
def test_a_kind_of_another_group_is_another_kind(api_version: str, kind: str) -> None:
    assert templates({"apiVersion": api_version, "kind": kind, **nested(("spec", "template"))}) == []


def test_a_rollout_that_refers_to_a_deployment_has_no_template_of_its_own() -> None:
    spec = {"workloadRef": {"kind": "Deployment", "name": "x"}, "template": TEMPLATE}
    assert templates({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": spec}) == []


def test_all_templates_of_an_object() -> None:
    head, worker = {"template": TEMPLATE}, {"template": TEMPLATE}
    spec = {"headGroupSpec": head, "workerGroupSpecs": [worker, {"template": None}, worker]}
    assert templates({"apiVersion": "ray.io/v1", "kind": "RayCluster", "spec": spec}) == [
        ("spec", "headGroupSpec", "template"),
        ("spec", "workerGroupSpecs", 0, "template"),
        ("spec", "workerGroupSpecs", 2, "template"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "Pod",
        {},
        {"kind": "Pod"},
        {"kind": ["Pod"], "apiVersion": "v1", "spec": {}},
        {"kind": "Pod", "apiVersion": "v1", "spec": None},
        {"kind": "Deployment", "apiVersion": "apps/v1", "spec": []},
        {"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"template": "{{ x }}"}},
        {"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"template": {"spec": "x"}}},
        {"kind": "Deployment", "apiVersion": 1, "spec": {"template": TEMPLATE}},
        {"kind": "TFJob", "apiVersion": "kubeflow.org/v1", "spec": {1: {}, "tfReplicaSpecs": [TEMPLATE]}},
        {"kind": "Job", "apiVersion": "batch.volcano.sh/v1", "spec": {"tasks": 3}},
    ],
)
def test_other_shapes_have_none(document: object) -> None:
    assert templates(document) == []


@pytest.mark.parametrize(
    ("api_version", "expected"), [("v1", ""), ("apps/v1", "apps"), ("a.b.c/v1beta1", "a.b.c"), (None, ""), (1, "")]
)
def test_group(api_version: object, expected: str) -> None:
    assert group(api_version) == expected


CONTAINERS = {"containers": [{"image": "a"}]}
PARTIAL: list[tuple[str, str, Any, list[Path], list[Path]]] = [
    ("serving.knative.dev/v1", "Service", {"template": {"spec": CONTAINERS}}, [("spec", "template", "spec")], []),
    ("serving.knative.dev/v1", "Configuration", {"template": {"spec": CONTAINERS}}, [("spec", "template", "spec")], []),
    ("v1", "Service", {"template": {"spec": CONTAINERS}}, [], []),
    (
        "serving.kserve.io/v1beta1",
        "InferenceService",
        {"predictor": {"model": {"image": "a"}}, "transformer": CONTAINERS, "explainer": {"minReplicas": 1}},
        [("spec", "predictor"), ("spec", "transformer")],
        [("spec", "explainer")],
    ),
    ("serving.kserve.io/v1beta1", "InferenceService", {"predictor": {"model": {}}}, [], [("spec", "predictor")]),
    ("serving.kserve.io/v1beta1", "InferenceService", {"predictor": []}, [], []),
]


@pytest.mark.parametrize(("api_version", "kind", "spec", "named", "elsewhere"), PARTIAL)
def test_pod_specs_of_which_the_api_takes_a_part(
    api_version: str, kind: str, spec: Any, named: list[Path], elsewhere: list[Path]
) -> None:
    document = {"apiVersion": api_version, "kind": kind, "spec": spec}
    assert (partial_specs(document), runtime_specs(document)) == (named, elsewhere)
    assert templates(document) == []
    assert kind in PARTIAL_KINDS
