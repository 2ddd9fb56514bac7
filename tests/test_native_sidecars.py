"""A native sidecar (an init container with restartPolicy: Always) is judged by every rule as the container that it
would be beside the others."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener import harden_text
from hardener.authoring import registry
from hardener.tree.core_views import Container, PodTemplate

from .conftest import ROOT

Map = dict[str, Any]
_MAIN = {"name": "beside", "image": "registry.example.com/beside:1.2.3"}


def _views(each: Any) -> tuple[Any, ...]:
    return each if isinstance(each, tuple) else (each,)


_OF_CONTAINERS = [id for id, item in registry.transforms().items() if {Container, PodTemplate} & set(_views(item.each))]


# Their golden case is about a field of the pod.
_SAID_OF_THE_POD = set(
    """
    no-host-ipc no-host-network no-host-path no-host-pid restricted-volume-types shared-processes fs-group root-group
    windows-administrator unprivileged-ports seccomp-runtime-default ephemeral-containers sysctl-value
    sysctls-allow-list host-users-false no-service-links service-account-field pin-volume-image netpol-workload
    dedicated-service-account default-namespace
    """.split()
)


def _cases() -> Iterator[tuple[str, Path]]:
    """Of each rule a golden case in which it has something to say."""
    for id in _OF_CONTAINERS:
        found = sorted((ROOT / "golden").glob(f"*/{id}/*/before"))
        bad = [case for case in found if not case.parent.name.startswith(("already-so", "nothing-to-do"))]
        yield from ((id, case) for case in bad[:1])


def _pod_spec(item: Map) -> Map | None:
    """The spec of the pod of a plain workload."""
    spec = item.get("spec") if isinstance(item, dict) else None
    if not isinstance(spec, dict):
        return None
    if item.get("kind") == "CronJob":
        spec = spec.get("jobTemplate", {}).get("spec", {})
    if item.get("kind") != "Pod":
        spec = spec.get("template", {}).get("spec", {})
    return spec if spec.get("containers") else None


def _beside(items: list[Map], *, is_sidecar: bool) -> str:
    """The text of ``items``, where the first container of each pod stands beside another, as a sidecar or not."""
    found = copy.deepcopy(items)
    for item in found:
        spec = _pod_spec(item)
        if spec is None:
            continue
        own, *others = spec["containers"]
        if is_sidecar:
            spec["initContainers"] = [{**own, "restartPolicy": "Always"}, *spec.get("initContainers", [])]
            spec["containers"] = [*others, copy.deepcopy(_MAIN)]
        else:
            spec["containers"] = [own, *others, copy.deepcopy(_MAIN)]
    return yaml.safe_dump_all(found)


def _judged(text: str, id: str, holder: str) -> list[str]:
    """What is said of the first container of each pod, by its place below it."""
    done = harden_text(text, profile="strict", max_grade="breaking", only=id, kubernetes_version="1.36")
    found = []
    records: list[Any] = [*done.changes, *done.held, *done.waived, *done.findings]
    for each in records:
        path = list(map(str, each.path))
        if holder in path and path[path.index(holder) + 1] == "0":
            place = ".".join(path[path.index(holder) + 2 :])
            found.append(f"{type(each).__name__} {each.object.name if each.object else ''} {place}")
    return sorted(found)


@pytest.mark.parametrize(("id", "case"), list(_cases()), ids=[id for id, _ in _cases()])
def test_a_sidecar_is_judged_as_a_container(id: str, case: Path) -> None:
    items = [item for path in sorted(case.rglob("*.yaml")) for item in yaml.safe_load_all(path.read_text()) if item]
    beside = _judged(_beside(items, is_sidecar=False), id, "containers")
    sidecar = _judged(_beside(items, is_sidecar=True), id, "initContainers")
    assert sidecar == beside
    assert beside or id in _SAID_OF_THE_POD


def test_rules_of_containers_are_tried() -> None:
    assert len({id for id, _ in _cases()}) > 10
