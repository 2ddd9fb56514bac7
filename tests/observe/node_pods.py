"""Pods of ``packaged`` workloads on the node of a real Kubernetes (``tests.cluster.node``), each with its client."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..cluster.node import Node
from .clients import Target
from .packaged import Packaged

Map = dict[str, Any]
Key = tuple[str, str]  # a workload, and which of its pods
_START = 60.0  # seconds until a client is content for the first time
_ENDS = ("Job", "CronJob")
_WORDS = ("terminated", "waiting")
_ON_ITS_WAY = ("ContainerCreating", "PodInitializing")


@dataclass(frozen=True)
class NodePods:
    """Runs pods on ``node``, whose images come from the registry at ``host``."""

    node: Node
    host: str

    def kubectl(self, *words: str, objects: Iterable[Map] = ()) -> str:
        """What kubectl prints. Raises OSError where it fails."""
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        done = subprocess.run(
            ["kubectl", *words], input=given, capture_output=True, text=True, timeout=120, env=self.node.environment,
            check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise OSError((done.stderr or done.stdout).strip()[-300:])
        return done.stdout

    def load(self, texts: Iterable[str]) -> None:
        """Have the node pull images, and know them by the names that manifests give them."""
        for text in sorted(set(texts)):
            place = text.replace("r.example/", f"{self.host}/all/", 1)
            own = place.partition("@")[0]
            self._ctr("pull", "--plain-http", own)
            name, _, digest = text.partition("@")
            self._ctr("tag", "--force", own, f"{name.rpartition(':')[0]}@{digest}" if digest else name)

    def _ctr(self, *words: str) -> None:
        command = ["ctr", "-a", str(self.node.folder / "containerd.sock"), "-n", "k8s.io", "images", *words]
        subprocess.run(command, capture_output=True, timeout=300, check=True)

    def problems(self, pods: Mapping[Key, tuple[Packaged, Map]], seconds: float) -> dict[Key, str]:
        """What goes wrong with a client's work against each pod for ``seconds``; "" where nothing does."""
        spaces = {key: f"{key[0]}-{key[1]}" for key in pods}
        first = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in spaces.values()]
        first += [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
            for name in spaces.values()
        ]
        self.kubectl("apply", "--server-side", "-f", "-", objects=first)
        found: dict[Key, str] = {}

        def run(key: Key) -> None:
            one, spec = pods[key]
            metadata = {"name": "app", "namespace": spaces[key]}
            # The kubelet keeps the last lines of a container that ends with an error.
            containers = [{"terminationMessagePolicy": "FallbackToLogsOnError"} | each for each in spec["containers"]]
            whole = spec | {"containers": containers, "terminationGracePeriodSeconds": 1}
            try:
                self.kubectl(
                    "create", "-f", "-",
                    objects=[{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": whole}],
                )  # fmt: skip
                found[key] = self._problem(one, spaces[key], seconds)
            except OSError as error:
                found[key] = f"it is not taken: {error}"
            self.kubectl("delete", "pod", "app", "-n", spaces[key], "--wait=false")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(run, pods))
        return found

    def _status(self, space: str) -> Map:
        found: Map = json.loads(self.kubectl("get", "pod", "app", "-n", space, "-o", "json"))["status"]
        return found

    def _problem(self, one: Packaged, space: str, seconds: float) -> str:
        def log() -> str:
            return self.kubectl("logs", "app", "-n", space, "-c", "main")

        def execute(*words: str) -> str:
            return self.kubectl("exec", "app", "-n", space, "-c", "main", "--", *words)

        until, content, last = time.monotonic() + _START, False, "it does not start"
        while True:
            status = self._status(space)
            ended = _ended(status)
            if ended is not None:
                return ended
            if one.kind in _ENDS and status["phase"] == "Succeeded":
                return ""
            if status["phase"] == "Running" and one.kind not in _ENDS:
                try:
                    one.client(Target(status["podIP"], execute, log))
                    until, content = (until if content else time.monotonic() + seconds), True
                except Exception as error:  # whatever a library makes of an answer
                    last = f"{type(error).__name__}: {error}"[:250]
                    if content:
                        return last
            if time.monotonic() > until:
                return "" if content else last
            time.sleep(1)


def _ended(status: Map) -> str | None:
    """Why a container of a pod has ended with an error, or is never started; None where none has."""
    for each in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        for state in (each.get("state", {}), each.get("lastState", {})):
            ended, waiting = (state.get(word) or {} for word in _WORDS)
            if ended and ended["exitCode"]:
                return f"{each['name']} ends with {ended['exitCode']}: {ended.get('message', '').strip()[-400:]}"
            if waiting and waiting["reason"] not in (*_ON_ITS_WAY, "CrashLoopBackOff"):
                return f"{waiting['reason']}: {waiting.get('message')}"
    return None
