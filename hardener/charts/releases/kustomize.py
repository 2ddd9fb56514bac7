"""Charts that kustomize renders: ``helmCharts`` and ``helmChartInflationGenerator`` of a kustomization, and the same in
a file that it names among its generators.

Source: kubernetes-sigs/kustomize api/types/helmchartargs.go and plugin/builtin/helmchartinflationgenerator: one file of
values (``valuesFile``, else the values.yaml of the chart) and ``valuesInline`` are merged by ``valuesMerge`` (override:
the inline values win; merge: the file wins; replace: the inline values alone), and given to helm before
``additionalValuesFiles``. A null that is merged takes its key out, so that helm never sees it. The chart lies in
``chartHome/NAME``, or ``chartHome/NAME-VERSION/NAME`` where it was pulled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hardener.charts.releases.chart_sources import DEFAULTS, AtHand, literal, version_of, writable
from hardener.charts.releases.release import Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InObject, Patches, patches_of
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.lock.charts.reference import ChartReference, NoReferenceError, in_repository
from hardener.sources import files, manifests
from hardener.support.data_path import Path
from hardener.support.shapes import texts
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_HOME = "charts"
_GENERATOR = "HelmChartInflationGenerator"
_MOST_FILES = 1000  # that one kustomization takes generators from


def releases(at_hand: AtHand) -> Iterator[Release]:
    """Yield the charts that kustomizations of the tree render."""
    for folder, item in at_hand.tree.kustomizations.items():
        for index, chart in _entries(item.data, "helmCharts"):
            release = _release(at_hand, item, folder, ("helmCharts", index), chart, _home(item.data))
            release.patches = _patches(item)
            yield release
        homes = [entry.get("chartHome") for _, entry in _entries(item.data, "helmChartInflationGenerator")]
        home = next((home for home in reversed(homes) if isinstance(home, str) and home), _HOME)
        for index, old in _entries(item.data, "helmChartInflationGenerator"):
            place: Path = ("helmChartInflationGenerator", index)
            yield _release(at_hand, item, folder, place, _as_now(old), home, inline="valuesLocal")
        for generator in _generators(at_hand, folder, item):
            data = generator.data
            yield _release(at_hand, generator, folder, (), data, str(data.get("chartHome") or _HOME))


def _patches(item: Object) -> Patches | None:
    """The patches of a kustomization, which are also for what its charts render."""
    given = item.data.get("patches")
    if any(key in item.data for key in ("patchesStrategicMerge", "patchesJson6902")):
        return None
    return patches_of(item, ("patches",), given if isinstance(given, list) else [])


def _entries(document: Any, key: str) -> list[tuple[int, dict[str, Any]]]:
    found = document.get(key)
    entries = enumerate(found if isinstance(found, list) else [])
    return [(index, entry) for index, entry in entries if isinstance(entry, dict)]


def _home(document: Any) -> str:
    found = document.get("helmGlobals")
    home = found.get("chartHome") if isinstance(found, dict) else None
    return home if isinstance(home, str) and home else _HOME


def _as_now(old: dict[str, Any]) -> dict[str, Any]:
    """An entry of helmChartInflationGenerator under the names that helmCharts has; its namespace is not handed on."""
    names = {
        "name": "chartName", "version": "chartVersion", "repo": "chartRepoUrl", "releaseName": "releaseName",
        "valuesFile": "values", "valuesInline": "valuesLocal", "valuesMerge": "valuesMerge",
    }  # fmt: skip
    return {now: old[name] for now, name in names.items() if name in old}


def _generators(at_hand: AtHand, folder: str, item: Object) -> Iterator[Object]:
    """The generators of that kind that stand in files of their own: those that it names, and the resources of a folder
    that it names. What they name is seen from ``folder`` either way (target/kusttarget.go, runGenerators)."""
    for path in _files(at_hand, folder, list(kustomize.plugins(item.data))):
        try:
            content = files.read(path)
        except files.UnreadableError:
            continue
        if _GENERATOR not in content.text:
            continue
        yield from _objects(at_hand.tree, path, content, at_hand.may_write(path))


def _files(at_hand: AtHand, folder: str, names: list[str]) -> Iterator[str]:
    """The files at ``names``, seen from ``folder``, and those that kustomizations there take in, each once."""
    waiting = [(folder, name) for name in reversed(names)]
    seen: set[str] = set()
    while waiting and len(seen) < _MOST_FILES:
        start, name = waiting.pop()
        path = at_hand.inside(name, start)
        if path is None or path in seen:
            continue
        seen.add(path)
        if os.path.isfile(path):
            yield path
        elif inner := at_hand.tree.kustomizations.get(path):
            waiting += [(path, resource) for resource in kustomize.resources(inner.data)]


def _objects(tree: Tree, path: str, content: files.Content, editable: bool) -> Iterator[Object]:
    file = manifests.load(path, os.path.relpath(path), content, editable=editable, wanted=lambda text: True)
    for piece in file.pieces:
        for index, document in enumerate(piece.data):
            # One without the name of a chart is a patch.
            if isinstance(document, dict) and document.get("kind") == _GENERATOR and document.get("name"):
                yield Object(tree, piece, (index,), document)


def _release(
    at_hand: AtHand,
    item: Object,
    folder: str,
    below: Path,
    chart: dict[str, Any],
    home: str,
    inline: str = "valuesInline",
) -> Release:
    name, version = str(chart.get("name") or ""), literal(str(chart.get("version") or ""))
    release = Release(item, "kustomize", name)
    release.name, release.namespace = literal(chart.get("releaseName")), literal(chart.get("namespace"))
    pulled = os.path.join(home, f"{name}-{version}", name) if chart.get("repo") and version else None
    for place in (pulled, os.path.join(home, name)):
        if place and name and literal(place) and release.chart is None:
            release.chart = at_hand.chart(place, folder)
    if release.chart is None:
        at_hand.take(release, lambda: _asked(name, chart), version)
    _values(at_hand, release, folder, (*below, inline), chart)
    return release


def _asked(name: str, chart: dict[str, Any]) -> ChartReference:
    address = literal(chart.get("repo"))
    if address is None or not name:
        raise NoReferenceError(f"the chart {name} is not in its chartHome, and no repo is named")
    return in_repository(address, name, version_of(chart.get("version")))


def _values(at_hand: AtHand, release: Release, folder: str, below: Path, chart: dict[str, Any]) -> None:
    """Put the values of ``chart`` in the order in which they reach helm, and choose where overrides are written."""
    mode, given = chart.get("valuesMerge") or "override", chart.get("valuesInline")
    own = _inline(release.owner, below, given, takes_null=mode == "replace")
    has_inline = isinstance(given, dict) and bool(given)
    file = _file_of(at_hand, release, folder, chart.get("valuesFile"), mode)
    release.values = _in_order(mode, own, [] if file is None else [file], has_inline)
    release.values += [
        at_hand.file(path, folder, release.chart) or unknown(path) for path in texts(chart.get("additionalValuesFiles"))
    ]
    inline = [each for each in release.values if each is own]
    written = [each for each in release.values if each is not own and each.may_write]
    release.targets = [*inline, *written] if has_inline and mode != "merge" else [*written, *inline]
    release.advice = "add to valuesInline of the chart"


def _inline(item: Object, below: Path, given: Any, *, takes_null: bool) -> Values:
    label = ".".join(map(str, below))
    data = given if isinstance(given, dict) else {}
    may_write = writable(item) and (given is None or isinstance(given, dict))
    shown = data if takes_null else _without_null(data)
    return Values(label, shown, InObject(item, below, label), may_write, takes_null=takes_null)


def _file_of(at_hand: AtHand, release: Release, folder: str, named: Any, mode: str) -> Values | None:
    """The file of values; with ``merge`` the one of the chart, which wins over what is written inline."""
    if isinstance(named, str) and named:
        return at_hand.file(named, folder, release.chart) or unknown(named)
    if mode == "merge" and release.chart is not None:
        return at_hand.file(DEFAULTS, release.chart, release.chart)
    return None


def _in_order(mode: str, own: Values, files: list[Values], has_inline: bool) -> list[Values]:
    if mode == "merge":
        return [own, *files]
    if mode == "replace":  # inline values take the place of the file
        return [own] if has_inline else files or [own]
    return [*files, own]


def _without_null(data: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_null(value) if isinstance(value, dict) else value
        for key, value in data.items()
        if value is not None
    }
