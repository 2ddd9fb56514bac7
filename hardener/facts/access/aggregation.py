"""ClusterRoles into which a controller copies the rules of others, by the labels of these.

Source: kubernetes pkg/controller/clusterroleaggregation.
"""

from __future__ import annotations

from collections.abc import Iterable

from hardener.kubernetes.network.label_selector import Selector, parse
from hardener.kubernetes.objects.shape import ShapeError, mapping, sequence
from hardener.tree.core_views import Object


class Aggregation:
    """Among the ClusterRoles ``roles``; costs nothing where none aggregates."""

    def __init__(self, roles: Iterable[Object]) -> None:
        self._selectors = [(role, found) for role in roles if (found := _selectors(role))]

    def of(self, role: Object) -> list[Object]:
        """The ClusterRoles that get the rules of ``role``, itself left out."""
        if role.kind != "ClusterRole" or not self._selectors:
            return []
        try:
            written = mapping(mapping(role.data.get("metadata")).get("labels"))
        except ShapeError:
            return []
        labels = {str(key): str(value) for key, value in written.items()}
        found = [other for other, selectors in self._selectors if any(each.matches(labels) for each in selectors)]
        return [other for other in found if other is not role]


def _selectors(role: Object) -> list[Selector]:
    try:
        written = sequence(mapping(role.data.get("aggregationRule")).get("clusterRoleSelectors"))
        return [parse(mapping(each)) for each in written]
    except ShapeError:
        return []
