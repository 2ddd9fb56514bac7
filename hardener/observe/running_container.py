"""A container of a pod that runs, what its manifest and its probes say of it, and since when a pod does what."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from hardener.observe.container_activity import Activity
from hardener.observe.pod_values import Variable
from hardener.observe.probes import Probes
from hardener.support.shapes import mappings

Map = dict[str, Any]


@dataclass(slots=True, eq=False)
class RunningContainer:
    """``spec`` is of its manifest, ``name`` what the engine calls it; ``traced``, ``resolver`` and ``watched`` are
    processes of the machine of which its system calls, its questions for names, and what it runs are known; ``seen``:
    what it did."""

    spec: Map
    name: str
    variables: list[Variable] = field(default_factory=list, repr=False)
    probes: Probes | None = None
    pid: int = 0
    traced: int = 0
    resolver: int = 0
    watched: int = 0
    id: str = ""
    began: float = 0.0
    done: bool = False
    seen: Activity = field(default_factory=Activity)


class Times(Struct):
    """When a pod began, or began anew; since when it has had nothing to do, and has been ready."""

    began: float
    quiet_since: float
    ready_since: float = math.inf

    def begin_anew(self) -> None:
        """One of its containers was started again."""
        self.began, self.ready_since = time.monotonic(), math.inf

    def note(self, now: float, *, is_busy: bool, is_ready: bool) -> None:
        """Take in what a look at it has found ``now``."""
        self.quiet_since = now if is_busy else self.quiet_since
        self.ready_since = min(self.ready_since, now) if is_ready else math.inf


def is_sidecar(spec: Map) -> bool:
    """Whether an init container runs beside the others to their end."""
    return spec.get("restartPolicy") == "Always"


def is_ready(container: RunningContainer) -> bool:
    """Whether its probes say that it serves, or it has none, or has done its work."""
    return container.done or container.probes is None or container.probes.ready


def has_probes(container: RunningContainer) -> bool:
    """Whether its manifest has a probe."""
    return container.probes is not None and container.probes.any


def declared_ports(container: RunningContainer) -> list[str]:
    """The ports of TCP that a manifest declares, as "80/tcp"."""
    ports = mappings(container.spec.get("ports"))
    return [f"{port.get('containerPort')}/tcp" for port in ports if port.get("protocol", "TCP") == "TCP"]
