"""How much a container used, by VerticalPodAutoscalers, krr, Goldilocks and Prometheus."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any

from hardener.exports.collector import Collector
from hardener.exports.model import Workload
from hardener.exports.readers import mesh
from hardener.exports.shapes import at, entries, mapping, text, thousandths, whole_bytes

_MEMORY = frozenset({"container_memory_working_set_bytes", "container_memory_max_usage_bytes", "container_memory_rss"})
_CPU = "container_cpu_usage_seconds_total"
_THROTTLED, _PERIODS = "container_cpu_cfs_throttled_periods_total", "container_cpu_cfs_periods_total"


def read_autoscaler(item: dict[str, Any], into: Collector) -> None:
    """A VerticalPodAutoscaler. ``target`` is its recommendation, ``upperBound`` the most that it holds for possible.

    Source: k8s.io/autoscaler vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1 (RecommendedContainerResources).
    """
    target = mapping(item, "spec", "targetRef")
    if not text(target, "name"):
        return
    namespace = text(item, "metadata", "namespace") or "default"
    workload = Workload(text(target, "kind"), namespace, text(target, "name"))
    days = [text(each, "lastTransitionTime") for each in entries(item, "status", "conditions")]
    key = into.source("VerticalPodAutoscaler", *days)
    for each in entries(item, "status", "recommendation", "containerRecommendations"):
        _put_bounds(each, workload, text(each, "containerName"), key, into)


def _put_bounds(
    each: dict[str, Any], workload: Workload, container: str, key: tuple[str, str], into: Collector
) -> None:
    if container and container != "*":
        into.put_usage(
            workload, container, key,
            cpu=thousandths(at(each, "target", "cpu")), cpu_most=thousandths(at(each, "upperBound", "cpu")),
            memory=whole_bytes(at(each, "target", "memory")), memory_most=whole_bytes(at(each, "upperBound", "memory")),
        )  # fmt: skip


def read_krr(document: dict[str, Any], into: Collector) -> None:
    """``krr simple --formatter json``. A request is its recommendation; a limit is one for memory alone.

    Source: robusta-dev/krr 1.2x, robusta_krr/core/models (Result, ResourceScan, K8sObjectData).
    """
    for scan in entries(document, "scans"):
        subject = mapping(scan, "object")
        workload = Workload(text(subject, "kind"), text(subject, "namespace"), text(subject, "name"))
        metrics = mapping(scan, "metrics")
        days = [text(metric, key) for metric in metrics.values() for key in ("start_time", "end_time")]
        key = into.source("krr", *days)
        if workload.name and text(subject, "container"):
            into.put_usage(
                workload, text(subject, "container"), key,
                cpu=thousandths(_recommended(scan, "requests", "cpu")),
                memory=whole_bytes(_recommended(scan, "requests", "memory")),
                memory_most=whole_bytes(_recommended(scan, "limits", "memory")),
            )  # fmt: skip


def _recommended(scan: dict[str, Any], kind: str, resource: str) -> Any:
    found = at(scan, "recommended", kind, resource)
    return found.get("value") if isinstance(found, dict) else found


# Source: robusta-dev/krr robusta_krr/formatters/csv.py: "(old -> new)" or a number stands in these columns.
_KRR_COLUMNS = {"CPU Requests": "cpu", "Memory Requests": "memory", "Memory Limits": "memory_most"}


def is_krr_table(head: list[str]) -> bool:
    """Whether these are the columns of ``krr --formatter csv``."""
    return {"Namespace", "Name", "Container", *_KRR_COLUMNS} <= set(head)


def read_krr_table(lines: Iterable[str], into: Collector) -> None:
    """``krr simple --formatter csv``."""
    key = into.source("krr")
    for row in csv.DictReader(lines):
        workload = Workload(row.get("Type") or "", row["Namespace"] or "", row["Name"] or "")
        if not workload.name or not row["Container"]:
            continue
        found = {}
        for column, name in _KRR_COLUMNS.items():
            written = (row[column] or "").rpartition("->")[2].strip(" ()")
            found[name] = thousandths(written) if name == "cpu" else whole_bytes(written)
        into.put_usage(workload, row["Container"], key, **found)


def read_goldilocks(document: dict[str, Any], into: Collector) -> None:
    """``goldilocks summary``: the bounds of its VerticalPodAutoscalers.

    Source: FairwindsOps/goldilocks pkg/summary/summary.go (4.x: ``workloads``, before it ``deployments``).
    """
    key = into.source("Goldilocks")
    for space in mapping(document, "Namespaces").values():
        namespace = text(space, "namespace")
        workloads = {**mapping(space, "deployments"), **mapping(space, "workloads")}
        for name, each in workloads.items():
            kind = text(each, "controllerType") or "Deployment"
            workload = Workload(kind, namespace, text(each, "controllerName") or text(each, "deploymentName") or name)
            for container, bounds in mapping(each, "containers").items():
                if isinstance(bounds, dict):
                    _put_bounds(bounds, workload, container, key, into)


def read_prometheus(document: dict[str, Any], into: Collector) -> None:
    """An answer of the HTTP API of Prometheus to a query of a metric of cAdvisor by container.

    A counter of seconds says how much was used only as a rate, which has no name: a query that aggregates is read
    where its answer still has ``__name__``. Source: prometheus.io/docs/prometheus/latest/querying/api.
    """
    for series in entries(document, "data", "result"):
        labels, samples = mapping(series, "metric"), _samples(series)
        days = [_day(time) for time, _ in (samples[0], samples[-1])] if samples else []
        if text(labels, "__name__") in mesh.METRICS:
            mesh.read_calls(labels, days, into)
            continue
        container, pod = text(labels, "container"), text(labels, "pod")
        if not container or container == "POD" or not pod or not samples:
            continue
        key = into.source("Prometheus", *days)
        workload = Workload("Pod", text(labels, "namespace") or "default", pod)
        put = _METRICS.get(text(labels, "__name__"))
        if put is not None:
            put(workload, container, key, samples, into)


_Samples = list[tuple[float, float]]


def _put_memory(workload: Workload, container: str, key: tuple[str, str], samples: _Samples, into: Collector) -> None:
    most = max(int(value) for _, value in samples)
    into.put_usage(workload, container, key, memory=most, memory_most=most)


def _put_cpu(workload: Workload, container: str, key: tuple[str, str], samples: _Samples, into: Collector) -> None:
    if rates := _rates(samples):
        most, mean = _milli(max(rates)), _milli(sum(rates) / len(rates))
        into.put_usage(workload, container, key, cpu=mean, cpu_most=most)


def _put_periods(
    workload: Workload, container: str, key: tuple[str, str], samples: _Samples, into: Collector, *, throttled: bool
) -> None:
    growth = sum(b - a for (_, a), (_, b) in pairwise(samples) if b >= a)
    into.put_periods(workload, container, key, growth, throttled=throttled)


_METRICS: dict[str, Callable[..., None]] = {
    **dict.fromkeys(_MEMORY, _put_memory),
    _CPU: _put_cpu,
    _PERIODS: partial(_put_periods, throttled=False),
    _THROTTLED: partial(_put_periods, throttled=True),
}


def _rates(samples: list[tuple[float, float]]) -> list[float]:
    """How fast a counter grew between two samples each; where it began anew, nothing is known."""
    return [(b - a) / (t - s) for (s, a), (t, b) in pairwise(samples) if t > s and b >= a]


def _milli(cores: float) -> int:
    return max(1, round(cores * 1000))


def _samples(series: dict[str, Any]) -> list[tuple[float, float]]:
    """The pairs of time and value of a series, in time; those that are no numbers left out."""
    pairs = series.get("values") or [series.get("value")]
    found = []
    for pair in pairs if isinstance(pairs, list) else []:
        try:
            time, value = pair
            moment, amount = float(time), float(value)
        except (TypeError, ValueError):
            continue
        if 0 <= amount < 1 << 62 and 0 <= moment < 1 << 36:
            found.append((moment, amount))
    return sorted(found)


def _day(moment: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).date().isoformat()
