"""What is known of a container whose command is read whole: any user will do, and every place that it writes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.commands.run import Choices, plan_of
from hardener.facts.images.known_image import known_image
from hardener.facts.images.ledger import ImageLedger
from hardener.kubernetes.images.general_purpose import is_general_purpose, started_with
from hardener.kubernetes.images.reference import ImageReference, parse
from hardener.tree.tree import Tree
from tests.conftest import write

WAITS = ["sh", "-c", "until nc -z db 5432; do sleep 1; done"]
MOUNTED = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}


def known(folder: Path, container: dict[str, Any], **spec: Any) -> ImageLedger:
    """What is known of ``container``, of an image that nothing else knows, the only one of its pod."""
    first = {"name": "c", "image": "rockylinux:9", **container}
    volumes = [{"name": "data", "emptyDir": {}}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    write(folder, {"p.yaml": yaml.safe_dump({**pod, "spec": {"containers": [first], "volumes": volumes, **spec}})})
    root = str(folder.resolve())
    tree = Tree.read([root], root=root, settings=plan_of(Choices(), root).settings)
    return known_image(next(iter(tree.pod_templates)).containers[0])


@pytest.mark.parametrize(
    ("container", "paths"),
    [
        ({"command": WAITS}, ()),
        ({"args": WAITS}, ()),
        ({"image": "public.ecr.aws/docker/library/rockylinux:9", "command": WAITS}, ()),
        ({"image": "registry.k8s.io/kubectl:v1.33.1", "args": ["get", "pods"]}, ()),
        ({"image": "alpine/curl", "args": ["-sf", "http://web"]}, ()),
        ({"image": "alpine/curl", "args": ["sleep", "1"]}, ()),
        ({"command": ["sh", "-c", "touch /data/a /tmp/b"], **MOUNTED}, ("/data/a", "/tmp/b")),
        ({"command": ["touch", "a"], "workingDir": "/data", **MOUNTED}, ("/data/a",)),
        ({"command": ["sleep", "9"], "readinessProbe": {"exec": {"command": ["touch", "/tmp/b"]}}}, ("/tmp/b",)),
        ({"command": ["echo", "$(WORDS)"], "env": [{"name": "WORDS", "value": "a b"}]}, ()),
    ],
)  # fmt: skip
def test_it_runs_as_any_user(container: dict[str, Any], paths: tuple[str, ...], tmp_path: Path) -> None:
    found = known(tmp_path, container)
    assert found.any_number is not None and found.paths is not None
    assert (found.paths.value, found.paths.whole) == (paths, True)


@pytest.mark.parametrize(
    ("container", "paths"),
    [
        # Only root writes to the image itself, or reaches what is mounted in root's home.
        ({"command": ["touch", "/etc/a"]}, ("/etc/a",)),
        ({"command": ["mkdir", "/data"]}, ("/data",)),
        ({"command": ["touch", "/data-of-another"], **MOUNTED}, ("/data-of-another",)),
        ({"command": WAITS, "volumeMounts": [{"name": "data", "mountPath": "/root/.kube"}]}, ()),
        # What another image holds may be for its own user.
        ({"image": "registry.example.com/shop/web:1", "command": WAITS}, ()),
    ],
)  # fmt: skip
def test_only_its_places_are_known(container: dict[str, Any], paths: tuple[str, ...], tmp_path: Path) -> None:
    found = known(tmp_path, container)
    assert found.any_number is None and found.paths is not None
    assert (found.paths.value, found.paths.whole) == (paths, True)


@pytest.mark.parametrize(
    ("container", "spec"),
    [
        ({}, {}),
        ({"command": ["sh", "/data/run.sh"], **MOUNTED}, {}),
        ({"command": WAITS, "lifecycle": {"postStart": {"exec": {"command": ["/data/run.sh"]}}}}, {}),
        ({"command": WAITS, "livenessProbe": {"exec": {"command": ["/data/run.sh"]}}}, {}),
        ({"command": ["touch", "a"]}, {}),
        ({"command": ["sh", "-c", "echo $(WORDS)"], "env": [{"name": "WORDS", "value": "a; b"}]}, {}),
        ({"command": ["sh", "-c", "echo $(date)"], "envFrom": [{"configMapRef": {"name": "words"}}]}, {}),
        ({"command": WAITS, "volumeMounts": [{"name": "data", "mountPath": "/usr/local/bin"}]}, {}),
        ({"command": ["kill", "1"]}, {"shareProcessNamespace": True}),
        ({"command": ["kill", "1"]}, {"hostPID": True}),
        ({"image": "registry.example.com/shop/web:1", "args": WAITS}, {}),
        ({"image": "registry.example.com/rockylinux:9", "args": WAITS}, {}),
        ({"image": "{{ image }}", "args": WAITS}, {}),
    ],
)  # fmt: skip
def test_nothing_is_known(container: dict[str, Any], spec: dict[str, Any], tmp_path: Path) -> None:
    found = known(tmp_path, container, **spec)
    assert (found.any_number, found.paths) == (None, None)


def reference(text: str) -> ImageReference:
    found = parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("image", "is_one"),
    [
        ("busybox", True), ("docker.io/library/busybox:1.37", True), ("index.docker.io/busybox", True),
        ("mirror.gcr.io/library/debian:13", True), ("public.ecr.aws/docker/library/alpine:3", True),
        ("ghcr.io/home-operations/busybox:1.38", True), ("quay.io/curl/curl", True),
        ("nginx", False), ("nginx:alpine", False), ("registry.example.com/busybox", False), ("alpine/helm", False),
    ],
)  # fmt: skip
def test_which_images_do_nothing_by_themselves(image: str, is_one: bool) -> None:
    assert is_general_purpose(reference(image)) is is_one


@pytest.mark.parametrize(
    ("image", "command", "args", "words"),
    [
        ("busybox", ["sh"], ["-c", "date"], ("sh", "-c", "date")),
        ("busybox", [], ["date"], ("date",)),
        ("busybox", [], [], ()),
        ("bash:5", [], ["-c", "date"], ("bash", "-c", "date")),
        ("bash:5", [], ["sleep", "1"], ("sleep", "1")),
        ("bitnami/kubectl", [], ["get", "pods"], ("kubectl", "get", "pods")),
        ("bitnami/kubectl", ["sh"], ["-c", "date"], ("sh", "-c", "date")),
        ("bitnami/kubectl", [], [], ()),
    ],
)
def test_what_they_start(image: str, command: list[str], args: list[str], words: tuple[str, ...]) -> None:
    assert started_with(reference(image), command, args) == words


@pytest.mark.parametrize(
    ("container", "is_known"),
    [
        ({}, True),
        ({"command": WAITS}, True),
        ({"command": ["sh", "/data/run.sh"], **MOUNTED}, False),
        ({"command": ["touch", "/etc/a"]}, False),
        ({"image": "python:3.13", "command": ["python", "/data/run.py"], **MOUNTED}, True),
    ],
)  # fmt: skip
def test_a_row_of_an_image_that_is_told_what_to_run_speaks_of_the_image(
    container: dict[str, Any], is_known: bool, tmp_path: Path
) -> None:
    assert (known(tmp_path, {"image": "busybox", **container}).any_number is not None) is is_known


def test_a_row_of_the_user_speaks_of_what_is_run(tmp_path: Path) -> None:
    write(tmp_path, {".harden.yaml": "images: [{match: busybox, any-user: true}]\n"})
    found = known(tmp_path, {"image": "busybox", "command": ["sh", "/data/run.sh"], **MOUNTED})
    assert found.any_number is not None and found.any_number.place != "image table"
