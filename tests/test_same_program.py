"""What other containers of the same image show: the number that they run as, their requests and limits."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from hardener.facts.images.collectors.same_image import SameImages
from hardener.facts.images.known_image import known_image
from hardener.facts.images.numbers_elsewhere import NumbersElsewhere
from hardener.tree.tree import Tree

IMAGE = "example.com/web:1"


def tree(*pods: list[dict[str, Any]]) -> Tree:
    """Pods with these containers, each of IMAGE unless it says another."""
    texts = []
    for number, containers in enumerate(pods):
        named = [{"name": f"c{index}", "image": IMAGE} | each for index, each in enumerate(containers)]
        metadata = {"name": f"pod-{number}"}
        texts.append(
            json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": named}})
        )
    return Tree.from_text("\n---\n".join(texts))


def runs_as(number: Any, **more: Any) -> dict[str, Any]:
    return {"securityContext": {"runAsUser": number}, **more}


@pytest.mark.parametrize(
    ("containers", "uid"),
    [
        ([runs_as(1000)], 1000),
        ([runs_as(1000), runs_as(2000), runs_as(2000)], 2000),
        ([runs_as(1000), runs_as(2000)], 1000),  # of equals the first
        ([runs_as(0)], None),
        ([runs_as(0), runs_as(0), runs_as(2000)], 2000),
        ([runs_as("${USER}"), runs_as(2000)], 2000),
        ([runs_as(65532)], None),  # what a run writes for want of better
        ([runs_as(2**31)], None),
        ([runs_as(1000, image="example.com/other:1")], None),
        ([{}], None),
    ],
)
def test_the_number_of_an_image_is_that_of_most_containers(containers: list[dict[str, Any]], uid: int | None) -> None:
    found = tree(*[[each] for each in containers]).ask(SameImages).number("example.com/web")
    assert (None if found is None else found.uid) == uid


@pytest.mark.parametrize(
    ("image", "command", "uid"),
    [
        ("busybox:1.37", ["sh", "-c", "date"], 1000),
        ("busybox:1.37", ["sh", "-c", "hostname"], None),
        ("example.com/web:1", ["sh", "-c", "hostname"], 1000),
    ],
)
def test_an_image_that_does_nothing_by_itself_has_the_number_of_what_it_is_told(
    image: str, command: list[str], uid: int | None
) -> None:
    shown = runs_as(1000, image=image, command=["sh", "-c", "date"])
    found = tree([shown], [{"image": image, "command": command}])
    assert known_image(found.pod_templates[1].containers[0]).uid == uid


def with_memory(amount: Any, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"memory": amount}}, **more}


@pytest.mark.parametrize(
    ("pods", "written"),
    [
        pytest.param([[{}], [with_memory("64Mi")]], "64Mi", id="in another pod"),
        pytest.param([[{}, with_memory("64Mi")]], "64Mi", id="in the same pod"),
        pytest.param([[with_memory("64Mi")]], None, id="its own alone"),
        pytest.param([[with_memory("1Gi")], [with_memory("64Mi")]], "64Mi", id="its own is larger"),
        pytest.param([[{}], [with_memory("64Mi")], [with_memory("1Gi")], [with_memory("512Mi")]], "1Gi", id="largest"),
        pytest.param([[{}], [with_memory("0")]], None, id="nothing"),
        pytest.param([[{}], [with_memory("${MEMORY}")]], None, id="an expression"),
        pytest.param([[{}], [with_memory("64Mi", image="example.com/other:1")]], None, id="another image"),
    ],
)
def test_the_largest_number_of_another_container_counts(pods: list[list[dict[str, Any]]], written: str | None) -> None:
    found = tree(*pods)
    asking = found.pod_templates[0].containers[0]
    number = found.ask(NumbersElsewhere).largest(asking, "requests", "memory")
    assert (None if number is None else number.text) == written


def pod(container: dict[str, Any], **metadata: Any) -> str:
    named = [{"name": "c", "image": IMAGE} | container]
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": named}}
    return json.dumps(item)


@pytest.mark.parametrize(
    ("asking", "other", "counts"),
    [
        pytest.param({"namespace": "a"}, {"namespace": "a"}, True, id="one namespace"),
        pytest.param({"namespace": "a"}, {"namespace": "b"}, False, id="two namespaces"),
        pytest.param({"namespace": "a"}, {}, False, id="a namespace and none"),
        pytest.param({}, {}, True, id="one folder, no namespace"),
        pytest.param({"namespace": "a", "name": "x"}, {"namespace": "b", "name": "x"}, True, id="one name"),
        *(
            pytest.param(
                {"namespace": "a", "labels": {key: "shop"}}, {"namespace": "b", "labels": {key: "shop"}}, counts, id=key
            )
            for key, counts in (("app", True), ("app.kubernetes.io/part-of", True), ("tier", False))
        ),
    ],
)
def test_what_another_application_asks_for_says_nothing(
    asking: dict[str, Any], other: dict[str, Any], counts: bool
) -> None:
    texts = [pod({}, **{"name": "one"} | asking), pod(with_memory("64Mi"), **{"name": "two"} | other)]
    found = Tree.from_text("\n---\n".join(texts))
    number = found.ask(NumbersElsewhere).largest(found.pod_templates[0].containers[0], "requests", "memory")
    assert (number is not None) is counts


@pytest.mark.parametrize(
    ("image", "counts"),
    [
        *(
            (name, False)
            for name in ("busybox", "alpine:3", "bash", "curlimages/curl:8", "registry.example.com/m/python")
        ),
        *((name, True) for name in ("redis", "registry.example.com/busybox/shop:1", "example.com/curler")),
    ],
)
def test_what_an_image_for_anything_asks_for_says_nothing(image: str, counts: bool) -> None:
    found = tree([{"image": image}], [with_memory("64Mi", image=image)])
    number = found.ask(NumbersElsewhere).largest(found.pod_templates[0].containers[0], "requests", "memory")
    assert (number is not None) is counts


def test_a_number_above_the_most_is_left_out() -> None:
    found = tree([{}], [with_memory("1000Gi")], [with_memory("64Mi")])
    asking = found.pod_templates[0].containers[0]
    number = found.ask(NumbersElsewhere).largest(asking, "requests", "memory", Fraction(8 * 2**30))
    assert number is not None and number.text == "64Mi"
