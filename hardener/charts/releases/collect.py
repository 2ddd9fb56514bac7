"""The charts that something in a tree has rendered, and where overrides of their values are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hardener.charts.releases import argo as argo_releases
from hardener.charts.releases import fleet as fleet_releases
from hardener.charts.releases import flux as flux_releases
from hardener.charts.releases import helmfile as helmfile_releases
from hardener.charts.releases import k3s as k3s_releases
from hardener.charts.releases import kustomize as kustomize_releases
from hardener.charts.releases import terraform as terraform_releases
from hardener.charts.releases.chart_sources import AtHand, mapping_of
from hardener.charts.releases.release import WHOLE, Release, Unwritable, Values, write
from hardener.charts.releases.values_in_yaml import InFile, InObject, InText
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.sources.yaml import same
from hardener.support.data_path import Path, value_at
from hardener.tree.tree import Tree

__all__ = ["Release", "Unwritable", "Values", "releases", "write"]

_KINDS = (
    flux_releases, argo_releases, k3s_releases, kustomize_releases, terraform_releases, helmfile_releases,
    fleet_releases,
)  # fmt: skip


# Where an object says which chart it is, by its kind.
_SAY_WHICH: dict[str, tuple[Path, ...]] = {
    "HelmRelease": (("spec", "chart"), ("spec", "chartRef")),
    "HelmChart": tuple(("spec", key) for key in ("chart", "repo", "version", "chartContent")),
    "Application": tuple(("spec", "source", key) for key in ("repoURL", "chart", "targetRevision", "path")),
}


def releases(tree: Tree) -> list[Release]:
    """Return every release of ``tree``, its chart at hand or not, in the order of files and lines.

    What several of them take their values from belongs to none: what is written there would change the others, too.
    """
    at_hand = AtHand(tree)
    found = [release for kind in _KINDS for release in kind.releases(at_hand)]
    order = {file.path: number for number, file in enumerate(tree.files)}
    last = len(order)
    found.sort(key=lambda one: (order.get(one.owner.piece.file.path, last), one.owner.piece.start))
    used = Counter(place for release in found for place in {_shared(values) for values in release.values} - {None})
    for release in found:
        _weigh_patches(tree, release)
        paths = _SAY_WHICH.get(release.owner.kind, ())
        if paths and not release.doubt and (names := at_hand.patches(release.owner, paths)):
            release.doubt = f"{' and '.join(dict.fromkeys(names))} may name another chart or version"
        for values in release.values:
            if used[_shared(values)] > 1:
                values.may_write = False
        release.targets = [values for values in release.targets if values.may_write]
    return found


def _weigh_patches(tree: Tree, release: Release) -> None:
    """Put behind the values that stand in the object what overlays of kustomize make of them: which of these builds is
    meant nobody knows, so that what a patch says is not known, and stays."""
    owner = release.owner
    if not tree.kustomizations or not owner.piece.source.holds_objects or owner.piece.file not in tree.files:
        return
    for variant in tree.ask(Overlays).objects(owner):
        names = sorted({patch.piece.file.name for patch in variant.chain.patches})
        for number, values in reversed(list(enumerate(release.values))):
            place = values.place
            if isinstance(place, InObject | InText) and place.item is owner:
                there = value_at(variant.data, place.below)
                patched = mapping_of(there) if isinstance(there, str) else there if isinstance(there, dict) else {}
                changed = (WHOLE,) if patched is None else tuple(_changed(values.data, patched, ()))
                if changed:
                    late = Values(f"the patch {' and '.join(names)}", {}, None, False, changed)
                    release.values.insert(number + 1, late)


def _changed(old: dict[str, Any], new: dict[str, Any], path: Path) -> Iterator[Path]:
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key), new.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _changed(one, other, (*path, key))
        elif (key in old) != (key in new) or not same(one, other):
            if isinstance(other, dict) and key not in old:
                yield from _changed({}, other, (*path, key))
            else:
                yield (*path, key)


def _shared(values: Values) -> tuple[str, Path] | None:
    """What tells whether two releases have ``values`` in common; None for what belongs to one."""
    place = values.place
    if isinstance(place, InFile):
        return place.path, ()
    if isinstance(place, InObject):  # a generator that several kustomizations name
        return place.path, (place.item.piece.start, *place.item.path, *place.below)
    return None
