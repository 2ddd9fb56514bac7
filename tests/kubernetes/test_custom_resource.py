"""Custom resources that name images: told from text, found in data."""

from typing import Any

import pytest
import yaml

from hardener.kubernetes.objects.interest import is_interesting
from hardener.kubernetes.pods.custom_resource import image_fields, may_name_images
from hardener.support.data_path import Path

TASK = "apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  steps:\n  - image: golang:1.25\n"
CASES: list[tuple[str, list[Path]]] = [
    (TASK, [("spec", "steps", 0, "image")]),
    ('{"apiVersion": "tekton.dev/v1", "kind": "Task", "spec": {"image": "golang:1.25"}}', [("spec", "image")]),
    ("apiVersion: a.example.com/v1\nkind: A\nspec:\n  image: {repository: r/a, tag: x}\n", [("spec", "image")]),
    ("apiVersion: a.example.com/v1\nkind: A\nspec:\n  image:\n    repository: r/a\n", [("spec", "image")]),
    (
        "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nspec: {image: 'spark:3'}\n",
        [("spec", "image")],
    ),
    ("apiVersion: a.example.com/v1\nkind: A\nspec: {image: 'a:${TAG}'}\n", [("spec", "image")]),
    # A word alone, a picture, a field of another name, a status.
    ("apiVersion: a.example.com/v1\nkind: A\nspec: {image: true}\n", []),
    ("apiVersion: a.example.com/v1\nkind: A\nspec: {image: logo}\n", []),
    ("apiVersion: a.example.com/v1\nkind: A\nspec: {image: 'https://example.com/a.png'}\n", []),
    ("apiVersion: a.example.com/v1\nkind: A\nspec: {imagePullPolicy: Always}\n", []),
    ("apiVersion: a.example.com/v1\nkind: A\nstatus: {image: 'a:1'}\n", []),
    # Kubernetes' own, and files of tools.
    ("apiVersion: v1\nkind: ConfigMap\ndata: {image: 'a:1'}\n", []),
    ("apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: {image: 'a:1'}\n", []),
    ("apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nspec: {image: 'a:1'}\n", []),
    ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nspec: {image: 'a:1'}\n", []),
]


@pytest.mark.parametrize(("text", "fields"), CASES, ids=[text[:60] for text, _ in CASES])
def test_the_fields_and_that_their_text_is_parsed(text: str, fields: list[Path]) -> None:
    assert image_fields(yaml.safe_load(text)) == fields
    assert not fields or (may_name_images(text) and is_interesting(text))


@pytest.mark.parametrize(
    "text",
    [
        TASK.replace("image", "picture").replace("tekton.dev/v1", "a.example.com/v1").replace("Task", "A"),
        "kind: Cluster\napiVersion: cluster.example.com/v1\n",
        "image: nginx:1.27\nreplicas: 2\n",  # values of a chart
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {annotations: {image: 'a:1'}}\n",
        # A definition of such objects, with an example of one inside.
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  x: |\n    "
        + TASK.replace("\n", "\n    "),
    ],
)
def test_other_text_costs_no_parse(text: str) -> None:
    assert not is_interesting(text)


@pytest.mark.parametrize("document", [None, [], "a", {}, {"apiVersion": 1}, {"apiVersion": "a.b/v1", "spec": [[[]]]}])
def test_odd_data(document: Any) -> None:
    assert image_fields(document) == []


def test_depth_is_bounded() -> None:
    spec: Any = {"image": "a:1"}
    for _ in range(5000):
        spec = {"x": spec}
    assert image_fields({"apiVersion": "a.b/v1", "spec": spec}) == []
