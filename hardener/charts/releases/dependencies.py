"""The charts that charts of the tree depend on, and that do not lie in their ``charts/``."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.charts.files.locked_dependencies import archive_of, reference_of
from hardener.charts.files.metadata import dependencies as entries_of
from hardener.charts.files.metadata import locked_versions, metadata, vendored
from hardener.charts.helm import ChartError
from hardener.charts.releases.chart_sources import PACKED, AtHand, chart_name
from hardener.charts.releases.release import Release
from hardener.kubernetes.release_files import CHART
from hardener.lock.charts.reference import NoReferenceError
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree


def dependencies(tree: Tree) -> Iterator[Release]:
    """Yield the dependencies that charts of ``tree`` take from elsewhere, each as what its chart has rendered."""
    at_hand = AtHand(tree)
    for path in tree.release_files.get(CHART, ()):
        for item in at_hand.objects(path):
            yield from _of(at_hand, item, os.path.dirname(path))


def _of(at_hand: AtHand, item: Object, folder: str) -> Iterator[Release]:
    try:
        entries = entries_of(metadata(folder, os.path.relpath(folder)))
        there = {name for name, _ in vendored(folder)} | set(_packed(folder))
        versions = locked_versions(folder)
    except (ChartError, OSError):  # helm says it of the chart
        return
    lock = at_hand.tree.lock
    for index, entry in enumerate(entries):
        if entry["name"] in there:
            continue
        release = Release(item, "Helm", entry["name"])
        release.place = ("dependencies", index) if isinstance(item.data.get("dependencies"), list) else ()
        try:
            release.asked = reference_of(entry, versions)
        except NoReferenceError as error:
            release.missing = str(error)
        if release.asked is not None:
            release.chart = archive_of((lock.charts if lock is not None else None) or {}, entry, versions)
        if release.asked is not None or release.missing:
            yield release


def _packed(folder: str) -> Iterator[str]:
    """The names of what lies packed in ``charts/`` of the chart in ``folder``, as far as they tell."""
    below = os.path.join(folder, "charts")
    for name in os.listdir(below) if os.path.isdir(below) else ():
        if name.endswith(PACKED):
            yield chart_name(name)
