"""Probes are asked when the kubelet asks them, and count as they count there; no test waits."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.observe.probes import Probes, command_of_hook, port_of, words_of

Map = dict[str, Any]


class Clock:
    """Time that passes when it is told to; what each probe is answered stands in ``says``."""

    def __init__(self, **probes: Map) -> None:
        self.now = 100.0
        self.asked: list[tuple[float, str]] = []
        self.says: dict[str, str | None] = dict.fromkeys(probes)
        container = {kind: {"name": kind} | probe for kind, probe in probes.items()}
        self.probes = Probes(container, self.now, self._ask, clock=lambda: self.now)

    def _ask(self, probe: Map, seconds: float) -> str | None:
        self.asked.append((self.now - 100, probe["name"]))
        return self.says[probe["name"]]

    def until(self, seconds: float) -> Probes:
        while self.now < 100 + seconds:
            self.probes.tick()
            self.now += 0.25
        return self.probes

    def times(self, kind: str) -> list[float]:
        return [at for at, name in self.asked if name == kind]


def test_none() -> None:
    probes = Clock().probes
    assert probes.ready and not probes.any and probes.patience == 0


def test_a_probe_that_is_good_is_asked_in_its_period() -> None:
    clock = Clock(readinessProbe={"periodSeconds": 5, "initialDelaySeconds": 3})
    assert not clock.probes.ready
    assert clock.until(15).ready
    assert clock.times("readinessProbe") == [3, 8, 13]


def test_it_takes_as_many_successes_as_it_says() -> None:
    clock = Clock(readinessProbe={"successThreshold": 3})
    assert not clock.until(2).ready
    assert clock.until(2.5).ready


@pytest.mark.parametrize(
    ("probe", "failed"),
    [({}, 20), ({"failureThreshold": 1}, 0), ({"periodSeconds": 1}, 2), ({"failureThreshold": 0}, 0)],
)
def test_liveness_fails_after_its_failures(probe: Map, failed: float) -> None:
    clock = Clock(livenessProbe=probe)
    clock.says["livenessProbe"] = "no answer"
    if failed:
        assert clock.until(failed).failed is None
    assert clock.until(failed + 0.25).failed == "livenessProbe: no answer"


def test_a_success_starts_the_count_again() -> None:
    clock = Clock(livenessProbe={"periodSeconds": 1, "failureThreshold": 2})
    for at in range(20):
        clock.says["livenessProbe"] = "down" if at % 2 else None
        assert clock.until(at + 1).failed is None


def test_readiness_never_restarts_and_is_lost_again() -> None:
    clock = Clock(readinessProbe={"periodSeconds": 1, "failureThreshold": 2})
    assert clock.until(2).ready
    clock.says["readinessProbe"] = "busy"
    assert not clock.until(10).ready
    assert clock.probes.failed is None and clock.probes.said == "readinessProbe: busy"
    clock.says["readinessProbe"] = None
    assert clock.until(12).ready


def test_the_others_wait_for_startup() -> None:
    clock = Clock(startupProbe={}, livenessProbe={"periodSeconds": 1}, readinessProbe={"periodSeconds": 1})
    clock.says |= {"startupProbe": "not yet", "livenessProbe": "no"}
    probes = clock.until(8)
    assert {name for _, name in clock.asked} == {"startupProbe"} and probes.failed is None and not probes.ready
    clock.says |= {"startupProbe": None, "livenessProbe": None}
    assert clock.until(12).ready
    asked = len(clock.times("startupProbe"))
    clock.until(40)
    assert len(clock.times("startupProbe")) == asked  # never again


def test_startup_that_never_is_good_ends_it() -> None:
    clock = Clock(startupProbe={"periodSeconds": 2, "failureThreshold": 3})
    clock.says["startupProbe"] = "no"
    assert clock.until(4).failed is None
    assert clock.until(4.25).failed == "startupProbe: no"


@pytest.mark.parametrize(
    ("probes", "seconds"),
    [
        ({"startupProbe": {"periodSeconds": 5, "failureThreshold": 30, "initialDelaySeconds": 7}}, 157),
        ({"readinessProbe": {}}, 30),
        ({"livenessProbe": {"failureThreshold": 100}}, 0),
        ({"startupProbe": {}, "readinessProbe": {"initialDelaySeconds": 5}}, 65),
    ],
)
def test_patience(probes: dict[str, Map], seconds: float) -> None:
    assert Clock(**probes).probes.patience == seconds


PORTS = [{"name": "http", "containerPort": 8080}, {"name": "odd", "containerPort": "x"}, "none"]


@pytest.mark.parametrize(
    ("port", "number"), [(80, 80), ("80", 80), ("http", 8080), ("odd", None), ("no", None), (None, None)]
)
def test_ports(port: Any, number: int | None) -> None:
    assert port_of(port, {"ports": PORTS}) == number
    assert port_of(port, {"ports": None}) == (None if port == "http" else number)


def test_words() -> None:
    env = [
        {"name": "A", "value": "one"},
        {"name": "B", "valueFrom": {"secretKeyRef": {}}},
        {"name": "C", "value": "$(A)"},
    ]
    command = ["test", "$(A)", "$(B)", "$(C)", "$(D)", "$$(A)"]
    assert words_of({"exec": {"command": command}}, {"env": env}) == ["test", "one", "", "$(A)", "$(D)", "$(A)"]
    assert words_of({"exec": None}, {}) == []
    assert command_of_hook({"exec": {"command": ["echo", "$(A)"]}}) == ["echo", "$(A)"]
