"""Pods of the cluster itself, by what they hold.

`data/platform-pods.json` has them with source and version. A namespace or a name proves nothing: a pod is one of these
where it holds nothing that the one of its kind, namespace and name does not hold, but for numbers and scheduling.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

_DATA = Path(__file__).parents[1] / "data" / "platform-pods.json"
# What gives a pod no right: how large it is, where and when it runs, and what the API server fills in.
_FREE = frozenset({
    "imagePullPolicy", "resources", "tolerations", "affinity", "nodeSelector", "topologySpreadConstraints",
    "priorityClassName", "priority", "preemptionPolicy", "terminationGracePeriodSeconds", "restartPolicy", "dnsPolicy",
    "schedulerName", "terminationMessagePath", "terminationMessagePolicy", "defaultMode", "type",
    "initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold",
})  # fmt: skip


class PlatformPod(Struct, frozen=True):
    """A pod of the cluster: the repositories of its ``images``, and its ``spec``."""

    images: frozenset[str]
    spec: dict[str, Any]


def is_platform_pod(key: tuple[str, str, str], spec: Any, images: Iterable[str | None]) -> bool:
    """Whether the pod of the object with the kind, namespace and name ``key`` is the one of the cluster: its ``spec``,
    and the repositories of its ``images``, None for one that is not known."""
    known = _pods().get(key)
    return known is not None and known.images.issuperset(images) and _is_part(spec, known.spec)


def _is_part(value: Any, whole: Any) -> bool:
    """Whether ``value`` says nothing that ``whole`` does not say. A list that runs is the same list."""
    if type(value) is dict and isinstance(whole, dict):
        return all(_is_free(key, item) or (key in whole and _is_part(item, whole[key])) for key, item in value.items())
    if type(value) is list and isinstance(whole, list) and all(isinstance(item, dict) for item in value):
        return all(any(_is_part(item, other) for other in whole) for item in value)
    return type(value) is type(whole) and bool(value == whole)


def _is_free(key: str, value: Any) -> bool:
    return key in _FREE or (key == "image" and isinstance(value, str))  # a volume has a mapping of that name


@cache
def _pods() -> dict[tuple[str, str, str], PlatformPod]:
    rows = json.loads(_DATA.read_text(encoding="utf-8"))
    return {
        (row["kind"], row["namespace"], row["name"]): PlatformPod(frozenset(row["images"]), row["spec"]) for row in rows
    }
