"""Label selectors as values that compare equal when they mean the same.

Source: apimachinery pkg/apis/meta/v1, types.go and helpers.go (LabelSelectorAsSelector).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from hardener.kubernetes.objects.shape import mapping, sequence


class Requirement(Struct, frozen=True):
    """One condition on labels. An operator that Kubernetes does not know is met by nothing.

    ``values``: several are a set, and one a tuple, which is a quarter as large: nearly all conditions have one.
    """

    key: str
    operator: str
    values: Collection[str] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` meet it. NotIn is met by labels without the key, too."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        return False


class Selector(Struct, frozen=True):
    """Conditions that must all be met, in one order; with none it matches everything.

    ``matchLabels`` are conditions with the operator In and one value.
    """

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)


EVERYTHING = Selector()


@lru_cache(maxsize=1024)  # a tree names a few labels again and again, and all that it says is kept
def _of_one(key: str, operator: str, *values: str) -> Selector:
    return Selector((Requirement(key, operator, values if len(values) < 2 else _several(values)),))


def _several(values: tuple[str, ...]) -> Collection[str]:
    found = frozenset(values)
    return found if len(found) > 1 else values[:1]


def parse(value: Mapping[str, Any]) -> Selector:
    """The selector that ``value``, the data of a LabelSelector, is. Raises ShapeError for a wrong shape."""
    found = [_of_one(str(key), "In", str(label)) for key, label in mapping(value.get("matchLabels")).items()]
    for item in map(mapping, sequence(value.get("matchExpressions"))):
        operator, values = str(item.get("operator")), tuple(map(str, sequence(item.get("values"))))
        if operator in ("Exists", "DoesNotExist"):
            values = ()
        elif not values:
            operator = ""  # refused: In and NotIn name a value
        found.append(_of_one(str(item.get("key")), operator, *values))
    if len(found) == 1:
        return found[0]
    needs = {each.requirements[0] for each in found}
    return Selector(tuple(sorted(needs, key=lambda need: (need.key, need.operator, sorted(need.values)))))
