"""Releases of Flux: names, the order of values, and what the tree does not show."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from hardener.charts.releases.collect import releases
from hardener.charts.releases.release import merged, write

from .trees import made, only, override, written

HEAD = """\
apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  chart:
    spec:
      chart: charts/app
      sourceRef: {kind: GitRepository, name: here}
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: first, namespace: apps}
data:
  values.yaml: |
    a: 1
    b: 1
    c: 1
  other.yaml: "b: 2"
  plain: "7"
  quoted: '"7"'
"""
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: second, namespace: apps}}
data: {{values.yaml: {base64.b64encode(b"c: 3").decode()}}}
"""
FROM = """\
  valuesFrom:
    - {kind: ConfigMap, name: first}
    - {kind: ConfigMap, name: first, valuesKey: other.yaml}
    - {kind: Secret, name: second}
    - {kind: ConfigMap, name: first, valuesKey: plain, targetPath: d.number}
    - {kind: ConfigMap, name: first, valuesKey: quoted, targetPath: d.text}
"""


def test_values_come_in_their_order_and_those_of_the_object_last(tmp_path: Path) -> None:
    text = HEAD + FROM + "  values: {a: 9}\n"
    release = only(made(tmp_path, {"a.yaml": text, "b.yaml": CONFIG, "c.yaml": SECRET}))
    said = merged([each.data for each in release.values])
    assert said == {"a": 9, "b": 2, "c": 3, "d": {"number": 7, "text": "7"}}
    assert release.unseen == []
    # They win over whatever comes before them.
    found = written(release, override("c", 4), override("d.number", 8))
    assert found == {"a.yaml": text.replace("{a: 9}", "{a: 9, c: 4, d: {number: 8}}")}


@pytest.mark.parametrize(
    ("others", "unseen"),
    [
        ({}, ["values.yaml of ConfigMap/first"]),
        ({"b.yaml": CONFIG.replace("values.yaml", "x.yaml")}, ["values.yaml of ConfigMap/first"]),
        ({"b.yaml": CONFIG.replace("a: 1", "a: [")}, ["values.yaml of ConfigMap/first"]),
        ({"b.yaml": CONFIG.replace("namespace: apps", "namespace: other")}, ["values.yaml of ConfigMap/first"]),
        ({"b.yaml": CONFIG}, []),
    ],
)
def test_what_the_tree_does_not_show_is_named(others: dict[str, str], unseen: list[str], tmp_path: Path) -> None:
    text = HEAD + "  valuesFrom: [{kind: ConfigMap, name: first}]\n"
    release = only(made(tmp_path, {"a.yaml": text, **others}))
    assert release.unseen == unseen
    # What stands in the object wins over it all the same.
    assert "readOnly: true" in written(release, override("a.readOnly", True))["a.yaml"]


GENERATED = """\
resources: [a.yaml]
namespace: apps
configMapGenerator:
  - name: first
    files: [values.yaml=web.yaml]
"""


def test_a_config_map_that_kustomize_makes_is_read(tmp_path: Path) -> None:
    text = HEAD.replace(", namespace: apps", "") + "  valuesFrom: [{kind: ConfigMap, name: first}]\n"
    files = {"on/a.yaml": text, "on/kustomization.yaml": GENERATED, "on/web.yaml": "a: 5\n"}
    release = only(made(tmp_path, files))
    assert (release.namespace, release.unseen, release.values[0].data) == ("apps", [], {"a": 5})


LONG = "x" * 60


@pytest.mark.parametrize(
    ("spec", "name", "namespace"),
    [
        ("", "web", "apps"),
        ("  releaseName: site\n", "site", "apps"),
        ("  targetNamespace: prod\n", "prod-web", "prod"),
        ("  targetNamespace: prod\n  releaseName: site\n", "site", "prod"),
        ("  targetNamespace: ${stage}\n", None, None),
        (
            f"  targetNamespace: {LONG}\n",
            LONG[:40] + "-" + hashlib.sha256(f"{LONG}-web".encode()).hexdigest()[:12],
            LONG,
        ),
    ],
)
def test_a_release_has_its_name(spec: str, name: str | None, namespace: str | None, tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": HEAD + spec}))
    assert (release.name, release.namespace) == (name, namespace)


FILES = HEAD.replace(
    "      sourceRef", "      valuesFiles: [charts/app/values-a.yaml, ./b.yaml, none.yaml]\n      sourceRef"
)


def test_files_take_the_place_of_the_values_of_the_chart(tmp_path: Path) -> None:
    others = {"charts/app/values-a.yaml": "a: 1\nb: 1\n", "b.yaml": "b: 2\n"}
    release = only(made(tmp_path, {"a.yaml": FILES, **others}))
    assert (release.defaults, release.unseen) == (False, ["none.yaml"])
    assert merged([each.data for each in release.values]) == {"a": 1, "b": 2}
    ignoring = FILES.replace("      sourceRef", "      ignoreMissingValuesFiles: true\n      sourceRef")
    assert only(made(tmp_path, {"a.yaml": ignoring})).unseen == []
    assert only(made(tmp_path, {"a.yaml": HEAD})).defaults


CHART = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: ours, namespace: apps}
spec:
  chart: charts/app
  sourceRef: {kind: GitRepository, name: here}
"""


@pytest.mark.parametrize(("kind", "at_hand"), [("HelmChart", True), ("OCIRepository", False)])
def test_a_chart_may_be_an_object_of_its_own(kind: str, at_hand: bool, tmp_path: Path) -> None:
    text = HEAD[: HEAD.index("  chart:")] + f"  chartRef: {{kind: {kind}, name: ours}}\n"
    (release,) = releases(made(tmp_path, {"a.yaml": text, "b.yaml": CHART}))
    assert release.at_hand == at_hand and bool(release.missing) != at_hand


OPERATOR = """\
apiVersion: helm.fluxcd.io/v1
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  chart: {git: "git@example.com:here", path: charts/app, ref: main}
  valuesFrom:
    - secretKeyRef: {name: second, key: values.yaml}
    - chartFileRef: {path: values-prod.yaml}
    - externalSourceRef: {url: "https://example.com/values.yaml"}
  values: {a: 9}
"""


def test_the_operator_before_it_is_known_too(tmp_path: Path) -> None:
    files = {"a.yaml": OPERATOR, "c.yaml": SECRET, "charts/app/values-prod.yaml": "c: 4\nd: 5\n"}
    release = only(made(tmp_path, files))
    assert (release.name, release.namespace, release.at_hand) == ("apps-web", "apps", True)
    assert merged([each.data for each in release.values]) == {"a": 9, "c": 4, "d": 5}
    assert release.unseen == ["values behind a URL"]
    assert written(release, override("c", 5))["a.yaml"] == OPERATOR.replace("{a: 9}", "{a: 9, c: 5}")


PATCH = """\
apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  values: {replicas: 5, web: {tag: "2"}}
"""


def test_a_patch_of_an_overlay_is_no_release_and_comes_later(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        "base/a.yaml": HEAD + "  values: {replicas: 1}\n",
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\n",
        "prod/patch.yaml": PATCH,
    }
    release = only(made(tmp_path, files))
    assert written(release, override("web.user", 1)).keys() == {"base/a.yaml"}
    found = write(release, [override("web.tag", "3"), override("web.user", 1)], lambda path: "")
    assert not isinstance(found, dict)
    assert [each.path for each in found.overrides] == [("web", "tag")]
    assert "prod/patch.yaml" in found.reason
