"""The charts that something in a tree has rendered, and where overrides of their values are written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hardener.charts import argo_releases, flux_releases, k3s_releases, kustomize_releases, terraform_releases
from hardener.charts.at_hand import AtHand
from hardener.charts.places import InFile
from hardener.charts.release import Release, Unwritable, Values, write

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

__all__ = ["Release", "Unwritable", "Values", "releases", "write"]

_KINDS = (flux_releases, argo_releases, k3s_releases, kustomize_releases, terraform_releases)


def releases(tree: Tree) -> list[Release]:
    """Every release of ``tree``, its chart at hand or not, in the order of files and lines.

    A file of values that several of them name belongs to none: what is written there would change the others, too.
    """
    at_hand = AtHand(tree)
    found = [release for kind in _KINDS for release in kind.releases(at_hand)]
    order = {file.path: number for number, file in enumerate(tree.files)}
    last = len(order)
    found.sort(key=lambda one: (order.get(one.owner.piece.file.path, last), one.owner.piece.start))
    used = Counter(path for release in found for path in {_path(values) for values in release.values} - {""})
    for release in found:
        for values in release.values:
            if used[_path(values)] > 1:
                values.may_write = False
        release.targets = [values for values in release.targets if values.may_write]
    return found


def _path(values: Values) -> str:
    """The file of values that ``values`` stand in; "" for any other place."""
    return values.place.path if isinstance(values.place, InFile) else ""
