"""ClusterRoles into which a controller copies the rules of others, by the labels of these.

Source: kubernetes pkg/controller/clusterroleaggregation: a role is left out of its own, and what one got is copied on
with its other rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
    """Which of the ClusterRoles ``roles`` of a tree, and of those of every cluster, get the rules of which."""

    def __init__(self, roles: Iterable[Object]) -> None:
        written = [_of_object(role) for role in roles]
        # A role of the tree that is called like one of the cluster takes nothing from that: the API server adds it.
        self._nodes = [*written, *map(_of_cluster, bootstrap_cluster_roles())]
        self._by_role = {id(node.role): node for node in written}
        self._takers = [node for node in self._nodes if node.selectors]
        self._given: dict[int, list[_Node]] = {}
        self._parts: dict[int, Parts] = {}

    def of(self, role: Object) -> list[Object]:
        """The ClusterRoles of the tree that get the rules of ``role``, itself left out."""
        node = self._by_role.get(id(role))
        found = self._reached(node, self._taking, len(self._takers)) if node is not None else []
        return [other.role for other in found if isinstance(other.role, Object)]

    def parts(self, role: Object) -> Parts:
        """What ``role`` gets its rules from, by way of others too."""
        if (known := self._parts.get(id(role))) is not None:
            return known
        node = self._by_role.get(id(role))
        found = self._reached(node, self._giving, len(self._nodes) - 1) if node is not None else []
        parts = self._parts[id(role)] = Parts(
            [other.role for other in found if isinstance(other.role, Object)],
            [other.role for other in found if isinstance(other.role, BootstrapRole)],
            [] if node is None else [number for number, each in enumerate(node.selectors) if not _meets(each, found)],
        )
        return parts

    def _taking(self, node: _Node) -> list[_Node]:
        return [other for other in self._takers if _takes(other, node)]

    def _giving(self, node: _Node) -> list[_Node]:
        if not node.selectors:
            return []
        if id(node) not in self._given:
            self._given[id(node)] = [other for other in self._nodes if _takes(node, other)]
        return self._given[id(node)]

    @staticmethod
    def _reached(node: _Node, next_of: Callable[[_Node], list[_Node]], most: int) -> list[_Node]:
        """The nodes to which ``next_of`` leads from ``node``, itself left out; there are no more than ``most``."""
        found: dict[int, _Node] = {}
        waiting = [node]
        while waiting and len(found) < most:
            for other in next_of(waiting.pop()):
                if other is not node and id(other) not in found:
                    found[id(other)] = other
                    waiting.append(other)
        return list(found.values())


def _takes(taker: _Node, node: _Node) -> bool:
    return taker is not node and any(each.matches(node.labels) for each in taker.selectors)


def _meets(selector: Selector, nodes: list[_Node]) -> bool:
    return any(selector.matches(node.labels) for node in nodes)


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
