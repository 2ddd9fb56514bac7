"""Releases whose charts the lock has: hardened by diff and apply without an option, offline."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import chart_places as made
from . import helm
from .chart_places import archive, of_folder, push
from .charts.release_trees import CHART
from .conftest import Done, Harden, commit, git, run, shared, snapshot, write
from .registries import logged_in_nowhere, running
from .test_lock_charts import argo, flux, oci

pytestmark = [pytest.mark.helm, pytest.mark.registry]

ONE = ["--only", "no-privilege-escalation"]
WHOLE = os.environ.get("HARDEN_CASES") == "all"
CHOSEN = ["--only", "no-privilege-escalation,cpu-limit"] if WHOLE else ONE  # public charts are strict in the first one
# The chart of each form, by the file that its values stand in.
CHARTS = {
    "flux-http.yaml": "web", "flux-oci.yaml": "api", "flux-ref.yaml": "cart", "flux-chart.yaml": "mail",
    "argo.yaml": "jobs", "argo/values.yaml": "queue", "set-list.yaml": "docs", "set-git.yaml": "find",
    "k3s.yaml": "auth", "kustomize/kustomization.yaml": "feed", "kustomize-oci/kustomization.yaml": "pay",
    "helmfile.yaml.gotmpl": "news",
    "fleet/fleet.yaml": "map", "main.tf": "chat", "shop/values.yaml": "wiki",
}  # fmt: skip
REGISTRY = {"api", "cart", "queue", "pay"}  # the others are in a repository with an index
WEB = archive("web", "1.4.2")


def path_with_helm() -> str:
    """PATH with helm on it."""
    return f"{helm.program(4).parent}{os.pathsep}{os.environ['PATH']}"


def flux_forms(http: str, place: str) -> dict[str, str]:
    chart = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: mail, namespace: apps}
spec: {chart: mail, version: 1.4.x, sourceRef: {kind: HelmRepository, name: of-http, namespace: flux-system}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: by-chart, namespace: apps}
spec:
  chartRef: {kind: HelmChart, name: mail}
"""
    return {
        "flux-http.yaml": flux("web", "1.x", http, name="http"),
        "flux-oci.yaml": flux("api", "~1.4.0", f"oci://{place}", name="registry"),
        "flux-ref.yaml": oci("tag: 1.4.2", f"oci://{place}/cart", name="ref"),
        "flux-chart.yaml": chart,
    }


def git_forms() -> dict[str, str]:
    """Releases of charts in Git: in this repository, and in another one, which harden does not clone."""

    def source(name: str, path: str) -> str:
        return f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: {name}, namespace: flux-system}}
spec: {{url: "https://git.example/{name}"}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: from-{name}, namespace: apps}}
spec:
  chart:
    spec: {{chart: {path}, sourceRef: {{kind: GitRepository, name: {name}, namespace: flux-system}}}}
"""

    return {**CHART, "git-here.yaml": source("here", "charts/app"), "git-there.yaml": source("there", "deploy/thing")}


def argo_forms(http: str, place: str) -> dict[str, str]:
    several = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: several, namespace: argocd}}
spec:
  destination: {{namespace: apps}}
  sources:
    - {{repoURL: "{place}", chart: queue, targetRevision: 1.4.2, helm: {{valueFiles: [$own/argo/values.yaml]}}}}
    - {{repoURL: "https://git.example/here", ref: own}}
"""

    def of_generator(name: str, chart: str, generator: str) -> str:
        return f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: {name}, namespace: argocd}}
spec:
  generators: [{{{generator}}}]
  template:
    metadata: {{name: "{name}-{{{{cluster}}}}"}}
    spec:
      destination: {{namespace: apps}}
      source: {{repoURL: "{http}", chart: {chart}, targetRevision: "{{{{version}}}}"}}
"""

    files = "git: {repoURL: 'https://git.example/here', files: [{path: 'clusters/*.yaml'}]}"
    return {
        "argo.yaml": argo("jobs", "^1.0.0", http),
        "argo/values.yaml": "replicas: 2  # two\n",
        "argo/several.yaml": several,
        "set-list.yaml": of_generator("list", "docs", "list: {elements: [{cluster: one, version: 1.4.2}]}"),
        "set-git.yaml": of_generator("files", "find", files),
        "clusters/one.yaml": "cluster: one\nversion: 1.4.2\n",
    }


def other_forms(http: str, place: str) -> dict[str, str]:
    k3s = f"""\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {{name: k3s, namespace: kube-system}}
spec: {{repo: "{http}", chart: auth, version: 1.4.2, targetNamespace: apps}}
"""
    return {
        "k3s.yaml": k3s,
        "kustomize/kustomization.yaml": (
            f"helmCharts:\n  - {{name: feed, repo: {http}, version: 1.4.2, releaseName: k, namespace: apps}}\n"
        ),
        "kustomize-oci/kustomization.yaml": (
            f"helmCharts:\n  - {{name: pay, repo: 'oci://{place}', version: 1.4.2, releaseName: o, namespace: apps}}\n"
        ),
        "helmfile.yaml.gotmpl": f"""\
environments:
  default: {{values: [{{version: ~1.4}}]}}
---
repositories:
  - name: ours
    url: "{http}"
releases:
  - name: file
    namespace: apps
    chart: ours/news
    version: {{{{ .Values.version }}}}
    values:
      - replicas: 2   # two
{{{{- range .Values.more }}}}
  - name: {{{{ .name }}}}
    chart: ours/news
{{{{- end }}}}
""",
        "fleet/fleet.yaml": f"defaultNamespace: apps\nhelm: {{chart: map, repo: {http}, version: 1.4.2}}\n",
        "main.tf": f"""\
resource "helm_release" "tf" {{
  name       = "tf"
  namespace  = "apps"
  repository = "{http}"
  chart      = "chat"
  version    = "1.4.2"
  values = [
    yamlencode({{
      replicas = 2
    }})
  ]
}}
""",
        "shop/Chart.yaml": f"{SHOP}  - {{name: wiki, alias: front, version: ^1.4, repository: '{http}'}}\n",
        "shop/values.yaml": "# of the shop\nfront:\n  replicas: 2  # two\n",
    }


SHOP = "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n"


def forms(http: str, registry: str) -> dict[str, str]:
    """A release of each form that names a chart elsewhere, by the file that its values stand in."""
    place = f"{registry}/charts"
    return {**flux_forms(http, place), **argo_forms(http, place), **other_forms(http, place)}


def public_charts() -> dict[str, bytes]:
    """Charts of public projects, where the material for that is there and all cases are asked for."""
    folders = sorted(path.parent for path in shared("charts").glob("*/Chart.yaml")) if WHOLE else []
    return {folder.name: of_folder(folder) for folder in folders}


@dataclass
class Applied:
    folder: Path
    public: dict[str, bytes]
    locked: Done
    again: Done
    frozen: Done
    asked: list[str]
    online: dict[str, Any]
    diff: dict[str, Any]
    before: dict[str, bytes]
    after: dict[str, bytes]
    third: dict[str, Any]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """All forms in one tree: locked, then hardened when the places of its charts are gone."""
    folder = tmp_path_factory.mktemp("tree")
    public = public_charts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("PATH", path_with_helm())
        own = {name: archive(name, "1.4.2") for name in CHARTS.values()}
        indexed = [content for name, content in own.items() if name not in REGISTRY]
        with made.repository(*indexed, *public.values()) as places, running(tmp_path_factory.mktemp("r")) as registry:
            # Now: the registry takes REGISTRY_AUTH_FILE for a setting of its own.
            logged_in_nowhere(patch, tmp_path_factory.getbasetemp())
            for name in REGISTRY:
                push(registry, f"charts/{name}", own[name])
            releases = {f"public/{name}.yaml": flux(name, "*", places.url, name=name) for name in public}
            write(folder, {**forms(places.url, registry), **git_forms(), **releases})
            commit(folder)
            git(folder, "remote", "add", "origin", "https://git.example/here")
            locked = run("lock", "--charts", cwd=folder)
            asked = [each.path for each in places.asked]
            online = run("diff", ".", "--format", "json", *CHOSEN, cwd=folder) if WHOLE else None
        again, frozen = (run("lock", "--charts", *words, cwd=folder) for words in ((), ("--frozen",)))
        before = contents(folder)
        diff = run("diff", ".", "--format", "json", *CHOSEN, cwd=folder)
        assert contents(folder) == before, diff.err
        assert run("apply", ".", "--yes", *CHOSEN, cwd=folder).status == 0
        after = contents(folder)
        third = run("diff", ".", "--format", "json", *CHOSEN, cwd=folder)
        reports = [json.loads(done.out) for done in (online or diff, diff, third)]
        yield Applied(
            folder, public, locked, again, frozen, asked, reports[0], reports[1], before, after, reports[2]
        )  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (_, content) in snapshot(folder).items()}


def test_every_form_is_locked(applied: Applied) -> None:
    """A chart of Git is none to pull."""
    count = len(CHARTS) + len(applied.public)
    assert applied.locked.status == 0, applied.locked.all
    assert f"{count} charts of {count + 2} releases named: {count} added, 1 left alone" in applied.locked.out
    assert "deploy/thing lies in the repository there, which harden does not clone" in applied.locked.out


def test_each_chart_is_asked_for_once_and_then_lies_in_the_cache(applied: Applied) -> None:
    archives = [path for path in applied.asked if path.endswith(".tgz")]
    assert len(archives) == len(set(archives)) == len(CHARTS) - len(REGISTRY) + len(applied.public)
    assert applied.asked.count("/charts/index.yaml") == 1
    for done in (applied.again, applied.frozen):  # nobody answers any more
        assert done.status == 0, done.all
        assert "1 left alone" in done.out and "added" not in done.out and "pulled" not in done.out


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_every_form_is_hardened_where_its_values_stand(applied: Applied, name: str) -> None:
    before, after = applied.before[name].decode(), applied.after[name].decode()
    assert "securityContext" not in before and "securityContext" in after
    assert before.count("# two") == after.count("# two")


def test_no_run_needs_the_network_and_what_is_left_is_said(applied: Applied) -> None:
    assert applied.online == applied.diff
    said = defaultdict(list)
    for finding in applied.diff["findings"]:
        if finding["id"] in SAID:
            said[finding["file"]].append(finding["message"])
    assert set(said) - {f"public/{name}.yaml" for name in applied.public} == {"git-there.yaml", "helmfile.yaml.gotmpl"}
    assert "which harden does not clone" in " ".join(said["git-there.yaml"])
    assert sorted(said["helmfile.yaml.gotmpl"]) == [
        "not looked at: ours/news in helmfile",  # within them
        "not looked at: what templates decide of a helmfile, lines 14 to 17",
    ]
    assert applied.third["changes"] == []


SAID = {"renders-elsewhere", "template", "unread-workload"}


def test_public_charts_are_hardened_or_said(applied: Applied) -> None:
    if not applied.public:
        pytest.skip("HARDEN_CASES=all asks for it")
    found = {each["file"] for kind in ("changes", "held", "findings") for each in applied.diff[kind]}
    assert found >= {f"public/{name}.yaml" for name in applied.public}


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
    assert said["file"] == "b.yaml" and said["message"] == "1 release of 1 chart is not hardened"
    assert said["advice"].startswith("harden lock --charts . reads their charts")


@pytest.mark.usefixtures("on_path")
@pytest.mark.parametrize(("version", "doubted"), [("1.2.3", False), ("1.x", False), ("10.3.0", True)])
def test_another_version_is_said_and_nothing_of_it_is_safe(
    version: str, doubted: bool, tmp_path: Path, harden: Harden
) -> None:
    text = flux("app", version, "https://charts.example", name="edge")
    write(tmp_path, {**AT_HAND, "a.yaml": text.replace("kind: HelmRepository\nm", "kind: Other\nm")})
    found = report(harden)
    said = [each["message"] for each in found["findings"] if "the local chart is" in each["message"]]
    assert said == (["HelmRelease/edge: it asks for app 10.3.0, and the local chart is 1.2.3"] if doubted else [])
    evidence = [fact for change in found["changes"] for fact in change["evidence"] if "another chart" in str(fact)]
    assert bool(evidence) is doubted
    assert found["changes"] and (not doubted or {change["grade"] for change in found["changes"]} == {"review"})


# What is said where nothing is hardened.


def test_charts_that_nobody_pulled_are_one_finding(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, forms("https://charts.example", "r.example"))
    found = report(harden)
    (said,) = [finding for finding in found["findings"] if finding["id"] == "renders-elsewhere"]
    assert said["message"] == f"{len(CHARTS)} releases of {len(CHARTS)} charts are not hardened"
    diff = f"harden diff . {' '.join(ONE)}"
    assert said["advice"] == (
        f"harden lock --charts . reads their charts, then {diff} hardens them (helm on PATH is needed)"
    )
    assert said["notLookedAt"] is True
    # What nothing reads of a release is counted where it stands, with the same way out.
    unread = [finding for finding in found["findings"] if finding["id"] == "unread-workload"]
    by_template = "not looked at: what templates decide of a helmfile, lines 14 to 17"
    assert {each["file"] for each in unread} >= {"helmfile.yaml.gotmpl", "main.tf"}
    others = {each["advice"] for each in unread if each["message"] != by_template and each["line"] < 14}
    assert others == {said["advice"]}


@pytest.mark.usefixtures("on_path")
def test_without_helm_one_finding_counts_all(tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch) -> None:
    with made.repository(WEB) as places:
        write(tmp_path, {"a.yaml": flux("web", "1.4.2", places.url)})
        commit(tmp_path)
        assert harden("lock", "--charts").status == 0
        write(tmp_path, {"b.yaml": argo("web", "9.9.9", places.url)})
    monkeypatch.setenv("PATH", str(tmp_path))
    (said,) = said_of_charts(report(harden))
    assert said.startswith(
        "2 releases of 1 chart are not hardened: harden lock --charts . reads their charts; install Helm"
    )
    assert said.endswith(", on PATH; then harden diff . {}".format(" ".join(ONE)))


def test_what_nobody_can_pull_is_said_by_itself(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {**git_forms(), "a.yaml": flux("web", "1.4.2", "https://charts.example")})
    commit(tmp_path)
    git(tmp_path, "remote", "add", "origin", "https://git.example/here")
    foreign, own, counted = sorted(said_of_charts(report(harden)), key=len, reverse=True)
    assert foreign.startswith(
        "HelmRelease/from-there is not hardened by values: deploy/thing lies in the repository there"
    )
    assert "helm.charts.thing" in foreign
    assert own.startswith("1 release of 1 chart is not hardened") and counted.startswith(
        "HelmRelease/from-here renders"
    )


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


def umbrella(url: str) -> dict[str, str]:
    """A chart of the tree with a template of its own and a chart below it that lies elsewhere."""
    return {
        "shop/Chart.yaml": (f"{SHOP}  - name: web\n    alias: front\n    version: ^1.4\n    repository: '{url}'\n"),
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
    git(tmp_path, "checkout", "-q", "shop")
    assert harden("apply", "shop", "--yes", *ONE).status == 0  # by its name it is a chart for harden values
    assert git(tmp_path, "status", "--porcelain").stdout == b"?? harden.lock\n"


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
    unread = {each["message"]: each["advice"] for each in found["findings"] if each["id"] == "unread-workload"}
    advice = unread.get(f"not looked at: {places.url} in dependencies of charts")
    assert (advice is not None) is (not release)
    said = said_of_charts(found)
    assert case != "without helm" or said[0].endswith(f": {advice}"), "the dependency has the same way out"
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


@pytest.mark.usefixtures("on_path")
def test_a_gate_does_not_believe_the_values_of_a_chart_of_the_tree(
    tmp_path: Path, harden: Harden, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with made.repository(WEB) as places:
        write(tmp_path, umbrella(places.url))
        commit(tmp_path)
        assert harden("lock", "--charts").status == 0
    outside = tmp_path_factory.mktemp("outside") / "harden.lock"
    (tmp_path / "harden.lock").rename(outside)
    done = harden("check", ".", "--no-waivers", "--fail-on", "critical", "--lock", outside, *ONE)
    assert done.status == 2 and "harden values shop" in done.out, done.all


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
