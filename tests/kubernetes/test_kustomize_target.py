"""Which objects a patch is for."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.kubernetes.kustomize.image import images_of, named, retagged
from hardener.kubernetes.kustomize.target import Identity, is_named, is_selected, plain_name

WEB = Identity(
    "apps", "v1", "Deployment", frozenset({"web", "dev-web"}), frozenset({"default", "dev"}),
    {"app": "web", "tier": "front"}, {"team": "a"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("target", "selected"),
    [
        ({}, True),
        ({"kind": "Deployment", "name": "web"}, True),
        ({"name": "dev-web"}, True),
        ({"name": "we"}, False),
        ({"name": "w.*"}, True),
        ({"name": "web|api"}, True),
        ({"name": "^web$"}, True),
        ({"name": "(web|api)"}, True),
        ({"name": "we("}, False),
        ({"kind": "Deploy.*|StatefulSet"}, True),
        ({"kind": "StatefulSet"}, False),
        ({"group": "apps", "version": "v1"}, True),
        ({"group": "batch"}, False),
        ({"version": "v2"}, False),
        ({"namespace": "dev"}, True),
        ({"namespace": "default"}, True),
        ({"namespace": "prod"}, False),
        ({"labelSelector": "app=web"}, True),
        ({"labelSelector": "app==web,tier!=back"}, True),
        ({"labelSelector": "app in (web, api), tier notin (back)"}, True),
        ({"labelSelector": "app"}, True),
        ({"labelSelector": "!app"}, False),
        ({"labelSelector": "!other"}, True),
        ({"labelSelector": "app=api"}, False),
        ({"labelSelector": "other!=x"}, True),
        ({"labelSelector": "app ==== web"}, False),
        ({"annotationSelector": "team=a"}, True),
        ({"annotationSelector": "team=b"}, False),
        ({"name": 1}, False),
        ({"labelSelector": ["app"]}, False),
    ],
)
def test_targets(target: dict[str, Any], selected: bool) -> None:
    assert is_selected(target, WEB) is selected


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a*)*", ".*.*.*.*x", "a" * 2000, "(a)\\1", "(?=a)a"])
def test_a_pattern_that_may_take_for_ever_selects_nothing(pattern: str) -> None:
    item = Identity("", "v1", "Pod", frozenset({"a" * 253}), frozenset({"default"}))
    assert not is_selected({"name": pattern}, item)


def test_an_old_json_patch_names_its_object_exactly() -> None:
    assert is_selected({"name": "web"}, WEB, exact=True)
    assert not is_selected({"name": "w.*"}, WEB, exact=True)
    elsewhere = Identity("apps", "v1", "Deployment", frozenset({"web"}), frozenset({"dev"}))
    assert not is_selected({"name": "web"}, elsewhere, exact=True), "an unset namespace is the default one"


@pytest.mark.parametrize(
    ("patch", "is_meant"),
    [
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}, True),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "dev"}}, True),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "x"}}, False),
        ({"apiVersion": "apps/v2", "kind": "Deployment", "metadata": {"name": "web"}}, False),
        ({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}}, False),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": None}, False),
        ({}, False),
    ],
)
def test_a_patch_without_a_target_names_its_object(patch: dict[str, Any], is_meant: bool) -> None:
    assert is_named(patch, WEB) is is_meant


def test_one_name_or_several() -> None:
    assert plain_name({"name": "web-1"}) == "web-1"
    assert [plain_name({"name": name}) for name in ("w.*", "a|b", "w.b", "", None, 1)] == [None] * 6


DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("image", "entry", "expected"),
    [
        ("nginx", {"newName": "x"}, "x"),
        ("nginx:1.2", {"newName": "x"}, "x:1.2"),
        (f"nginx:1.2@{DIGEST}", {"newTag": "3"}, "nginx:3"),
        ("nginx:1.2", {"digest": DIGEST}, f"nginx@{DIGEST}"),
        ("nginx:1.2", {"newTag": "3", "digest": DIGEST}, f"nginx:3@{DIGEST}"),
        ("nginx:1.2", {"tagSuffix": "-x"}, "nginx:1.2-x"),
        ("reg:5000/nginx:1", {"newTag": "3"}, "reg:5000/nginx:1"),
        ("other:1", {"newTag": "3"}, "other:1"),
    ],
)
def test_images(image: str, entry: dict[str, Any], expected: str) -> None:
    document = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": image}]}}
    found = retagged(document, {"name": "nginx", **entry})
    assert [image for _, image in images_of(found)] == [expected]
    assert document["spec"] == {"containers": [{"name": "a", "image": image}]}


def test_names_of_images() -> None:
    assert [named(image) for image in ("a", "a:1", f"a@{DIGEST}", f"r:5000/a:1@{DIGEST}", "r:5000/a")] == [
        "a", "a", "a", "r:5000/a", "r:5000/a",
    ]  # fmt: skip
