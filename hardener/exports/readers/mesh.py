"""Who called whom, by what the proxies of Istio count."""

from __future__ import annotations

from typing import Any

from hardener.exports.collector import Collector
from hardener.exports.model import Workload
from hardener.exports.shapes import text

METRICS = frozenset({"istio_requests_total", "istio_tcp_connections_opened_total"})
_UNKNOWN = "unknown"
_ELSEWHERE = "PassthroughCluster"  # what Istio calls addresses that are no Service of the mesh


def read_calls(labels: dict[str, Any], days: list[str], into: Collector) -> None:
    """A series of a counter of requests or connections. It tells no port.

    Source: istio.io/latest/docs/reference/config/metrics (1.27): ``source_workload``, ``destination_workload`` and
    their namespaces, ``unknown`` for what has no proxy: who that is, nobody tells.
    """
    source, target = (_side(labels, side) for side in ("source", "destination"))
    is_outside = target is None and text(labels, "destination_service_name") == _ELSEWHERE
    if source is not None and days and (target is not None or is_outside):
        into.put_peer(source, target, 0, "TCP", into.source("Istio", *days))


def _side(labels: dict[str, Any], side: str) -> Workload | None:
    name, namespace = text(labels, f"{side}_workload"), text(labels, f"{side}_workload_namespace")
    return Workload("", namespace, name) if name and _UNKNOWN not in (name, namespace) else None
