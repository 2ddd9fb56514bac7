"""Releases of Fleet: the chart that a ``fleet.yaml`` has rendered for the clusters of a GitRepo.

Source: fleet.rancher.io/ref-fleet-yaml and rancher/fleet internal/bundlereader (generateValues): ``helm.values``, then
``helm.valuesFiles``, the later over the earlier; a chart is one of ``repo``, an address, or a folder beside the file.
``valuesFrom`` and ``targetCustomizations`` are added in the clusters.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hardener.charts.releases.chart_sources import AtHand, literal, of_address, version_of, writable
from hardener.charts.releases.release import Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InObject
from hardener.kubernetes.release_files import FLEET
from hardener.support.shapes import mapping, mappings, texts
from hardener.tree.core_views import Object


def releases(at_hand: AtHand) -> Iterator[Release]:
    """Yield the charts that the files of Fleet in the tree name."""
    for path in at_hand.tree.release_files.get(FLEET, ()):
        for item in at_hand.objects(path):
            helm = item.data.get("helm")
            folder = os.path.dirname(path)
            if isinstance(helm, dict) and (helm.get("chart") or at_hand.chart(".", folder)):
                yield _release(at_hand, item, helm, folder)


def _release(at_hand: AtHand, item: Object, helm: dict[str, Any], folder: str) -> Release:
    called = str(helm.get("chart") or ".")
    release = Release(item, "Fleet", called)
    release.place = ("helm",)
    if not helm.get("repo") and literal(called) and (chart := at_hand.chart(called, folder)):
        release.chart = chart
    else:
        at_hand.take(
            release, lambda: of_address(called, version_of(helm.get("version")), helm.get("repo")), helm.get("version")
        )
    release.name = literal(helm.get("releaseName"))
    release.namespace = literal(item.data.get("namespace") or item.data.get("defaultNamespace"))
    found = helm.get("values")
    place = InObject(item, ("helm", "values"), f"helm.values of {item.piece.file.name}")
    own = Values(place.name, mapping(found), place, writable(item) and (found is None or isinstance(found, dict)))
    release.values.append(own)
    for path in texts(helm.get("valuesFiles")):
        written = literal(path)
        release.values.append((written and at_hand.file(written, folder, release.chart)) or unknown(path))
    _in_clusters(release, item, helm)
    release.targets = [own]
    release.advice = "add to helm.values"
    return release


def _in_clusters(release: Release, item: Object, helm: dict[str, Any]) -> None:
    """Add what only a cluster shows, or is said for some of them."""
    if helm.get("valuesFrom"):
        release.values.append(unknown(f"valuesFrom of {item.piece.file.name}"))
    customized = [entry for entry in mappings(item.data.get("targetCustomizations")) if entry.get("helm")]
    if customized:
        release.values.append(unknown(f"targetCustomizations of {item.piece.file.name}"))
