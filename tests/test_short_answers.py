"""What is told by a short way, or kept for who asks next, is what the long way tells."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.authoring.edits import WrongShapeError
from hardener.engine import pipeline
from hardener.sources.open_values import OpenDict
from hardener.tree.core_views import OpaqueError
from hardener.tree.pod_kind import is_patch
from hardener.tree.tree import Tree
from hardener.tree.view import View


def pod(**spec: Any) -> str:
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})


WEB = {"name": "web", "image": "example.com/web:1"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [WEB]}, False),
        ({"containers": [{"name": "web"}]}, True),
        ({"containers": [WEB], "volumes": [{"name": "old", "$patch": "delete"}]}, True),
        ({"containers": [WEB], "hostNetwork": True}, False),
        ({"containers": [{"name": "web"}, "web"]}, None),
        ({"containers": "web", "volumes": [{"$patch": "delete"}]}, None),
    ],
)
def test_a_patch_is_told_as_among_all_classes(spec: dict[str, Any], expected: bool | None) -> None:
    def told(*, known: bool) -> bool | None:
        (template,) = Tree.from_text(pod(**spec)).pod_templates
        try:
            if known:
                return "patch" in template.classes and is_patch(template)
            return is_patch(template)
        except (WrongShapeError, OpaqueError):
            return None

    assert told(known=False) is told(known=True) is expected


def test_an_empty_pod_is_seen_as_it_was_read() -> None:
    tree = Tree.from_text(pod())
    (template,) = tree.pod_templates
    tree.objects[0].data["spec"]["serviceAccountName"] = "app"
    assert template.data == {}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, False),
        ({"labels": None}, False),
        ({"labels": {"app": "web"}}, False),
        ({"labels": {"app": "web", "asks": "yes"}}, True),
        ({"labels": "${LABELS}"}, True),
        ({"labels": OpenDict({"app": "web"})}, True),
        (OpenDict(), True),
    ],
)
def test_what_may_hold_a_key_is_all_that_cannot_be_told(metadata: dict[str, Any], expected: bool) -> None:
    (item,) = Tree.from_text(pod(containers=[WEB])).objects
    assert View(item, (0, "metadata"), metadata).may_hold("labels", frozenset({"asks", "other"})) is expected


def test_mounts_are_those_of_the_container_as_it_is_now() -> None:
    mounts = import_module("hardener.transforms.workload._volumes").mounts
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "more", "emptyDir": {}}]
    mounted = {**WEB, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    (template,) = Tree.from_text(pod(containers=[mounted, {**WEB, "name": "other"}], volumes=volumes)).pod_templates
    web, other = template.containers
    assert [mount.path for mount in mounts(web)] == ["/data"] == [mount.path for mount in mounts(web)]
    web.data["volumeMounts"].append({"name": "more", "mountPath": "/more"})
    web.object.piece.wiring += 1  # as a step does
    assert [mount.path for mount in mounts(web)] == ["/data", "/more"]
    assert [mount.source for mount in mounts(web)] == ["emptyDir", "emptyDir"]
    assert mounts(other) == []


def test_where_the_user_is_not_known_no_capability_goes() -> None:
    tree = Tree.from_text(pod(securityContext={"runAsUser": "${USER}"}, containers=[WEB]))
    outcome = pipeline.run(tree, profile.load("baseline"), forks=False)
    assert "drop-capabilities" not in {change.transform.id for change in outcome.changes}
    assert any("drop-capabilities" in finding.message for finding in outcome.findings)
