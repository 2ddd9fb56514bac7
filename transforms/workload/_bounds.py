"""What LimitRanges and ResourceQuotas of its namespace say about the resources of a container.

Source: pkg/apis/core/v1/defaults.go SetDefaults_LimitRangeItem, plugin/pkg/admission/limitranger,
pkg/quota/v1/evaluator/core/pods.go.
"""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct, field

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.objects.resource_limits import ResourcePolicies
from hardener.kubernetes.objects import quantity
from hardener.tree.core_views import Container, Object, OpaqueError, View

# Scopes that nearly every pod with requests is in; a quota with others may not count this pod.
_COMMON_SCOPES = frozenset({"NotBestEffort", "NotTerminating"})


class Bounds(Struct):
    """The bounds of one resource of a container.

    ``request`` and ``limit`` are what the LimitRange fills in; with a limit there is always a request. ``unclear`` is
    a LimitRange that cannot be judged here: it bounds the sum of the pod's containers, or its numbers come later.
    """

    request: Fraction | None = None
    limit: Fraction | None = None
    low: Fraction | None = None
    ratio: Fraction | None = None
    unclear: Object | None = None
    facts: list[Evidence] = field(default_factory=list)

    @property
    def names(self) -> str:
        return ", ".join(dict.fromkeys(fact.text.partition(" ")[0] for fact in self.facts))

    def fit(self, wanted: Fraction, request: Fraction | None) -> Fraction | None:
        """Return the limit nearest to ``wanted`` that is let in beside ``request``; None where there is none.

        A maximum is no matter here: where there is one, it is also the limit that is filled in.
        """
        fitting = max(wanted, self.low or wanted)
        if self.ratio is not None and request:
            fitting = min(fitting, request * self.ratio)
        return fitting if fitting >= max(self.low or 0, request or 0) else None


def bounds(container: Container, resource: str) -> Bounds | None:
    """Return the bounds by the LimitRanges of its namespace, or None where they do not name ``resource``."""
    ranges = container.tree.ask(ResourcePolicies).limit_ranges(container.object)
    if not ranges:
        return None
    found = Bounds()
    for item in ranges:
        try:
            for part in item.items("spec", "limits"):
                _add(found, item, part, resource)
        except WrongShapeError:
            continue  # the API server refuses it
        except OpaqueError:
            found.unclear = item
            found.facts.append(item.fact(f"{item} sets bounds for it"))
    return found if found.facts else None


def _add(found: Bounds, item: Object, part: View, resource: str) -> None:
    said = {key: _amount(part, key, resource) for key in ("default", "defaultRequest", "min", "max")}
    said["ratio"] = _amount(part, "maxLimitRequestRatio", resource)
    if all(amount is None for amount in said.values()):
        return
    if part.text("type") == "Pod":
        found.unclear = item
    elif part.text("type") != "Container":
        return
    else:
        # What is not said is filled in: the limit from the maximum, the request from the limit or else the minimum.
        limit = _first(said["default"], said["max"])
        request = _first(said["defaultRequest"], limit, said["min"])
        found.limit = _least(found.limit, limit)
        found.request = _greatest(found.request, request)
        found.low = _greatest(found.low, said["min"])
        found.ratio = _least(found.ratio, said["ratio"])
    found.facts.append(part.fact(f"{item} sets bounds for it"))


def _amount(part: View, key: str, resource: str) -> Fraction | None:
    return quantity.parse(part.get(key, resource))


def _first(*amounts: Fraction | None) -> Fraction | None:
    return next((amount for amount in amounts if amount is not None), None)


def _least(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    return min((amount for amount in (one, other) if amount is not None), default=None)


def _greatest(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    return max((amount for amount in (one, other) if amount is not None), default=None)


def quota(container: Container, resource: str) -> Evidence | None:
    """Return the ResourceQuota under which a pod without a limit of ``resource`` is refused, as a fact; None without
    one."""
    policies, name = container.tree.ask(ResourcePolicies), f"limits.{resource}"
    for item in policies.quotas(container.object) if policies.are_any else ():
        try:
            if item.has("spec", "hard", name) and _counts_most_pods(item):
                return item.fact(f"{item} refuses pods without it", "spec", "hard", name)
        except WrongShapeError:
            continue
    return None


def _counts_most_pods(item: Object) -> bool:
    return not item.has("spec", "scopeSelector") and set(item.strings("spec", "scopes")) <= _COMMON_SCOPES
