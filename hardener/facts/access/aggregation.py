"""ClusterRoles into which a controller copies the rules of others, by the labels of these.

Source: kubernetes pkg/controller/clusterroleaggregation: a role is left out of its own, and what one got is copied on
with its other rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, reduce
from operator import or_

from msgspec import Struct

from hardener.kubernetes.network.label_selector import Selector, parse
from hardener.kubernetes.objects.shape import ShapeError, mapping, sequence
from hardener.kubernetes.rbac.bootstrap import BootstrapRole, bootstrap_cluster_roles
from hardener.tree.core_views import Object


class Parts(Struct):
    """What a role gets its rules from: ``roles`` of the tree, and ``built_in`` ones of every cluster. ``open`` are the
    numbers of its selectors that fit none of them, so that only the cluster can tell."""

    roles: list[Object]
    built_in: list[BootstrapRole]
    open: list[int]


class _Node(Struct, frozen=True, eq=False):
    role: Object | BootstrapRole
    labels: dict[str, str]
    selectors: list[Selector]


class Aggregation:
    """Which of the ClusterRoles ``roles`` of a tree, and of those of every cluster, get the rules of which.

    Sets of roles are numbers with a bit for each, so that roles that take in one another cost little.
    """

    def __init__(self, roles: Iterable[Object]) -> None:
        written = [_of_object(role) for role in roles]
        # A role of the tree that is called like one of the cluster takes nothing from that: the API server adds it.
        self._nodes = [*written, *map(_of_cluster, bootstrap_cluster_roles())]
        self._numbers = {id(node.role): number for number, node in enumerate(written)}
        self._takers = [number for number, node in enumerate(self._nodes) if node.selectors]
        self._by_label: dict[tuple[str, str], list[int]] = {}
        for number, node in enumerate(self._nodes if self._takers else ()):
            for label in node.labels.items():
                self._by_label.setdefault(label, []).append(number)
        self._parts: dict[int, Parts] = {}

    def of(self, role: Object) -> list[Object]:
        """The ClusterRoles of the tree that get the rules of ``role``, itself left out."""
        number = self._numbers.get(id(role))
        if number is None:
            return []
        found = (
            self._nodes[taker].role for taker in self._takers if self._all[taker] >> number & 1 and taker != number
        )
        return [other for other in found if isinstance(other, Object)]

    def parts(self, role: Object) -> Parts:
        """What ``role`` gets its rules from, by way of others too."""
        number = self._numbers.get(id(role))
        if number is None or number not in self._all:
            return Parts([], [], [])
        if number not in self._parts:
            found = [self._nodes[other].role for other in _bits(self._all[number]) if other != number]
            self._parts[number] = Parts(
                [other for other in found if isinstance(other, Object)],
                [other for other in found if isinstance(other, BootstrapRole)],
                [place for place, met in enumerate(self._direct[number]) if not met],
            )
        return self._parts[number]

    @cached_property
    def _direct(self) -> dict[int, list[int]]:
        """For each taker and each of its selectors the roles that it fits."""
        return {
            taker: [self._fitting(selector) & ~(1 << taker) for selector in self._nodes[taker].selectors]
            for taker in self._takers
        }

    def _fitting(self, selector: Selector) -> int:
        needs = selector.requirements
        plain = next((each for each in needs if each.operator == "In" and len(each.values) == 1), None)
        if plain is None:
            candidates: Iterable[int] = range(len(self._nodes))
        else:
            candidates = self._by_label.get((plain.key, next(iter(plain.values))), ())
        return sum(1 << number for number in candidates if selector.matches(self._nodes[number].labels))

    @cached_property
    def _all(self) -> dict[int, int]:
        """For each taker all roles of which the rules come to it."""
        direct = {taker: reduce(or_, found, 0) for taker, found in self._direct.items()}
        takers = reduce(or_, (1 << taker for taker in self._takers), 0)
        return {taker: _closed(direct, takers, taker) for taker in self._takers}


def _closed(direct: dict[int, int], takers: int, start: int) -> int:
    found, done, waiting = 0, 0, 1 << start
    while waiting:
        done |= waiting
        for taker in _bits(waiting):
            found |= direct[taker]
        waiting = found & takers & ~done
    return found


def _bits(number: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _of_object(role: Object) -> _Node:
    try:
        written = mapping(mapping(role.data.get("metadata")).get("labels"))
    except ShapeError:
        written = {}
    labels = {str(key): str(value) for key, value in written.items()}
    return _Node(role, labels, _selectors(role.data.get("aggregationRule")))


def _of_cluster(role: BootstrapRole) -> _Node:
    return _Node(role, role.labels, _selectors(role.aggregation))


def _selectors(rule: object) -> list[Selector]:
    try:
        return [parse(mapping(each)) for each in sequence(mapping(rule).get("clusterRoleSelectors"))]
    except ShapeError:
        return []
