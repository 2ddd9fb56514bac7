"""The charts that charts of the tree depend on, and that do not lie in their ``charts/``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from hardener.charts.files.copy import brought
from hardener.charts.files.locked_dependencies import archive_of, reference_of
from hardener.charts.files.metadata import dependencies as entries_of
from hardener.charts.files.metadata import locked_versions, metadata, vendored
from hardener.charts.helm import ChartError
from hardener.charts.releases.chart_sources import DEFAULTS, PACKED, AtHand, chart_name, is_chart, literal
from hardener.charts.releases.release import Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InFile
from hardener.kubernetes.release_files import CHART
from hardener.lock.charts.reference import NoReferenceError
from hardener.sources.manifests import ManifestFile
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree


def dependencies(tree: Tree) -> Iterator[Release]:
    """Yield the dependencies that charts of ``tree`` take from elsewhere, each as what its chart has rendered."""
    at_hand = AtHand(tree)
    for path in tree.release_files.get(CHART, ()):
        for item in at_hand.objects(path):
            yield from _of(at_hand, item, os.path.dirname(path))


def umbrellas(tree: Tree, below: Sequence[Release], every: Sequence[Release]) -> list[Release]:
    """Return the charts of ``tree`` whose dependencies, those of ``below``, are all at hand, each as a release of its
    own ``values.yaml``, where values below the alias of a dependency stand.

    One that a release of ``every`` has rendered is hardened there, and one below another chart with that. One that is
    named as a path is asked for as a chart: its values go where ``harden values`` says.
    """
    at_hand, rendered = AtHand(tree), {os.path.realpath(each.chart) for each in every if each.chart is not None}
    rendered |= set(tree.given)
    found: dict[str, list[Release]] = {}
    for each in below:
        found.setdefault(folder_of(each), []).append(each)
    return [
        _umbrella(at_hand, some[0].owner, folder)
        for folder, some in found.items()
        if all(each.at_hand for each in some) and folder not in rendered and not _is_below(folder)
    ]


def folder_of(dependency: Release) -> str:
    """Return the folder of the chart that names ``dependency``."""
    return os.path.dirname(dependency.owner.piece.file.path)


def _is_below(folder: str) -> bool:
    above = os.path.dirname(folder)
    return os.path.basename(above) == "charts" and is_chart(os.path.dirname(above))


def _umbrella(at_hand: AtHand, item: Object, folder: str) -> Release:
    called = str(item.data.get("name") or os.path.basename(folder))
    release = Release(item, "Helm", called, folder, name=literal(called))
    path = os.path.join(folder, DEFAULTS)
    name = os.path.relpath(path)
    data = at_hand.document(path) if os.path.isfile(path) else {}
    if data is None:
        release.values = [unknown(name)]
    else:
        release.values = [Values(name, data, InFile(path, name), at_hand.may_write(path))]
    release.targets = [each for each in release.values if each.may_write]
    release.advice = f"add to {name}"
    release.is_own = True
    return release


def place_of(release: Release, below: Sequence[Release], file: ManifestFile) -> tuple[str, int] | None:
    """Return where a person looks for what comes of ``file``, a template of the chart of ``release``: the line of the
    release, or of the dependency of ``below`` that brings it; None for one that lies in the tree."""
    if not release.is_elsewhere and os.path.isfile(file.path):
        return None
    below_it = file.path[len(folder_of(release)) :].split(os.sep)[2:3] if release.is_own else []
    names = {brought(name) for name in below_it}
    meant = (each for each in below if each.called in names and each.owner is release.owner)
    found = next(meant, release)
    return found.owner.piece.file.name, found.line


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
