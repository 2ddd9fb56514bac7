"""Releases of a tree: which there are, what their values say together, and where an override comes out."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.charts.releases.chart_sources import chart_name
from hardener.charts.releases.collect import releases
from hardener.charts.releases.release import merged, write
from hardener.charts.values.set_values import name_of, path_of, typed
from hardener.tree.tree import Settings, Tree
from tests import helm

from ..calls import calls
from .trees import CHART, added, made, only, override, written

FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: apps
spec:
  chart:
    spec:
      chart: ./charts/app
      sourceRef: {kind: GitRepository, name: here}
"""
FLUX_VALUES = """\
  values:
    # two, for the night
    replicas: 2   # at least
    web:
      image: {repository: nginx, tag: "1"}
  interval: 5m
"""
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  destination: {namespace: apps}
  source:
    repoURL: https://git.example.com/here
    path: charts/app
"""
ARGO_TEXT = """\
    helm:
      values: |-   # of this cluster
        # two, for the night
        replicas: 2   # at least

        web:
          image:
            tag: "1"
  project: default
"""
ARGO_OBJECT = """\
    helm:
      values: "replicas: 9"
      valuesObject:
        replicas: 2
"""
ARGO_FILES = """\
    helm:
      valueFiles: [values.yaml, values-web.yaml, /more.yaml]
"""
K3S = """\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: web, namespace: kube-system}
spec:
  chartContent: CONTENT
  targetNamespace: apps
  valuesContent: |-
    replicas: 2
"""
KUSTOMIZE = """\
helmCharts:
  - name: app
    releaseName: web
    namespace: apps
    valuesInline:
      replicas: 2
helmGlobals: {chartHome: ../charts}
"""
TERRAFORM_HEREDOC = """\
resource "helm_release" "web" {
  name      = "web"
  namespace = "apps"
  chart     = "${path.module}/../charts/app"
  values = [
    <<-EOT
      # two, for the night
      replicas: 2
    EOT
  ]
}
"""
TERRAFORM_ENCODED = """\
resource "helm_release" "web" {
  name      = "web"
  namespace = "apps"
  chart     = "../charts/app"
  values = [
    yamlencode({
      replicas = 2 # at least
      web = {
        name = var.name
      }
    })
  ]
}
"""


@cache  # the time is in it
def packed() -> str:
    """The chart as a ``.tgz`` in base64."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tarball:
        for name, text in CHART.items():
            info = tarfile.TarInfo(name.removeprefix("charts/"))
            info.size = len(text.encode())
            tarball.addfile(info, io.BytesIO(text.encode()))
    return base64.b64encode(buffer.getvalue()).decode()


SETTING = override("web.securityContext", {"runAsNonRoot": True})
# Files of the tree, the file that changes, and its new lines.
CASES: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "flux-values": ({"a.yaml": FLUX + FLUX_VALUES}, "a.yaml",
        ["      securityContext:", "        runAsNonRoot: true"]),
    "flux-none": ({"a.yaml": FLUX}, "a.yaml",
        ["  values:", "    web:", "      securityContext:", "        runAsNonRoot: true"]),
    "argo-text": ({"a.yaml": ARGO + ARGO_TEXT}, "a.yaml",
        ["          securityContext:", "            runAsNonRoot: true"]),
    "argo-object": ({"a.yaml": ARGO + ARGO_OBJECT}, "a.yaml",
        ["        web:", "          securityContext:", "            runAsNonRoot: true"]),
    "argo-none": ({"a.yaml": ARGO}, "a.yaml",
        ["    helm:", "      valuesObject:", "        web:", "          securityContext:",
         "            runAsNonRoot: true"]),
    "argo-files": ({"a.yaml": ARGO + ARGO_FILES, "charts/app/values-web.yaml": "replicas: 2\n", "more.yaml": "a: 1\n"},
        "charts/app/values-web.yaml",
        ["web:", "  securityContext:", "    runAsNonRoot: true"]),
    "k3s": ({"a.yaml": K3S.replace("CONTENT", packed())}, "a.yaml",
        ["    web:", "      securityContext:", "        runAsNonRoot: true"]),
    "kustomize": ({"base/kustomization.yaml": KUSTOMIZE}, "base/kustomization.yaml",
        ["      web:", "        securityContext:", "          runAsNonRoot: true"]),
    "terraform-heredoc": ({"tf/main.tf": TERRAFORM_HEREDOC}, "tf/main.tf",
        ["      web:", "        securityContext:", "          runAsNonRoot: true"]),
    "terraform-encoded": ({"tf/main.tf": TERRAFORM_ENCODED}, "tf/main.tf",
        ["        securityContext = {", "          runAsNonRoot = true", "        }"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_override_stands_where_the_tool_has_it(case: str, tmp_path: Path) -> None:
    files, name, lines = CASES[case]
    release = only(made(tmp_path, files))
    assert (release.at_hand, release.name, release.namespace, release.missing) == (True, "web", "apps", "")
    found = written(release, SETTING)
    assert found.keys() == {name}
    assert added(files[name], found[name]) == lines
    # It wins, it is read again, and a second time changes nothing.
    after = only(made(tmp_path, {**files, **found}))
    assert values_of(after)["web"]["securityContext"] == {"runAsNonRoot": True}
    assert values_of(after)["replicas"] == values_of(release).get("replicas", 1)
    assert written(after, SETTING) == found


def values_of(release: Any) -> dict[str, Any]:
    return merged([yaml.safe_load(CHART["charts/app/values.yaml"]), *(each.data for each in release.values)])


@pytest.mark.helm
@pytest.mark.parametrize("major", helm.PACKAGES, ids="helm-{}".format)
@pytest.mark.parametrize("case", CASES)
def test_helm_renders_what_the_release_says(case: str, major: int, tmp_path: Path) -> None:
    files, _, _ = CASES[case]
    release = only(made(tmp_path / "tree", files))
    release = only(made(tmp_path / "tree", {**files, **written(release, SETTING)}))
    command = [str(helm.program(major)), "template", str(release.name), "--namespace", str(release.namespace)]
    for number, values in enumerate(release.values):
        path = tmp_path / f"{number}.yaml"
        path.write_text(yaml.safe_dump(values.data), encoding="utf-8")
        command += ["--values", str(path)]
    with release.chart_path() as chart:
        done = subprocess.run([*command, chart], capture_output=True, text=True, check=True)
    found = yaml.safe_load(done.stdout)
    assert found["metadata"] == {"name": "web", "namespace": "apps"}
    said = yaml.safe_load(found["data"]["values"])
    assert said["web"]["securityContext"] == {"runAsNonRoot": True}
    assert said["web"]["image"] == {"repository": "nginx", "tag": "1"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.b", ("a", "b")),
        (r"a\.b.c", ("a.b", "c")),
        ("a[0].b", ("a", 0, "b")),
        ("a[0][1]", ("a", 0, 1)),
        ("a..b", None),
        ("", None),
        ("a.", None),
        ("a,b", None),
    ],
)
def test_a_dotted_name_is_a_path(name: str, path: tuple[str | int, ...] | None) -> None:
    assert path_of(name) == path
    if path:
        assert name_of(path) == name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("null", None), ("1", 1), ("-3", -3), ("0", 0), ("01", "01"), ("1.5", "1.5"),
        ("", ""), ("a", "a"), (r"a\,b", "a,b"), ("{a, 1}", ["a", 1]), ("{}", []), ("99999999999999999999",) * 2,
    ],
)  # fmt: skip
def test_a_text_is_typed_as_set_does(text: str, value: Any) -> None:
    assert typed(text) == value and type(typed(text)) is type(value)


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("app", "app"),
        ("oci://registry.example.com/charts/app", "app"),
        ("./charts/app/", "app"),
        ("https://%{KUBERNETES_API}%/static/charts/traefik-crd-34.2.1+up34.2.0.tgz", "traefik-crd"),
        ("app.tgz", "app"),
        ("k8s-1", "k8s-1"),
    ],
)
def test_the_name_of_a_chart_is_the_end_of_its_address(called: str, name: str) -> None:
    assert chart_name(called) == name


REMOTE = FLUX.replace("./charts/app", "app").replace("GitRepository", "HelmRepository")


@pytest.mark.parametrize(
    ("version", "charts", "at_hand"),
    [
        ("1.2.3", {}, True),  # the same chart lies in the tree
        ("v1.2.3", {}, True),
        ("1.x", {}, False),
        ("9.9.9", {}, False),
        ("9.9.9", {"app": "charts/app"}, True),
        ("9.9.9", {"app": "charts"}, False),  # no chart
        ("1.2.3", {"app": "charts"}, False),
        ("9.9.9", {"other": "charts/app"}, False),
    ],
)
def test_a_chart_from_elsewhere_is_at_hand_where_it_lies_in_the_tree(
    version: str, charts: dict[str, str], at_hand: bool, tmp_path: Path
) -> None:
    text = REMOTE.replace("chart: app", f'chart: app\n      version: "{version}"')
    settings = Settings(helm_charts={name: str(tmp_path / folder) for name, folder in charts.items()})
    release = only(made(tmp_path, {"a.yaml": text}, settings))
    assert release.called == "app"
    assert release.chart == (str(tmp_path / "charts/app") if at_hand else None)
    assert bool(release.missing) != at_hand


def test_a_packed_chart_of_another_is_at_hand(tmp_path: Path) -> None:
    (tmp_path / "charts/above/charts").mkdir(parents=True)
    (tmp_path / "charts/above/charts/app-7.0.0.tgz").write_bytes(base64.b64decode(packed()))
    text = REMOTE.replace("chart: app", "chart: app\n      version: 7.0.0")
    release = only(made(tmp_path, {"a.yaml": text}))
    assert release.chart == str(tmp_path / "charts/above/charts/app-7.0.0.tgz")


@pytest.mark.parametrize("path", ["../outside", "charts/link", "/etc", "charts/app/templates", "charts/none"])
def test_no_chart_is_taken_from_outside_of_the_tree(path: str, tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "tree"
    made(outside, {})
    (outside / "Chart.yaml").write_text("name: x\n", encoding="utf-8")
    (root / "charts").mkdir(parents=True)
    (root / "charts/link").symlink_to(outside / "charts/app")
    release = only(made(root, {"a.yaml": FLUX.replace("./charts/app", path)}))
    assert (release.chart, release.missing) == (None, f"{path} is no chart of the tree")


SHARED = """\
    helm:
      valueFiles: [/common.yaml, /web.yaml]
"""


def test_a_file_of_several_releases_is_not_written(tmp_path: Path) -> None:
    other = ARGO.replace("name: web", "name: api") + SHARED.replace("web.yaml", "api.yaml")
    files = {"a.yaml": ARGO + SHARED, "b.yaml": other, "common.yaml": "a: 1\n", "web.yaml": "b: 1\n", "api.yaml": ""}
    first, second = releases(made(tmp_path, files))
    assert written(first, SETTING).keys() == {"web.yaml"}
    assert written(second, SETTING).keys() == {"api.yaml"}
    # What the shared file says, a later file of its own may say otherwise.
    assert written(first, override("a", 2)) == {"web.yaml": "b: 1\na: 2\n"}


def test_what_is_not_to_be_changed_is_not_written(tmp_path: Path) -> None:
    made(tmp_path, {"a/a.yaml": FLUX, "b/b.yaml": "a: 1\n"})
    tree = Tree.read([str(tmp_path / "b")], root=str(tmp_path))
    found = write(only(tree), [SETTING], lambda path: "")
    assert not isinstance(found, dict)
    assert found.reason == "no place of its values can be written" and found.overrides == (SETTING,)
    assert found.advice == "add to spec.values:\nweb:\n  securityContext:\n    runAsNonRoot: true"


def test_an_object_that_moved_in_its_file_is_found(tmp_path: Path) -> None:
    files = {"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n" + FLUX}
    release = only(made(tmp_path, files))
    new = FLUX + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    found = write(release, [SETTING], lambda path: new)
    assert isinstance(found, dict)
    assert [text.count("runAsNonRoot") for text in next(iter(found.values())).split("---")] == [1, 0]
    gone = write(release, [SETTING], lambda path: "a: 1\n")
    assert not isinstance(gone, dict) and "is not found in its file any more" in gone.reason


ANCHOR = """\
  values:
    one: &context
      runAsUser: 1
    two: *context
"""


def test_an_alias_is_not_changed_for_another(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": FLUX + ANCHOR}))
    found = write(release, [override("two.runAsUser", 2)], lambda path: FLUX + ANCHOR)
    assert not isinstance(found, dict)
    assert "anchor" in found.reason and [each.path for each in found.overrides] == [("two", "runAsUser")]
    both = write(release, [override("one.runAsUser", 2)], lambda path: FLUX + ANCHOR)
    assert not isinstance(both, dict), "the other key would change with it"


def test_a_key_may_be_taken_away(tmp_path: Path) -> None:
    release = only(made(tmp_path, {"a.yaml": FLUX + FLUX_VALUES}))
    assert "    replicas: null  # at least\n" in written(release, override("replicas", None))["a.yaml"]


@pytest.mark.parametrize("text", ["spec: []", "spec: {values: a}", "spec: {chart: [1]}", "spec: {valuesFrom: {a: 1}}"])
@pytest.mark.parametrize("head", [FLUX, ARGO, K3S, FLUX.replace("toolkit.", "").replace("/v2", "/v1")])
def test_no_shape_of_an_object_is_a_crash(head: str, text: str, tmp_path: Path) -> None:
    broken = head[: head.index("spec:")] + text + "\n"
    for release in releases(made(tmp_path, {"a.yaml": broken})):
        assert release.missing or release.at_hand
        write(release, [SETTING], lambda path: broken)


@pytest.mark.parametrize(
    ("remote", "address", "at_hand"),
    [
        ("git@git.example.com:team/here.git", "https://git.example.com/here", True),
        ("https://user@git.example.com/me/Here.git/", "ssh://git@git.example.com/team/here.git", True),  # a fork
        ("git@git.example.com:team/here.git", "https://git.example.com/other", False),
        ("git@git.example.com:team/here.git", "https://git.example.com/{{name}}", True),  # not known
        ("", "https://git.example.com/other", True),
    ],
)
@pytest.mark.parametrize("tool", ["Flux", "Argo CD"])
def test_a_path_of_another_repository_is_not_one_of_this(
    tool: str, remote: str, address: str, at_hand: bool, tmp_path: Path
) -> None:
    flux = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: here}\nspec: {url: ADDRESS}\n"
    )
    argo = ARGO.replace("https://git.example.com/here", "ADDRESS") + "    helm: {}\n"
    text = {"Flux": f"{FLUX}---\n{flux}", "Argo CD": argo}[tool].replace("ADDRESS", f"'{address}'")
    (tmp_path / ".git").mkdir()
    config = f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {remote}\n' if remote else "[core]\n"
    (tmp_path / ".git/config").write_text(config + '[branch "main"]\n\tremote = other\n', encoding="utf-8")
    release = only(made(tmp_path, {"a.yaml": text}))
    assert release.at_hand is at_hand
    said = (
        "charts/app lies in the repository other, which harden does not clone; .harden.yaml may give a folder with it"
    )
    assert at_hand or (said in release.missing and release.missing.endswith(": helm.charts.app"))


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("terraform")])
def test_lines_end_as_they_did(case: str, tmp_path: Path) -> None:
    files, name, lines = CASES[case]
    made(tmp_path, files)
    for path in (tmp_path / file for file in files):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    release = only(Tree.read([str(tmp_path)], root=str(tmp_path)))
    found = write(release, [SETTING], lambda path: Path(path).read_bytes().decode())
    assert isinstance(found, dict), found
    after = found[str(tmp_path / name)]
    assert after.count("\n") == after.count("\r\n")
    assert added(files[name], after.replace("\r\n", "\n")) == lines


def test_json_and_lists_are_written_too(tmp_path: Path) -> None:
    document = yaml.safe_load(ARGO + ARGO_TEXT)
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"kind": "x"}, document]}, indent=2) + "\n"
    release = only(made(tmp_path, {"a.json": text}))
    found = written(release, SETTING)["a.json"]
    values = yaml.safe_load(json.loads(found)["items"][1]["spec"]["source"]["helm"]["values"])
    assert values["web"] == {"image": {"tag": "1"}, "securityContext": {"runAsNonRoot": True}}
    assert len(added(text, found)) == 2, "one line changes"


def test_many_overrides_cost_little(tmp_path: Path) -> None:
    large = "".join(f"key{number}: {{a: {number}, b: [1, 2]}}\n" for number in range(900))
    files = {
        "a.yaml": ARGO + "    helm:\n      valueFiles: [/large.yaml]\n      valuesObject: {a: 1}\n",
        "large.yaml": large,
    }
    release = only(made(tmp_path, files))
    settings = [override(f"key{number}.a", 0) for number in range(600)]
    few, many = (calls(written, release, *settings[:count]) for count in (60, 600))
    assert many < 11 * few


def test_around_a_stream_there_is_no_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    release = only(Tree.from_text(FLUX))
    assert (release.chart, release.missing) == (None, "./charts/app is no chart of the tree")


PATCHES = {
    "merge": "patches: [{path: patch.yaml}]\n",
    "json": (
        "patches:\n  - target: {kind: Application}\n    patch: |-\n      - op: add\n"
        "        path: /spec/source/helm/valuesObject/replicas\n        value: 5\n"
    ),
}


@pytest.mark.parametrize("kind", PATCHES)
def test_what_a_patch_sets_is_left_to_a_person(kind: str, tmp_path: Path) -> None:
    files = {
        "base/a.yaml": ARGO + "    helm:\n      valuesObject: {a: 1}\n",
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "prod/kustomization.yaml": "resources: [../base]\n" + PATCHES[kind],
        "prod/patch.yaml": ARGO[: ARGO.index("spec:")] + "spec: {source: {helm: {valuesObject: {replicas: 5}}}}\n",
    }
    if kind == "json":
        del files["prod/patch.yaml"]
    release = only(made(tmp_path, files))
    assert list(written(release, SETTING)) == ["base/a.yaml"]
    found = write(release, [override("replicas", 2), SETTING], lambda path: "")
    assert not isinstance(found, dict) and [each.path for each in found.overrides] == [("replicas",)]
    assert "the patch" in found.reason and "prod/" in found.reason


LISTED = """\
apiVersion: v1
kind: Secret
metadata: {name: more, namespace: apps}
stringData:
  values.yaml: |
    env:
      - {name: DB_PASSWORD, value: x8Zq4LmP2vR7tK9w}
"""


def test_no_secret_is_copied_out_of_its_object(tmp_path: Path) -> None:
    text = FLUX + "  valuesFrom: [{kind: Secret, name: more}]\n"
    release = only(made(tmp_path, {"a.yaml": text, "b.yaml": LISTED}))
    env = [*release.values[0].data["env"], {"name": "HOME", "value": "/tmp"}]
    found = write(release, [override("env", env)], lambda path: text)
    assert not isinstance(found, dict)
    assert found.reason == "the list at env holds a secret, which would be copied into spec.values of HelmRelease/web"
    assert found.advice == "add to spec.values:\nenv"
    assert "x8Zq4LmP2vR7tK9w" not in repr(release), "nor in what is printed of it"
    # Where it stands already it may stay.
    text = FLUX + "  values:\n    env:\n      - {name: DB_PASSWORD, value: x8Zq4LmP2vR7tK9w}\n"
    release = only(made(tmp_path, {"a.yaml": text}))
    assert added(text, written(release, override("env", env))["a.yaml"]) == [
        "      - name: HOME",
        "        value: /tmp",
    ]


def test_what_a_program_makes_is_read_and_not_written(tmp_path: Path) -> None:
    program = f"import yaml\n\nrelease = {yaml.safe_load(FLUX)!r}\nprint(yaml.safe_dump(release))\n"
    found = write(only(made(tmp_path, {"make.py": program})), [SETTING], lambda path: program)
    assert not isinstance(found, dict) and found.reason == "no place of its values can be written"
