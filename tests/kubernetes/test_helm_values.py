"""The images in the values of Helm charts, and the values that objects set."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from hardener.kubernetes.images.helm_values import images, is_values_name, may_name_images
from hardener.kubernetes.pods import operator_pods as rendered

VALUES = [
    ("image: {repository: a/b, tag: 1.2.3}", [(("image",), "a/b:1.2.3")]),
    ("image: {registry: quay.io, repository: a/b, tag: '1.20'}", [(("image",), "quay.io/a/b:1.20")]),
    ("image: {repository: a, tag: 7}", [(("image",), "a:7")]),
    ("image: {repository: a, tag: ''}", [(("image",), "a:9.9")]),
    ("redis: {repository: a, tag: 7}", [(("redis",), "a:7")]),
    ("image: a:7", [(("image",), "a:7")]),
    ("jobs: [{image: a:7}]", [(("jobs", 0, "image"), "a:7")]),
    ("image: {repository: a, tag: '${TAG}'}", [(("image",), "a:${TAG}")]),
    # No image, or one of which nobody knows the tag.
    ("image: a", []),
    ("image: {repository: a}", []),
    ("image: {tag: 7}", []),
    ("chart: {repository: 'https://charts.example.com', tag: 1}", []),
    ("repository: {tag: 7}", []),
]


@pytest.mark.parametrize(("text", "found"), VALUES)
def test_images(text: str, found: list[tuple[Any, str]]) -> None:
    assert [(path, image.text) for path, image in images(yaml.safe_load(text), "9.9")] == found
    assert may_name_images(text) or not found


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("values.yaml", True), ("values-prod.yml", True), ("values.schema.json", False), ("my-values.yaml", False)],
)
def test_names_of_files(name: str, is_one: bool) -> None:
    assert is_values_name(name) is is_one


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ("spec: {values: {a: 1}}", [("spec", "values")]),
        ("spec: {values: null, forProvider: {values: {a: 1}}}", [("spec", "forProvider", "values")]),
        ("spec: {source: {helm: {valuesObject: {a: 1}}}}", [("spec", "source", "helm", "valuesObject")]),
        (
            "spec: {template: {spec: {sources: [{}, {helm: {valuesObject: {a: 1}}}]}}}",
            [("spec", "template", "spec", "sources", 1, "helm", "valuesObject")],
        ),
        ("spec: [1]", []),
        ("spec: {sources: {a: 1}, source: 1}", []),
    ],
)
def test_values_of_objects(document: str, places: list[tuple[str | int, ...]]) -> None:
    data = yaml.safe_load(document)
    assert list(rendered.placed_values(data)) == [(place, {"a": 1}) for place in places]
    assert list(rendered.values(data)) == [{"a": 1} for _ in places]


def test_what_an_application_says_of_its_chart() -> None:
    source = "{path: charts/a, helm: {parameters: [{name: image.tag, value: 1}, {value: 2}, 3]}}"
    data = yaml.safe_load(f"spec: {{source: {source}}}")
    assert list(rendered.parameters(data)) == ["image.tag"]
    assert list(rendered.chart_folders(data)) == ["charts/a"]
    assert list(rendered.chart_folders({"spec": {"chart": {"spec": {"chart": "./charts/a"}}}})) == ["./charts/a"]
