"""Which chart a release asks for: by address and version, whatever objects are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.charts.releases.collect import releases
from hardener.charts.releases.dependencies import dependencies

from .trees import made

HTTP = "https://charts.example/stable"
SOURCES = f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: web, namespace: flux-system}}
spec: {{url: "{HTTP}/"}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: registry, namespace: flux-system}}
spec: {{type: oci, url: "oci://r.example/charts"}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: web, namespace: apps}}
spec: {{url: "oci://r.example/other/thing", ref: {{tag: 1.2.3_b1, semver: ">=2"}}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: newest, namespace: apps}}
spec: {{url: "oci://r.example/other/thing"}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {{name: chart, namespace: apps}}
spec: {{chart: web, version: "1.x", sourceRef: {{kind: HelmRepository, name: web, namespace: flux-system}}}}
---
"""


def flux(spec: str) -> dict[str, str]:
    head = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: it, namespace: apps}\n"
    return {"a.yaml": f"{SOURCES}{head}spec: {{{spec}}}\n"}


def of(source: str, name: str, version: str = "1.0.0") -> str:
    reference = f"{{kind: {source}, name: {name}, namespace: flux-system}}"
    return f"chart: {{spec: {{chart: web, version: {version}, sourceRef: {reference}}}}}"


def argo(source: str, kind: str = "Application", generators: str = "") -> dict[str, str]:
    spec = f"source: {{{source}}}"
    if kind == "ApplicationSet":
        spec = f"generators: [{generators}], template: {{metadata: {{name: it}}, spec: {{{spec}}}}}"
    head = f"apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{name: it, namespace: argocd}}\n"
    return {"a.yaml": f"{head}spec: {{{spec}}}\n"}


def application_set(generators: str, **more: str) -> dict[str, str]:
    source = f"repoURL: '{HTTP}', chart: web, targetRevision: '{{{{version}}}}'"
    return {**argo(source, "ApplicationSet", generators), **more}


def k3s(spec: str) -> dict[str, str]:
    return {"a.yaml": f"apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {{name: it}}\nspec: {{{spec}}}\n"}


def helmfile(release: str) -> dict[str, str]:
    repositories = f"[{{name: s, url: '{HTTP}'}}, {{name: r, url: r.example/charts, oci: true}}]"
    return {"helmfile.yaml": f"repositories: {repositories}\nreleases:\n- {{name: it, {release}}}\n"}


def terraform(text: str) -> dict[str, str]:
    return {"main.tf": f'resource "helm_release" "it" {{\n  name = "it"\n{text}}}\n'}


LIST = "{list: {elements: [{version: 1.1.0}]}}"
FILES = "{git: {repoURL: 'https://git.example/here', files: [{path: 'apps/*/app.yaml'}]}}"
# By what is asked for: what stands in the tree.
ASKED: dict[str, tuple[dict[str, str], str, str]] = {
    "HelmRepository": (flux(of("HelmRepository", "web")), f"{HTTP}#web", "1.0.0"),
    "HelmRepository of a registry": (flux(of("HelmRepository", "registry", "^1")), "oci://r.example/charts/web", "^1"),
    "without a version": (flux(of("HelmRepository", "web", '""')), f"{HTTP}#web", "*"),
    "a range before a tag": (flux("chartRef: {kind: OCIRepository, name: web}"), "oci://r.example/other/thing", ">=2"),
    "no ref": (flux("chartRef: {kind: OCIRepository, name: newest}"), "oci://r.example/other/thing", "latest"),
    "HelmChart of Flux": (flux("chartRef: {kind: HelmChart, name: chart}"), f"{HTTP}#web", "1.x"),
    "Argo CD": (argo(f"repoURL: '{HTTP}', chart: web, targetRevision: 1.*"), f"{HTTP}#web", "1.*"),
    "Argo CD, registry": (argo("repoURL: R.example/charts, chart: web"), "oci://r.example/charts/web", "*"),
    "Argo CD, oci": (argo("repoURL: 'oci://r.example/c', chart: web"), "oci://r.example/c/web", "*"),
    "list": (application_set(LIST), f"{HTTP}#web", "1.1.0"),
    "Go template": (
        argo(f"repoURL: '{HTTP}', chart: '{{{{ .chart }}}}', targetRevision: '{{{{.v}}}}'", "ApplicationSet",
             "{list: {elements: [{chart: web, v: '2'}]}}"),
        f"{HTTP}#web", "2",
    ),
    "files of Git": (
        application_set(FILES, **{"apps/one/app.yaml": "version: 1.7.0\n"}), f"{HTTP}#web", "1.7.0"
    ),
    "folders of Git": (
        {**argo(f"repoURL: '{HTTP}', chart: '{{{{path.basename}}}}'", "ApplicationSet",
                "{git: {repoURL: 'https://git.example/here', directories: [{path: apps/*}]}}"),
         "apps/web/x.yaml": "a: b\n"},
        f"{HTTP}#web", "*",
    ),
    "matrix": (
        application_set(f"{{matrix: {{generators: [{LIST}, {{clusters: {{}}}}]}}}}"), f"{HTTP}#web", "1.1.0"
    ),
    "merge": (
        application_set("{merge: {mergeKeys: [n], generators: [{list: {elements: [{n: a, version: '1'}]}},"
                        " {list: {elements: [{n: a, version: '3.0.0'}]}}]}}"),
        f"{HTTP}#web", "3.0.0",
    ),
    "clusters": (application_set("{clusters: {}}"), "", ""),
    "kustomize": (
        {"kustomization.yaml": f"helmCharts: [{{name: web, repo: '{HTTP}', version: 1.0.0}}]\n"}, f"{HTTP}#web", "1.0.0"
    ),
    "kustomize, oci": (
        {"kustomization.yaml": "helmCharts: [{name: web, repo: 'oci://r.example/c'}]\n"}, "oci://r.example/c/web", "*"
    ),
    "k3s": (k3s(f"repo: '{HTTP}', chart: web, version: 2.0.0"), f"{HTTP}#web", "2.0.0"),
    "k3s, oci": (k3s("chart: 'oci://r.example/c/web'"), "oci://r.example/c/web", "*"),
    "k3s, archive": (k3s(f"chart: '{HTTP}/web-1.0.0.tgz'"), f"{HTTP}/web-1.0.0.tgz", "*"),
    "k3s, a name": (k3s("chart: stable/web"), "", ""),
    "helmfile": (helmfile("chart: s/web, version: ~1.2"), f"{HTTP}#web", "~1.2"),
    "helmfile, registry": (helmfile("chart: r/web"), "oci://r.example/charts/web", "*"),
    "helmfile, oci": (helmfile("chart: 'oci://r.example/c/web', version: 1.0.0"), "oci://r.example/c/web", "1.0.0"),
    "helmfile, no repository": (helmfile("chart: gone/web"), "", ""),
    "Fleet": ({"fleet.yaml": f"helm: {{repo: '{HTTP}', chart: web, version: 1.0.0}}\n"}, f"{HTTP}#web", "1.0.0"),
    "Terraform": (
        terraform(f'  repository = "{HTTP}"\n  chart = "web"\n  version = "1.0.0"\n'), f"{HTTP}#web", "1.0.0"
    ),
    "Terraform, oci": (terraform('  chart = "oci://r.example/c/web"\n'), "oci://r.example/c/web", "*"),
    "Terraform, expression": (terraform('  repository = var.repo\n  chart = "web"\n'), "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_a_chart_is_an_address_and_a_version(name: str, tmp_path: Path) -> None:
    files, place, version = ASKED[name]
    (release,) = releases(made(tmp_path, files))
    asked = release.asked
    found = ("", "") if asked is None else (asked.place, asked.version)
    assert found == (place, version)
    assert bool(release.missing) and not release.at_hand


def test_generators_that_make_several_are_said(tmp_path: Path) -> None:
    files = application_set("{list: {elements: [{version: 1.1.0}, {version: 1.2.0}]}}")
    (release,) = releases(made(tmp_path, files))
    assert release.asked is not None and release.asked.version == "1.2.0"
    assert release.doubt == "its generators make several of it, also web 1.1.0"


def test_a_folder_beside_the_file_is_a_chart_of_helmfile_and_fleet(tmp_path: Path) -> None:
    files = {
        "charts/web/Chart.yaml": "name: web\nversion: 1.0.0\n", "charts/web/fleet.yaml": "helm: {releaseName: x}\n",
        **helmfile("chart: ./charts/web"),
    }  # fmt: skip
    found = releases(made(tmp_path, files))
    assert [release.chart for release in found] == [str(tmp_path / "charts/web")] * 2


def test_dependencies_that_lie_elsewhere(tmp_path: Path) -> None:
    entries = [
        f"{{name: web, version: ^1, repository: '{HTTP}'}}", f"{{name: api, version: ^2, repository: '{HTTP}'}}",
        "{name: near, version: 1.0.0, repository: 'file://../near'}", "{name: there, repository: 'oci://r.example/c'}",
        "{name: db, version: 3.0.0, repository: 'oci://r.example/c'}", "{name: bare}",
    ]  # fmt: skip
    tree = made(tmp_path, {
        "shop/Chart.yaml": f"name: shop\nversion: 1.0.0\ndependencies: [{', '.join(entries)}]\n",
        "shop/Chart.lock": f"dependencies: [{{name: web, version: 1.4.0, repository: '{HTTP}'}}]\n",
        "shop/charts/there/Chart.yaml": "name: there\nversion: 1.0.0\n",
    })  # fmt: skip
    found = {str(release.asked) for release in dependencies(tree)}
    assert found == {"web 1.4.0", "api ^2", "db 3.0.0"}
