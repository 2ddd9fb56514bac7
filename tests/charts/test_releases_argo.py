"""Releases of Argo CD: sources, the order of values, parameters, and what a generator fills in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hardener.charts.releases.collect import releases
from hardener.charts.releases.release import merged, write

from .trees import added, made, only, override, written

HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  destination: {server: x, namespace: apps}
"""


def app(helm: str = "", path: str = "charts/app") -> str:
    return HEAD + f"  source:\n    repoURL: https://git.example.com/here\n    path: {path}\n" + helm


ALL = """\
    helm:
      releaseName: site
      valueFiles: [values-a.yaml, ../../b.yaml]
      values: |
        a: 3
        b: 3
        c: 3
        d: 3
      parameters:
        - {name: d, value: "4"}
        - {name: e, value: "true", forceString: true}
        - {name: f.g, value: "true"}
        - {name: "h[0]", value: "x,y"}
"""


def test_values_come_in_their_order(tmp_path: Path) -> None:
    files = {"a.yaml": app(ALL), "charts/app/values-a.yaml": "a: 1\nz: 1\n", "b.yaml": "b: 2\nz: 2\n"}
    release = only(made(tmp_path, files))
    assert (release.name, release.namespace, release.unseen) == ("site", "apps", [])
    said = merged([each.data for each in release.values])
    assert said == {"a": 3, "b": 3, "c": 3, "d": 4, "z": 2, "e": "true", "f": {"g": True}}
    assert release.sets == [r"h[0]=x\,y"]


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (override("c", 9), ["-        c: 3", "        c: 9"]),
        (override("d", 9), ['-        - {name: d, value: "4"}', '        - {name: d, value: "9"}']),
        (override("e", "false"), ['-        - {name: e, value: "true", forceString: true}',
                                  '        - {name: e, value: "false", forceString: true}']),
        (override("f.g", False), ['-        - {name: f.g, value: "true"}', '        - {name: f.g, value: "false"}']),
    ],
)  # fmt: skip
def test_a_parameter_wins_so_it_is_the_place(change: Any, lines: list[str], tmp_path: Path) -> None:
    files = {"a.yaml": app(ALL), "charts/app/values-a.yaml": "a: 1\n", "b.yaml": "b: 2\n"}
    found = written(only(made(tmp_path, files)), change)
    assert added(files["a.yaml"], found["a.yaml"]) == lines


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (override("h", ["a"]), "h is set one by one, which wins over values"),
        (override("e", True), "the parameter e sets e, and comes later"),  # a text in any case
        (override("f", None), "the parameter f.g sets f, and comes later"),
        (override("d.x", 1), "the parameter d sets d.x, and comes later"),
    ],
)
def test_what_would_lose_is_refused(change: Any, reason: str, tmp_path: Path) -> None:
    files = {"a.yaml": app(ALL), "charts/app/values-a.yaml": "a: 1\n", "b.yaml": "b: 2\n"}
    found = write(only(made(tmp_path, files)), [change, override("new", 1)], lambda path: files["a.yaml"])
    assert not isinstance(found, dict)
    assert (found.reason, found.overrides) == (reason, (change,))


def test_an_object_takes_the_place_of_a_text(tmp_path: Path) -> None:
    helm = "    helm:\n      values: 'a: 1'\n      valuesObject: {b: 2}\n"
    release = only(made(tmp_path, {"a.yaml": app(helm)}))
    assert merged([each.data for each in release.values]) == {"b": 2}


@pytest.mark.parametrize(
    ("files", "unseen"),
    [
        ("[none.yaml]", ["none.yaml"]),
        ('["https://example.com/values.yaml"]', ["https://example.com/values.yaml"]),
        ("[secrets+gpg-import:///x]", ["secrets+gpg-import:///x"]),
        ("[../../../outside.yaml]", ["../../../outside.yaml"]),
        ("[$values/a.yaml]", ["$values/a.yaml"]),
        ("[envs/*.yml]", ["envs/*.yml"]),
        ("[broken.yaml]", ["charts/app/broken.yaml"]),
        ("[values-$ARGOCD_APP_NAME.yaml]", []),
        ("[/envs/*.yaml]", []),
    ],
)
def test_files_that_the_tree_lacks_are_not_known(files: str, unseen: list[str], tmp_path: Path) -> None:
    tree = {
        "a.yaml": app(f"    helm: {{valueFiles: {files}}}\n"), "charts/app/values-web.yaml": "a: 1\n",
        "envs/b.yaml": "b: 1\n", "envs/a.yaml": "a: 1\nb: 2\n", "charts/app/broken.yaml": "a: [\n",
    }  # fmt: skip
    release = only(made(tmp_path / "tree", tree))
    assert len(release.unseen) == len(unseen)
    assert all(name.endswith(end) for name, end in zip(release.unseen, unseen, strict=True))
    # What stands in the object itself wins over files, known or not.
    assert written(release, override("c", 1))


def test_patterns_name_files_in_the_order_of_folders(tmp_path: Path) -> None:
    helm = "    helm: {valueFiles: ['/envs/**/*.yaml', /envs/a.yaml]}\n"
    tree = {"app.yaml": app(helm), "envs/z.yaml": "a: z\n", "envs/in/c.yaml": "a: c\n", "envs/a.yaml": "a: a\n"}
    release = only(made(tmp_path, tree))
    assert [each.data for each in release.values][:3] == [{"a": "z"}, {"a": "c"}, {"a": "a"}]


SOURCES = """\
  sources:
    - repoURL: https://charts.example.com
      chart: app
      targetRevision: 1.2.3
      helm:
        valueFiles: [$here/envs/web.yaml, $other/envs/web.yaml]
    - repoURL: https://git.example.com/here
      targetRevision: main
      ref: here
    - repoURL: https://git.example.com/manifests
      path: manifests
  source: {repoURL: x, path: charts/app}
"""


def test_a_source_may_take_files_from_another(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": HEAD + SOURCES, "envs/web.yaml": "a: 1\n", "manifests/x.yaml": ""}))
    assert (release.called, release.chart) == ("app", str(tmp_path / "charts/app"))
    assert release.values[0].data == {"a": 1}
    assert release.unseen == ["$other/envs/web.yaml"]
    # The file that is not known comes after the one that is: only what stands in the object is sure to win.
    found = written(release, override("a", 2))
    assert list(found) == ["a.yaml"]
    assert "valuesObject:\n          a: 2" in found["a.yaml"]


SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: all, namespace: argocd}
spec:
  generators:
    - list: {elements: [{name: one}, {name: two}]}
  template:
    metadata: {name: '{{name}}'}
    spec:
      destination: {namespace: '{{name}}'}
      source:
        repoURL: https://git.example.com/here
        path: PATH
        helm:
          valueFiles: ['envs/{{name}}.yaml']
          valuesObject:
            host: '{{name}}.example.com'
            replicas: 2
"""


def test_an_application_set_is_one_release(tmp_path: Path) -> None:
    text = SET.replace("PATH", "charts/app")
    release = only(made(tmp_path, {"a.yaml": text}))
    assert (release.at_hand, release.name, release.namespace) == (True, None, None)
    assert release.unseen == ["envs/{{name}}.yaml", "helm.valuesObject of ApplicationSet/all"]
    assert added(text, written(release, override("replicas", 3))["a.yaml"]) == [
        "-            replicas: 2", "            replicas: 3",
    ]  # fmt: skip
    patched = text + "  templatePatch: |\n    spec: {}\n"
    found = write(only(made(tmp_path, {"a.yaml": patched})), [override("replicas", 3)], lambda path: patched)
    assert not isinstance(found, dict) and "templatePatch" in found.reason


def test_a_path_that_a_generator_fills_in_is_not_known(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": SET.replace("PATH", "'charts/{{name}}'")}))
    assert (release.chart, release.missing) == (None, "its path is filled in by a generator")


@pytest.mark.parametrize(
    "text",
    [
        app(path="manifests"),  # plain manifests
        app("    kustomize: {}\n"),
        app("    plugin: {name: x}\n"),
        HEAD,
    ],
)
def test_what_is_no_chart_is_no_release(text: str, tmp_path: Path) -> None:
    assert releases(made(tmp_path, {"a.yaml": text, "manifests/a.yaml": ""})) == []


BESIDE = "helm:\n  parameters:\n    - {name: image.tag, value: v2}\n"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (".argocd-source.yaml", BESIDE, "the parameter image.tag"),
        (".argocd-source-web.yaml", BESIDE, "the parameter image.tag"),
        (".argocd-source.yaml", "helm: {values: 'a: 1'}\n", "argocd-source.yaml"),
        (".argocd-source-api.yaml", BESIDE, ""),
    ],
)
def test_what_a_file_beside_the_chart_sets_wins(name: str, text: str, reason: str, tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": app(), f"charts/app/{name}": text}))
    found = write(release, [override("image.tag", "v3")], lambda path: app())
    if reason:
        assert not isinstance(found, dict) and reason in found.reason
    else:
        assert isinstance(found, dict)


def test_a_file_parameter_is_a_text(tmp_path: Path) -> None:
    helm = "    helm: {fileParameters: [{name: a.b, path: file.txt}, {name: c, path: none.txt}]}\n"
    release = only(made(tmp_path, {"a.yaml": app(helm), "charts/app/file.txt": "1"}))
    assert merged([each.data for each in release.values]) == {"a": {"b": "1"}}
    assert release.unseen == ["the file parameter c"]
