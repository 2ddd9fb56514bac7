"""A workload that is not run whatever it is: its namespace is none, or has too many of them."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from hardener.observe import application as applications
from hardener.observe.application import Application, Workload

ENGINE: Any = SimpleNamespace(name="podman")
IMAGES: Any = SimpleNamespace(get=lambda text: text)
TREE: Any = SimpleNamespace(objects=[], kustomizations={})


def prepared(namespace: str, number: int = 1) -> list[Workload]:
    pod: Any = SimpleNamespace(metadata=SimpleNamespace(data={}))
    spec = {"containers": [{"name": "main", "image": "web"}]}
    workloads = [Workload(f"Pod/p{each}", pod, spec) for each in range(number)]
    agent: Any = None
    Application(ENGINE, agent, TREE, namespace, "", workloads, str, threading.Event()).prepare(IMAGES)
    return workloads


@pytest.mark.parametrize("name", ["--privileged", "a b", "a\n10.0.0.1 x", "A", "a.b", "*", "a" * 64])
def test_a_namespace_that_no_cluster_has(name: str) -> None:
    (workload,) = prepared(name)
    assert workload.refused is not None and workload.refused.remedy
    assert workload.refused.text == f"{name!a} is no name of a namespace"


def test_one_that_a_cluster_has() -> None:
    assert prepared("shop-1")[0].refused is None


def test_more_than_are_up_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applications, "_MOST_WORKLOADS", 2)
    assert [workload.refused and workload.refused.text for workload in prepared("shop", 3)] == [
        None, None, "its namespace has more than 2 workloads",
    ]  # fmt: skip
