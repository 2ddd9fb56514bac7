"""Rules of requests and limits: of containers, of pods, and what a LimitRange lets in.

Source: k8s.io/kubernetes pkg/apis/core/validation (validateResourceRequirements, validatePodResourceConsistency),
pkg/apis/core/v1/defaults.go (SetDefaults_LimitRangeItem), plugin/pkg/admission/limitranger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hardener.kubernetes.objects.quantity import parse
from hardener.support.data_path import Path
from hardener.support.shapes import entries, mapping

from .pod import Pod
from .violation import Violation

_NATIVE = frozenset({"cpu", "memory", "ephemeral-storage"})  # what may be overcommitted


# Manifests repeat the same few quantities. Typed, since true is no amount and equals 1.
_parse = lru_cache(1024, typed=True)(parse)


def amounts(place: object, kind: str) -> dict[str, Fraction]:
    """The ``requests`` or ``limits`` of a container or a pod spec, as far as they are quantities."""
    found = mapping(mapping(mapping(place).get("resources")).get(kind))
    return {
        name: amount
        for name, value in found.items()
        if isinstance(name, str) and isinstance(value, (str, int, float)) and (amount := _parse(value)) is not None
    }


def _requests_and_limits(pod: Pod) -> Iterator[Violation]:
    """17. A request is within its limit; what cannot be overcommitted has both, and equal."""
    for path, place in pod.places:
        if not place.get("resources"):
            continue
        requests, limits = amounts(place, "requests"), amounts(place, "limits")
        written = mapping(mapping(place["resources"]).get("limits"))
        for name, request in requests.items():
            where = (*path, "resources", "requests", name)
            if name in limits and request > limits[name]:
                yield Violation(17, where, f"the request of {name} is above its limit")
            elif name not in _NATIVE and limits.get(name) != request and ("/" in name or name.startswith("hugepages-")):
                if name in limits or name not in written:
                    yield Violation(17, where, f"{name} needs a limit that equals its request")
        names = requests.keys() | limits.keys()
        if any([name.startswith("hugepages-") for name in names]) and not names & {"cpu", "memory"}:
            yield Violation(17, (*path, "resources"), "hugepages need cpu or memory beside them")


def _pod_level(pod: Pod) -> Iterator[Violation]:
    """18. What containers ask for fits into what their pod asks for, and no limit is above that of the pod."""
    if not pod.spec.get("resources"):
        return
    requests, limits = amounts(pod.spec, "requests"), amounts(pod.spec, "limits")
    for name, allowed in requests.items():
        if _sum_of_requests(pod, name) > allowed:
            where = (*pod.path, "resources", "requests", name)
            yield Violation(18, where, f"the containers request more {name} than their pod")
    for path, container, _ in pod.containers:
        for name, limit in amounts(container, "limits").items():
            if name in limits and limit > limits[name]:
                where = (*path, "resources", "limits", name)
                yield Violation(18, where, f"the limit of {name} is above that of the pod")


def _sum_of_requests(pod: Pod, name: str) -> Fraction:
    # As AggregateContainerRequests: containers and sidecars run together, an init container beside earlier sidecars.
    running = sidecars = highest = Fraction(0)
    for _, container, init in pod.containers:
        request = amounts(container, "requests").get(name, amounts(container, "limits").get(name, Fraction(0)))
        if not init:
            running += request
        elif container.get("restartPolicy") == "Always":
            sidecars += request
            highest = max(highest, sidecars)
        else:
            highest = max(highest, sidecars + request)
    return max(running + sidecars, highest)


def limit_range_violations(pod: Pod, limit_ranges: Iterable[object]) -> Iterator[Violation]:
    """19. Requests and limits, with what the LimitRanges of the namespace fill in, within their min, max and ratio."""
    for limit_range in limit_ranges:
        for _, item in entries(mapping(mapping(limit_range).get("spec")).get("limits")):
            if item.get("type") == "Container":
                bounds = {
                    key: amounts({"resources": item}, key)
                    for key in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
                }
                for path, container, _ in pod.containers:
                    yield from _within(path, container, bounds)


def _within(path: Path, container: dict[Any, Any], bounds: dict[str, dict[str, Fraction]]) -> Iterator[Violation]:
    requests, limits = amounts(container, "requests"), amounts(container, "limits")
    for name in {name for bound in bounds.values() for name in bound}:
        low, high, ratio = (bounds[key].get(name) for key in ("min", "max", "maxLimitRequestRatio"))
        default = bounds["default"].get(name, high)
        limit = limits.get(name, default)
        request = requests.get(name, limits.get(name, bounds["defaultRequest"].get(name, default if default else low)))
        where = (*path, "resources", name)
        if _is_above(request, limit):
            yield Violation(19, where, f"the request of {name} is above the limit that the LimitRange fills in")
        if _is_above(low, request):
            yield Violation(19, where, f"the request of {name} is below the minimum of the LimitRange")
        if _is_above(limit, high):
            yield Violation(19, where, f"the limit of {name} is above the maximum of the LimitRange")
        if request and limit is not None and _is_above(limit / request, ratio):
            yield Violation(19, where, f"limit to request of {name} is above the ratio of the LimitRange")


def _is_above(amount: Fraction | None, bound: Fraction | None) -> bool:
    return amount is not None and bound is not None and amount > bound


RULES: tuple[Callable[[Pod], Iterator[Violation]], ...] = (_requests_and_limits, _pod_level)
