"""What a pod of a cluster answers through its API server shows that it works, as with an engine of this machine."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from hardener.observe.cluster_pod import ClusterPod
from hardener.observe.work_seen import shown

Map = dict[str, Any]
_READY = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
_FINE = SimpleNamespace(ok=True, error="", text="", reason="")
_LOST = SimpleNamespace(ok=False, error='Error from server (NotFound): "x" is not found', text="", reason="")


class Cluster:
    """Has one pod of this ``status``, whose ports answer with ``answer``."""

    def __init__(self, status: Map, answer: Any) -> None:
        self._status, self._answer = status, answer

    def make(self, objects: list[Map]) -> Any:
        return _FINE

    def get(self, *words: str) -> Map:
        return {"status": self._status}

    def call(self, *words: str, **options: Any) -> Any:
        return self._answer

    def note_start(self, why: str | None) -> None:
        pass


def _status(state: Map, **more: Any) -> Map:
    return {"containerStatuses": [{"name": "main", "restartCount": 0, "state": state}], **more}


SERVES, ENDED, FAILED = (
    _status({"running": {}}, **_READY),
    _status({"terminated": {"exitCode": 0}}, phase="Succeeded"),
    _status({"terminated": {"exitCode": 1}}, phase="Failed"),
)
CASES: dict[str, tuple[Map, Any, bool, list[str]]] = {
    "a page": (SERVES, _FINE, False, ["8080/tcp GET / with success"]),
    "no page": (SERVES, _LOST, False, []),
    "work that ended": (ENDED, _FINE, True, ["ended with 0"]),
    "work that failed": (FAILED, _FINE, True, []),
}


@pytest.mark.parametrize(("status", "answer", "ends", "wanted"), CASES.values(), ids=CASES)
def test_what_shows_that_it_works(status: Map, answer: Any, ends: bool, wanted: list[str]) -> None:
    container = {"name": "main", "ports": [{"containerPort": 8080}], "readinessProbe": {}}
    pod = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [container]}}
    cluster: Any = Cluster(status, answer)
    run = ClusterPod(cluster, pod, ends, lambda text: text, threading.Event(), asked=[8080])
    came = run.run(0, whole=False, restarts=False)
    assert came.up == (status is not FAILED)
    assert [line for seen in run.seen.values() for line in shown(seen, 20)] == wanted


class Falls(Cluster):
    """Has a pod that is up until somebody asks its port; the kubelet tells of its end one look later."""

    def __init__(self, ended: Map) -> None:
        super().__init__(SERVES, SimpleNamespace(ok=False, error="i/o timeout", text="", reason=""))
        self._ended, self._looks = ended, -1

    def call(self, *words: str, **options: Any) -> Any:
        self._looks = max(self._looks, 0) if "--raw" in words else self._looks
        return self._answer

    def get(self, *words: str) -> Map:
        self._looks += self._looks >= 0
        return {"status": self._ended if self._looks > 1 else self._status}


LINE = "mkdir: can't create directory '/home/web/.cache': Read-only file system"
FALLS = {
    "an end": (_status({"terminated": {"exitCode": 1, "message": LINE}}, phase="Running"), f"main ends with 1: {LINE}"),
    "a start anew": (
        {"containerStatuses": [{"name": "main", "restartCount": 1, "state": {"running": {}},
                                "lastState": {"terminated": {"exitCode": 1, "message": LINE}}}], **_READY},
        f"main ends with 1: {LINE}",
    ),
    "no end": (SERVES, "port 8080 answers with an error, and answers with success as it is"),
}  # fmt: skip


@pytest.mark.parametrize(("ended", "because"), FALLS.values(), ids=FALLS)
def test_who_ends_as_it_is_asked_says_why(ended: Map, because: str) -> None:
    """A port that no longer answers is the last that is known of it, and not the first."""
    container = {"name": "main", "ports": [{"containerPort": 8080}], "readinessProbe": {}}
    pod = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [container]}}
    cluster: Any = Falls(ended)
    run = ClusterPod(
        cluster, pod, False, lambda text: text, threading.Event(), asked=[8080],
        expected={8080: "answers with success"},
    )  # fmt: skip
    came = run.run(0, whole=False, restarts=False, serves={})
    assert (came.up, came.reason) == (False, because)
