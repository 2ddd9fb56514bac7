"""Releases of k3s: the chart in the object, what a HelmChartConfig adds, values set one by one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from hardener.charts.releases.collect import releases
from hardener.charts.releases.release import merged, write
from hardener.tree.tree import Settings

from .test_releases import packed
from .trees import added, made, only, override, written

HEAD = f"""\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {{name: web, namespace: kube-system}}
spec:
  chartContent: {packed()}
"""
CONFIG = """\
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata: {name: web, namespace: kube-system}
spec:
  valuesContent: |
    # ours
    b: 2
"""
ALL = """\
  valuesContent: |-
    a: 1
    b: 1
    c: 1
  set:
    c: "3"
    d: 4
    e.f: "true"
    g: "1.5"
"""


def test_values_come_in_their_order(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": HEAD + ALL, "b.yaml": CONFIG}))
    assert (release.name, release.namespace, release.at_hand) == ("web", "kube-system", True)
    assert merged([each.data for each in release.values]) == {
        "a": 1, "b": 2, "c": "3", "d": 4, "e": {"f": True}, "g": "1.5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name", "lines"),
    [
        (override("a", 9), "a.yaml", ["-    a: 1", "    a: 9"]),
        (override("b", 9), "b.yaml", ["-    b: 2", "    b: 9"]),
        (override("d", 9), "a.yaml", ["-    d: 4", "    d: 9"]),
        (override("e.f", False), "a.yaml", ['-    e.f: "true"', '    e.f: "false"']),
        (override("g", "2.5"), "a.yaml", ['-    g: "1.5"', '    g: "2.5"']),
        (override("new", True), "a.yaml", ["    new: true"]),
    ],
)
def test_an_override_stands_where_it_wins(change: Any, name: str, lines: list[str], tmp_path: Path) -> None:
    files = {"a.yaml": HEAD + ALL, "b.yaml": CONFIG}
    found = written(only(made(tmp_path, files)), change)
    assert list(found) == [name]
    assert added(files[name], found[name]) == lines


def test_a_number_with_a_point_has_no_form_in_set(tmp_path: Path) -> None:
    found = write(only(made(tmp_path, {"a.yaml": HEAD + ALL})), [override("g", 2.5)], lambda path: HEAD + ALL)
    assert not isinstance(found, dict)
    assert found.reason == "set g of HelmChart/web sets g, and comes later"


SECRETS = "  valuesSecrets: [{name: more, keys: [more.yaml]}]\n"
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: more, namespace: kube-system}}
data: {{more.yaml: {base64.b64encode(b"a: 5").decode()}}}
"""


def test_a_secret_of_values_comes_later(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": HEAD + SECRETS}))
    assert release.unseen == ["more.yaml of Secret/more"]
    found = write(release, [override("a", 1)], lambda path: HEAD + SECRETS)
    assert not isinstance(found, dict) and "may set a, and the tree does not show it" in found.reason
    release = only(made(tmp_path, {"a.yaml": HEAD + SECRETS, "b.yaml": SECRET}))
    assert release.unseen == [] and written(release, override("b", 1))
    found = write(release, [override("a", 1)], lambda path: HEAD + SECRETS)
    assert not isinstance(found, dict) and found.reason == "more.yaml of Secret/more sets a, and comes later"


def test_values_may_be_a_mapping(tmp_path: Path) -> None:
    text = HEAD + "  values: {a: 1}\n"
    release = only(made(tmp_path, {"a.yaml": text}))
    assert written(release, override("a", 2), override("b", 3))["a.yaml"] == HEAD + "  values: {a: 2, b: 3}\n"


def test_values_are_made_where_there_are_none(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": HEAD}))
    assert written(release, override("a.b", True))["a.yaml"] == HEAD + "  valuesContent: |\n    a:\n      b: true\n"


@pytest.mark.parametrize("configured", [True, False])
def test_a_config_alone_is_for_a_chart_of_the_cluster(configured: bool, tmp_path: Path) -> None:
    settings = Settings(helm_charts={"web": str(tmp_path / "charts/app")} if configured else {})
    release = only(made(tmp_path, {"b.yaml": CONFIG}, settings))
    assert (release.at_hand, release.name) == (configured, "web")
    assert release.unseen == ["the HelmChart web"]
    assert written(release, override("a", 1))["b.yaml"].endswith("    b: 2\n    a: 1\n")


@pytest.mark.parametrize("content", ["%%%", "YQ", "a b"])
def test_what_is_no_base64_is_said(content: str, tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": HEAD.replace(packed(), f"'{content}'")}))
    assert (release.at_hand, release.missing) == (False, "its chartContent is no base64")


def test_the_packed_chart_is_a_file_as_long_as_it_is_needed(tmp_path: Path) -> None:
    (release,) = releases(made(tmp_path, {"a.yaml": HEAD}))
    with release.chart_path() as path:
        assert Path(path).read_bytes() == base64.b64decode(packed())
    assert not Path(path).exists()


def test_an_item_of_a_list_is_set_by_helm(tmp_path: Path) -> None:
    text = HEAD + '  set: {"a.b[0].c": 1, "d[0]": x}\n'
    release = only(made(tmp_path, {"a.yaml": text}))
    assert release.sets == ["a.b[0].c=1"]
    assert release.unseen == ["set d[0] of HelmChart/web"]  # a text in any case, which --set alone cannot say
    found = write(release, [override("a.b", []), override("d", []), override("a.c", 1)], lambda path: text)
    assert not isinstance(found, dict) and [each.path for each in found.overrides] == [("a", "b"), ("d",)]
