"""Releases whose charts the lock has: hardened by diff and apply without an option, offline."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import chart_places as made
from . import helm
from .chart_places import archive, push
from .charts.release_trees import CHART
from .conftest import Done, Harden, commit, git, run, snapshot, write
from .registries import logged_in_nowhere, running
from .test_lock_charts import argo, flux, oci

pytestmark = [pytest.mark.helm, pytest.mark.registry]

ONE = ["--only", "no-privilege-escalation"]
WEB = archive("web", "1.4.2")


def path_with_helm() -> str:
    """PATH with helm on it."""
    return f"{helm.program(4).parent}{os.pathsep}{os.environ['PATH']}"


def forms(http: str, registry: str) -> dict[str, str]:
    """A release of each tool that names a chart elsewhere, by the file that its values stand in."""
    place = f"{registry}/charts"
    several = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: several, namespace: argocd}}
spec:
  destination: {{namespace: apps}}
  sources:
    - {{repoURL: "{place}", chart: web, targetRevision: 1.4.2, helm: {{valueFiles: [$own/argo/values.yaml]}}}}
    - {{repoURL: "https://git.example/here", ref: own}}
"""
    application_set = f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: set, namespace: argocd}}
spec:
  generators: [{{list: {{elements: [{{cluster: one, version: 1.4.2}}]}}}}]
  template:
    metadata: {{name: "set-{{{{cluster}}}}"}}
    spec:
      destination: {{namespace: apps}}
      source: {{repoURL: "{http}", chart: web, targetRevision: "{{{{version}}}}"}}
"""
    k3s = f"""\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {{name: k3s, namespace: kube-system}}
spec: {{repo: "{http}", chart: web, version: 1.4.2, targetNamespace: apps}}
"""
    return {
        "flux-http.yaml": flux("web", "1.x", http, name="http"),
        "flux-oci.yaml": flux("web", "~1.4.0", f"oci://{place}", name="registry"),
        "flux-ref.yaml": oci("tag: 1.4.2", f"oci://{place}/web", name="ref"),
        "argo.yaml": argo("web", "^1.0.0", http),
        "argo/values.yaml": "replicas: 2  # two\n",
        "argo/several.yaml": several,
        "set.yaml": application_set,
        "k3s.yaml": k3s,
        "kustomize/kustomization.yaml": (
            f"helmCharts:\n  - {{name: web, repo: {http}, version: 1.4.2, releaseName: k, namespace: apps}}\n"
        ),
        "helmfile.yaml": f"""\
repositories:
  - {{name: ours, url: "{http}"}}
releases:
  - name: file
    namespace: apps
    chart: ours/web
    version: ~1.4
    values:
      - replicas: 2   # two
""",
        "fleet/fleet.yaml": f"defaultNamespace: apps\nhelm: {{chart: web, repo: {http}, version: 1.4.2}}\n",
        "main.tf": f"""\
resource "helm_release" "tf" {{
  name       = "tf"
  namespace  = "apps"
  repository = "{http}"
  chart      = "web"
  version    = "1.4.2"
  values = [
    yamlencode({{
      replicas = 2
    }})
  ]
}}
""",
    }


# The files that change, and how the values stand in each.
WRITTEN = "securityContext"
ELSEWHERE = {"argo/several.yaml"}  # whose values stand in a file of its own


@dataclass
class Applied:
    folder: Path
    locked: Done
    diff: dict[str, Any]
    again: dict[str, Any]
    before: dict[str, bytes]
    after: dict[str, bytes]
    third: Done


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """All forms in one tree: locked, then hardened when the places of its charts are gone."""
    folder = tmp_path_factory.mktemp("tree")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("PATH", path_with_helm())
        with made.repository(WEB) as places, running(tmp_path_factory.mktemp("registry")) as registry:
            # Now: the registry takes REGISTRY_AUTH_FILE for a setting of its own.
            logged_in_nowhere(patch, tmp_path_factory.getbasetemp())
            push(registry, "charts/web", WEB)
            write(folder, forms(places.url, registry))
            commit(folder)
            git(folder, "remote", "add", "origin", "https://git.example/here")
            locked = run("lock", "--charts", cwd=folder)
        before = contents(folder)
        diff, again = (run("diff", ".", "--format", "json", *ONE, cwd=folder) for _ in range(2))
        assert contents(folder) == before, diff.err
        assert run("apply", ".", "--yes", *ONE, cwd=folder).status == 0
        after = contents(folder)
        third = run("diff", ".", *ONE, cwd=folder)
        yield Applied(folder, locked, json.loads(diff.out), json.loads(again.out), before, after, third)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (_, content) in snapshot(folder).items()}


def test_every_form_is_locked(applied: Applied) -> None:
    assert applied.locked.status == 0 and "left alone" not in applied.locked.out, applied.locked.all
    assert "2 charts of 11 releases named" in applied.locked.out


@pytest.mark.parametrize("name", sorted(forms("", "").keys() - ELSEWHERE))
def test_every_form_is_hardened_where_its_values_stand(applied: Applied, name: str) -> None:
    before, after = applied.before[name].decode(), applied.after[name].decode()
    assert WRITTEN not in before and WRITTEN in after
    assert before.count("# two") == after.count("# two")


def test_nothing_is_left_and_no_run_needs_the_network(applied: Applied) -> None:
    assert applied.diff == applied.again
    said = [finding for finding in applied.diff["findings"] if finding["id"] == "renders-elsewhere"]
    assert said == []
    assert (applied.third.status, applied.third.err) == (0, "")


# Which chart.


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    logged_in_nowhere(monkeypatch, tmp_path_factory.getbasetemp())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("PATH", path_with_helm())


def report(harden: Harden, *words: str) -> dict[str, Any]:
    found = json.loads(harden("diff", ".", "--format", "json", *ONE, *words).out)
    assert isinstance(found, dict)
    return found


AT_HAND = {**CHART, ".harden.yaml": "helm: {values: true, charts: {app: charts/app}}\n"}


@pytest.mark.usefixtures("on_path")
def test_a_chart_is_not_known_by_the_name_of_its_source(tmp_path: Path, harden: Harden) -> None:
    """OCIRepository/app is of another chart, and OCIRepository/edge of this one."""
    releases = oci("tag: 1.2.3", "oci://r.example/charts/app", name="edge")
    others = oci("tag: 5.1.0", "oci://r.example/charts/template", name="app")
    write(tmp_path, {**AT_HAND, "a.yaml": releases, "b.yaml": others})
    found = report(harden)
    assert {change["file"].split("/")[0] for change in found["changes"]} == {"charts"}
    assert {value["release"] for value in found["values"]} == {"HelmRelease/edge"}
    (said,) = [finding for finding in found["findings"] if finding["id"] == "renders-elsewhere"]
    assert said["file"] == "b.yaml" and "helm.charts.template" in said["message"]


@pytest.mark.usefixtures("on_path")
@pytest.mark.parametrize(("version", "doubted"), [("1.2.3", False), ("1.x", False), ("10.3.0", True)])
def test_another_version_is_said_and_nothing_of_it_is_safe(
    version: str, doubted: bool, tmp_path: Path, harden: Harden
) -> None:
    text = flux("app", version, "https://charts.example", name="edge")
    write(tmp_path, {**AT_HAND, "a.yaml": text.replace("kind: HelmRepository\nm", "kind: Other\nm")})
    found = report(harden)
    said = [each["message"] for each in found["findings"] if "the chart at hand is" in each["message"]]
    assert said == (["HelmRelease/edge: it asks for app 10.3.0, and the chart at hand is 1.2.3"] if doubted else [])
    evidence = [fact for change in found["changes"] for fact in change["evidence"] if "another chart" in str(fact)]
    assert bool(evidence) is doubted
    assert found["changes"] and (not doubted or {change["grade"] for change in found["changes"]} == {"review"})


# What is said where nothing is hardened.


def test_charts_that_nobody_pulled_are_one_finding(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, forms("https://charts.example", "r.example"))
    found = report(harden)
    (said,) = [finding for finding in found["findings"] if finding["id"] == "renders-elsewhere"]
    assert said["message"] == "11 releases of 2 charts are not hardened"
    assert said["advice"] == "harden lock --charts . reads their charts (helm on PATH is needed)"
    assert said["notLookedAt"] is True


# Charts below charts of the tree.


OWN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: own}
spec:
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec:
      containers:
        - name: own
          image: r.example/own:1
"""
SHOP = "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n"


def umbrella(url: str) -> dict[str, str]:
    """A chart of the tree with a template of its own and a chart below it that lies elsewhere."""
    return {
        "shop/Chart.yaml": f"{SHOP}  - {{name: web, alias: front, version: ^1.4, repository: '{url}'}}\n",
        "shop/values.yaml": "# of the shop\nfront:\n  replicas: 2  # two\n",
        "shop/templates/own.yaml": OWN,
    }


def said_of_charts(found: dict[str, Any]) -> list[str]:
    said = [finding for finding in found["findings"] if finding["id"] == "renders-elsewhere"]
    return [f"{finding['message']}: {finding['advice']}" for finding in said]


def test_a_dependency_that_is_locked_is_hardened_below_its_alias(tmp_path: Path, harden: Harden, on_path: None) -> None:
    with made.repository(WEB) as places:
        write(tmp_path, umbrella(places.url))
        commit(tmp_path)
        (said,) = said_of_charts(report(harden))
        assert said.startswith("1 release of 1 chart is not hardened: harden lock --charts")
        assert harden("lock", "--charts").status == 0
    found = report(harden)
    assert said_of_charts(found) == []
    assert [value["key"] for value in found["values"]] == [["front", "securityContext", "allowPrivilegeEscalation"]]
    # What comes of the chart elsewhere stands where that is named; the own template where it is, with lines to add.
    assert {(change["file"], change["line"]) for change in found["changes"]} == {("shop/Chart.yaml", 5)}
    (own,) = [finding for finding in found["findings"] if finding["id"] == ONE[1]]
    assert own["file"] == "shop/templates/own.yaml" and "the patch of templates" in own["advice"]
    assert "--- a/shop/templates/own.yaml" in found["templatePatch"]
    assert harden("apply", ".", "--yes", *ONE).status == 0
    written = (tmp_path / "shop/values.yaml").read_text()
    assert written == (
        "# of the shop\nfront:\n  replicas: 2  # two\n  securityContext:\n    allowPrivilegeEscalation: false\n"
    )
    assert (tmp_path / "shop/templates/own.yaml").read_text() == OWN
    assert report(harden)["changes"] == []


@pytest.mark.parametrize("case", ["without values", "rendered by an Application", "not locked", "without helm"])
def test_a_chart_with_dependencies_is_hardened_once_or_said(
    case: str, tmp_path: Path, harden: Harden, on_path: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = argo("web", "1.0.0", "https://git.example/here").replace("chart: web", "path: shop")
    with made.repository(WEB) as places:
        files = {path: text for path, text in umbrella(places.url).items() if not path.endswith("own.yaml")}
        write(tmp_path, files)
        if case == "without values":
            (tmp_path / "shop/values.yaml").unlink()
        if case == "rendered by an Application":
            write(tmp_path, {"argo.yaml": application, "argo/values.yaml": "{}\n"})
        commit(tmp_path)
        git(tmp_path, "remote", "add", "origin", "https://git.example/here")
        assert harden("lock", "--charts").status == 0
    if case == "not locked":
        more = "  - {name: other, version: 1.0.0, repository: 'https://charts.example'}\n"
        write(tmp_path, {"shop/Chart.yaml": files["shop/Chart.yaml"] + more})
    if case == "without helm":
        monkeypatch.setenv("PATH", str(tmp_path))
    found = report(harden)
    wanted, release = {
        "without values": ([], {"chart shop"}),
        "rendered by an Application": ([], {"Application/web"}),
        "not locked": (["1 release of 1 chart is not hardened: harden lock"], set()),
        "without helm": (["1 release of 1 chart is not hardened: install Helm"], set()),
    }[case]
    assert {value["release"] for value in found.get("values", [])} == release
    said = said_of_charts(found)
    assert len(said) == len(wanted) and all(map(str.startswith, said, wanted)), said


def test_what_is_found_in_a_chart_elsewhere_stands_at_its_release(
    tmp_path: Path, harden: Harden, on_path: None
) -> None:
    with made.repository(WEB) as places:
        write(tmp_path, {"a.yaml": flux("web", "1.4.2", places.url)})
        commit(tmp_path)
        assert harden("lock", "--charts").status == 0
    found = json.loads(harden("diff", ".", "--format", "json").out)
    (line,) = {each["line"] for each in (*found["changes"], *found["findings"], *found["held"])}
    assert (tmp_path / "a.yaml").read_text().splitlines()[line - 1].startswith("apiVersion: helm.toolkit")
    assert {each["file"] for each in (*found["changes"], *found["findings"], *found["held"])} == {"a.yaml"}
    (image,) = [each["message"] for each in found["findings"] if each["id"] == "pin-image-digest"]
    assert image.endswith("(templates/app.yaml:16 of its chart)")


# A gate.


def test_a_gate_takes_charts_of_a_lock_from_outside_alone(
    tmp_path: Path, harden: Harden, on_path: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with made.repository(WEB) as places:
        text = flux("web", "1.4.2", places.url)
        fleet = f"helm: {{chart: web, repo: '{places.url}', version: 1.4.2}}\n"
        write(tmp_path, {"a.yaml": text, "fleet.yaml": fleet})
        commit(tmp_path)
        assert harden("lock", "--charts").status == 0
    gate = ["check", ".", "--no-waivers", "--fail-on", "critical", *ONE]
    done = harden(*gate)
    assert done.status == 2 and done.out.count("not looked at: ") >= 3, done.out
    outside = tmp_path_factory.mktemp("outside") / "harden.lock"
    (tmp_path / "harden.lock").rename(outside)
    done = harden(*gate, "--lock", outside)
    assert done.status == 0 and "not looked at" not in done.out, done.out


def test_a_patch_that_names_another_version_is_said(tmp_path: Path, harden: Harden, on_path: None) -> None:
    with made.repository(WEB) as places:
        patch = "patches:\n  - target: {kind: HelmRelease}\n    patch: |-\n      - op: replace\n"
        write(tmp_path, {
            "base/a.yaml": flux("web", "1.4.2", places.url), "base/kustomization.yaml": "resources: [a.yaml]\n",
            "prod/kustomization.yaml": (
                f"resources: [../base]\n{patch}        path: /spec/chart/spec/version\n        value: 9.9.9\n"
            ),
        })  # fmt: skip
        commit(tmp_path)
        assert harden("lock", "--charts").status == 0
    found = report(harden)
    assert {change["grade"] for change in found["changes"]} == {"review"}
    said = [finding["message"] for finding in found["findings"]]
    assert "HelmRelease/web: prod/kustomization.yaml may name another chart or version" in said
