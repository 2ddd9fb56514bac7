"""Charts that kustomize renders: how inline values and files are merged, and where the chart lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hardener.charts.releases.collect import releases
from hardener.charts.releases.release import merged, write

from .trees import made, only, override, written

HEAD = """\
helmCharts:
  - name: app
    version: 1.2.3
    releaseName: web
"""


def values_of(chart: str, tmp_path: Path, **files: str) -> Any:
    tree = {"kustomization.yaml": HEAD + chart, "own.yaml": "a: 1\nb: 1\n", "more.yaml": "b: 3\nc: 3\n", **files}
    return only(made(tmp_path, tree))


FILE = "    valuesFile: own.yaml\n"
INLINE = "    valuesInline: {b: 2, c: 2, d: null}\n"
MORE = "    additionalValuesFiles: [more.yaml]\n"


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        ("", {}),
        (FILE, {"a": 1, "b": 1}),
        (INLINE, {"b": 2, "c": 2}),
        (FILE + INLINE, {"a": 1, "b": 2, "c": 2}),
        (FILE + INLINE + MORE, {"a": 1, "b": 3, "c": 3}),
        (FILE + INLINE + "    valuesMerge: override\n", {"a": 1, "b": 2, "c": 2}),
        (FILE + INLINE + "    valuesMerge: merge\n", {"a": 1, "b": 1, "c": 2}),
        (FILE + INLINE + "    valuesMerge: replace\n", {"b": 2, "c": 2, "d": None}),
        (FILE + "    valuesMerge: replace\n", {"a": 1, "b": 1}),
    ],
)
def test_inline_values_and_files_are_merged(chart: str, said: dict[str, Any], tmp_path: Path) -> None:
    assert merged([each.data for each in values_of(chart, tmp_path).values]) == said


@pytest.mark.parametrize(
    ("chart", "change", "name", "line"),
    [
        ("", override("a", 9), "kustomization.yaml", "    valuesInline:\n      a: 9\n"),
        (INLINE, override("b", 9), "kustomization.yaml", "{b: 9, c: 2, d: null}"),
        (FILE, override("b", 9), "own.yaml", "b: 9\n"),
        (FILE + INLINE, override("a", 9), "kustomization.yaml", "a: 9"),
        (FILE + INLINE + MORE, override("c", 9), "more.yaml", "c: 9\n"),
        (FILE + INLINE + "    valuesMerge: merge\n", override("b", 9), "own.yaml", "b: 9\n"),
        (FILE + INLINE + "    valuesMerge: replace\n", override("a", None), "kustomization.yaml", "a: null"),
        (FILE + MORE, override("z", 9), "own.yaml", "z: 9\n"),
        (FILE, override("a", None), "own.yaml", "a: null\n"),
    ],
)
def test_an_override_stands_where_it_wins(chart: str, change: Any, name: str, line: str, tmp_path: Path) -> None:
    found = written(values_of(chart, tmp_path), change)
    assert list(found) == [name]
    assert line in found[name]


@pytest.mark.parametrize(
    ("chart", "change", "reason"),
    [
        (INLINE, override("b", None), "kustomize takes a null out of helmCharts.0.valuesInline before helm reads it"),
        # The values of the chart win, and nobody writes into the chart.
        ("    valuesMerge: merge\n", override("replicas", 2), "charts/app/values.yaml sets replicas, and comes later"),
    ],
)
def test_what_would_lose_is_refused(chart: str, change: Any, reason: str, tmp_path: Path) -> None:
    found = write(values_of(chart, tmp_path), [change], lambda path: "")
    assert not isinstance(found, dict) and found.reason.endswith(reason)


@pytest.mark.parametrize(
    ("home", "folder", "extra"),
    [
        ("", "charts/app", ""),
        ("helmGlobals: {chartHome: vendor}\n", "vendor/app", ""),
        ("", "charts/app-1.2.3/app", "    repo: https://charts.example.com\n"),
    ],
)
def test_a_chart_lies_where_kustomize_looks(home: str, folder: str, extra: str, tmp_path: Path) -> None:
    files = {f"on/{folder}/Chart.yaml": "name: app\nversion: 0.0.1\n", "on/kustomization.yaml": HEAD + extra + home}
    assert only(made(tmp_path, files)).chart == str(tmp_path / "on" / folder)


OLD = """\
helmChartInflationGenerator:
  - chartName: app
    chartHome: charts
    releaseName: web
    values: own.yaml
    valuesLocal: {b: 2}
"""


def test_the_older_form_is_known(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"kustomization.yaml": OLD, "own.yaml": "a: 1\n"}))
    assert (release.name, release.chart) == ("web", str(tmp_path / "charts/app"))
    assert written(release, override("c", 3)) == {"kustomization.yaml": OLD.replace("{b: 2}", "{b: 2, c: 3}")}


GENERATOR = """\
apiVersion: builtin
kind: HelmChartInflationGenerator
metadata: {name: app}
name: app
releaseName: web
valuesInline:
  # ours
  b: 2
"""


def test_a_generator_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    files = {"kustomization.yaml": "generators: [chart.yaml, none.yaml]\n", "chart.yaml": GENERATOR}
    release = only(made(tmp_path, files))
    assert (release.name, release.chart) == ("web", str(tmp_path / "charts/app"))
    assert written(release, override("c", 3)) == {"chart.yaml": GENERATOR + "  c: 3\n"}


@pytest.mark.parametrize(
    "text", ["helmCharts: {}\n", "helmCharts: [1]\n", "helmCharts: [{name: 1}]\nhelmGlobals: []\n"]
)
def test_no_shape_is_a_crash(text: str, tmp_path: Path) -> None:
    for release in releases(made(tmp_path, {"kustomization.yaml": text})):
        assert release.missing


@pytest.mark.parametrize("overlays", [["dev"], ["dev", "prod"]])
def test_a_generator_of_a_base_is_seen_from_each_overlay(overlays: list[str], tmp_path: Path) -> None:
    files = {"base/kustomization.yaml": "resources: [chart.yaml]\n"}
    files["base/chart.yaml"] = GENERATOR + "valuesFile: values.yaml\nchartHome: ../../charts\n"
    for name in overlays:
        files[f"overlays/{name}/kustomization.yaml"] = "generators: [../../base]\n"
        files[f"overlays/{name}/values.yaml"] = f"a: {name}\n"
    found = releases(made(tmp_path, files))
    assert [merged([each.data for each in release.values]) for release in found] == [
        {"a": name, "b": 2} for name in overlays
    ]
    # What stands in the base is no place for what is meant for one of several overlays.
    places = [list(written(release, override("c", 3))) for release in found]
    assert places == (
        [["base/chart.yaml"]] if len(overlays) == 1 else [[f"overlays/{n}/values.yaml"] for n in overlays]
    )
