"""Probes of a container, asked as the kubelet does: when, how often, and what counts.

Source: kubernetes pkg/kubelet/prober/worker.go (order, thresholds, delays), prober.go (what is asked).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from hardener.observe.pod_values import static_variables, words
from hardener.support.shapes import mappings

Map = dict[str, Any]
Asks = Callable[[Map, float], str | None]
"""Asks what a probe says, for so many seconds, and returns what went wrong."""
_LONGEST = 60  # seconds that one answer is waited for
_PORT = re.compile(r"[0-9]{1,5}")
ASKS = {"httpGet": "http", "tcpSocket": "tcp", "grpc": "grpc"}
"""What the agent asks for each kind of probe."""
KINDS = ("startupProbe", "livenessProbe", "readinessProbe")


class Probes:
    """The probes of a container that began at ``began`` of the ``clock``. ``failed``: one that is to restart
    it has failed often enough; ``ready``: it takes traffic."""

    def __init__(self, container: Map, began: float, ask: Asks, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._probes = {kind: _Probe(container[kind], began) for kind in KINDS if _is_map(container.get(kind))}
        self.failed: str | None = None
        self.said = ""

    @property
    def any(self) -> bool:
        """Whether there is one that tells when it is ready."""
        return bool(self._probes.keys() & {"startupProbe", "readinessProbe"})

    @property
    def ready(self) -> bool:
        startup, readiness = self._probes.get("startupProbe"), self._probes.get("readinessProbe")
        return (startup is None or startup.good) and (readiness is None or readiness.good)

    @property
    def patience(self) -> float:
        """Seconds after which it is late: what its probes give it to start."""
        return sum(
            probe.delay + probe.period * probe.failures
            for kind, probe in self._probes.items()
            if kind != "livenessProbe"
        )

    def tick(self) -> None:
        """Ask what is due."""
        startup = self._probes.get("startupProbe")
        for kind, probe in self._probes.items():
            if kind != "startupProbe" and startup is not None and not startup.good:
                continue
            if kind == "startupProbe" and probe.good:
                continue
            if self._clock() < probe.due:
                continue
            said = self._ask(probe.spec, probe.timeout)
            probe.take(said, self._clock())
            if said is not None:
                self.said = f"{kind}: {said}"
                if kind != "readinessProbe" and probe.in_a_row >= probe.failures:
                    self.failed = self.said


class _Probe:
    def __init__(self, spec: Map, began: float) -> None:
        self.spec = spec
        self.delay = _number(spec, "initialDelaySeconds", 0)
        self.period = max(1, _number(spec, "periodSeconds", 10))
        self.timeout = min(max(1, _number(spec, "timeoutSeconds", 1)), _LONGEST)
        self.failures = max(1, _number(spec, "failureThreshold", 3))
        self._successes = max(1, _number(spec, "successThreshold", 1))
        self.due = began + self.delay
        self.good = False
        self.in_a_row = 0  # failures
        self._well = 0
        self._counted = float("-inf")

    def take(self, said: str | None, now: float) -> None:
        # Until it is good it is asked each second: that changes nothing but how soon harden knows.
        if said is None:
            self.in_a_row, self._well = 0, self._well + 1
            self.good = self.good or self._well >= self._successes
            self.due = now + (self.period if self.good else 1)
            return
        self._well = 0
        # Its failures count in its own time, though it is asked more often.
        if now >= self._counted + self.period:
            self._counted = now
            self.in_a_row += 1
        if self.in_a_row >= self.failures:
            self.good = False
        self.due = now + 1


def port_of(port: Any, container: Map) -> int | None:
    """The number of a port that may be a name."""
    if isinstance(port, int):
        return port
    if isinstance(port, str) and _PORT.fullmatch(port):
        return int(port)
    for each in mappings(container.get("ports")):
        if each.get("name") == port and isinstance(each.get("containerPort"), int):
            return int(each["containerPort"])
    return None


def words_of(probe: Map, container: Map) -> list[str]:
    """The command of a probe of ``container`` that runs one. Raises NotOfferedError."""
    return words((probe.get("exec") or {}).get("command"), static_variables(container))[0]


def command_of_hook(hook: Map) -> list[str]:
    """The command of a hook that runs one: nothing in it is replaced."""
    return [str(word) for word in (hook.get("exec") or {}).get("command") or []]


def question(kind: str, handler: Map) -> list[Any]:
    """What a probe asks at its port."""
    if kind == "httpGet":
        headers = [(str(each.get("name")), str(each.get("value"))) for each in mappings(handler.get("httpHeaders"))]
        return [str(handler.get("scheme") or "HTTP").upper(), str(handler.get("path") or "/"), headers]
    return [str(handler.get("service") or "")] if kind == "grpc" else []


def _number(spec: Map, key: str, default: int) -> int:
    value = spec.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)
