"""``harden apply --values``: the charts that releases of a tree name, hardened where their values stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.charts.releases.collect import releases
from hardener.charts.releases.release import Release
from hardener.tree.tree import Tree

from . import helm
from .charts.release_trees import CHART, RELEASES, argo, flux, kustomize, tree
from .conftest import DEPLOYMENT, Done, commit, git, lone_comments, restore, run, snapshot, write

pytestmark = pytest.mark.helm

ONE = ["--only", "no-privilege-escalation"]
BOTH = ["--only", "no-privilege-escalation,resource-requests"]


def path_with(major: int) -> str:
    """PATH with the helm of version ``major`` on it."""
    return f"{helm.program(major).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path_with(3))


@dataclass
class Applied:
    folder: Path
    before: dict[str, str]
    after: dict[str, str]
    report: dict[str, Any]  # what ``diff`` said before
    apply: Done
    again: Done
    third: dict[str, str]


def contents(folder: Path) -> dict[str, str]:
    return {name: content.decode() for name, (_, content) in snapshot(folder).items()}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Applied:
    """All releases in one tree, hardened in one run."""
    folder = tmp_path_factory.mktemp("tree")
    write(folder, {**tree(), ".harden.yaml": "helm: {values: true}\n"})
    commit(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path_with(3))
        before = contents(folder)
        report = run("diff", ".", "--format", "json", *BOTH, cwd=folder)
        assert report.status == 1, report.err
        assert contents(folder) == before, "diff changed a file"
        apply = run("apply", ".", *BOTH, cwd=folder)
        after = contents(folder)
        again = run("apply", ".", *BOTH, cwd=folder)
    return Applied(folder, before, after, json.loads(report.out), apply, again, contents(folder))


SECURITY = ["securityContext:", "  allowPrivilegeEscalation: false"]
RESOURCES = ["resources:", "  requests:", "    cpu: 25m", "    memory: 128Mi"]
# By release: the file that changes, the indentation of the new lines, and the lines.
PLACES: dict[str, tuple[str, int, list[str]]] = {
    "flux-values": ("flux-values.yaml", 4, SECURITY + RESOURCES),
    "flux-from": ("flux-from.yaml", 2, ["values:", *(f"  {line}" for line in SECURITY + RESOURCES)]),
    "argo-object": ("argo-object.yaml", 8, SECURITY + RESOURCES),
    "argo-text": ("argo-text.yaml", 8, SECURITY + RESOURCES),
    "argo-files": ("argo/own.yaml", 0, SECURITY + RESOURCES),
    "argo-parameters": ("argo-parameters.yaml", 6, ["valuesObject:", *(f"  {line}" for line in SECURITY + RESOURCES)]),
    "argo-set": ("argo-set.yaml", 12, SECURITY + RESOURCES),
    "k3s-content": ("k3s-content.yaml", 4, SECURITY + RESOURCES),
    "kustomize-inline": ("kustomize-inline/kustomization.yaml", 6, SECURITY + RESOURCES),
    "kustomize-file": ("kustomize-file/own.yaml", 0, SECURITY + RESOURCES),
    "heredoc": ("terraform/heredoc.tf", 6, SECURITY + RESOURCES),
    "encoded": ("terraform/encoded.tf", 6, [
        "securityContext = {", "  allowPrivilegeEscalation = false", "}",
        "resources = {", "  requests = {", '    cpu    = "25m"', '    memory = "128Mi"', "  }", "}",
    ]),
}  # fmt: skip


def new_lines(before: str, after: str) -> list[str]:
    """The lines that came, and with a minus before them those that went."""
    lines = ndiff(before.splitlines(), after.splitlines())
    return [line[2:] if line[0] == "+" else "-" + line[2:] for line in lines if line[0] in "+-"]


@pytest.mark.parametrize("name", PLACES)
def test_values_stand_where_a_person_of_the_tool_writes_them(applied: Applied, name: str) -> None:
    file, indent, lines = PLACES[name]
    found = new_lines(applied.before[file], applied.after[file])
    assert found == [" " * indent + line for line in lines]


def test_a_value_changes_in_the_config_that_sets_it(applied: Applied) -> None:
    head, config = applied.after["k3s-config.yaml"].split("---\n")
    assert "allowPrivilegeEscalation: false  # for now" in config
    assert "allowPrivilegeEscalation" not in head
    assert "memory: 128Mi" in applied.after["k3s-config.yaml"]
    (stale,) = [finding for finding in applied.report["findings"] if finding["id"] == "stale-comment"]
    line = applied.before["k3s-config.yaml"].splitlines()[stale["line"] - 1]
    assert stale["file"] == "k3s-config.yaml" and "# for now" in stale["message"] and "# for now" in line


def test_nothing_else_changes_and_every_comment_stays(applied: Applied) -> None:
    changed = {name for name in applied.before if applied.before[name] != applied.after[name]}
    assert changed == {file for file, *_ in PLACES.values()} | {"k3s-config.yaml"}
    assert applied.before.keys() == applied.after.keys()
    for name in changed:
        assert lone_comments(applied.before[name]) == lone_comments(applied.after[name])
        for comment in re.findall(r"  # .*", applied.before[name]):
            assert comment in applied.after[name]
        if name != "k3s-config.yaml":
            assert not [line for line in new_lines(applied.before[name], applied.after[name]) if line[0] == "-"]


def test_a_second_run_changes_nothing(applied: Applied) -> None:
    assert applied.again.status == 0
    assert applied.third == applied.after
    assert applied.again.out.startswith("changed nothing in ")


def rendered(folder: Path, scratch: Path) -> dict[str, Any]:
    """What helm makes of each release of the tree, by its name, with the values that the tree holds."""
    found = {}
    for release in releases(Tree.read([str(folder)], root=str(folder))):
        found[str(release.name)] = _rendered(release, scratch)
    return found


def _rendered(release: Release, scratch: Path) -> Any:
    command = [str(helm.program(3)), "template", str(release.name), "--namespace", str(release.namespace)]
    for number, values in enumerate(release.values):
        path = scratch / f"{number}.yaml"
        path.write_text(yaml.safe_dump(values.data), encoding="utf-8")
        command += ["--values", str(path)]
    for text in release.sets:
        command += ["--set", text]
    with release.chart_path() as chart:
        done = subprocess.run([*command, chart], capture_output=True, text=True, check=True)
    return yaml.safe_load(done.stdout)


def test_what_is_rendered_is_what_was_decided_and_nothing_else(applied: Applied, tmp_path: Path) -> None:
    write(tmp_path / "before", {name: text for name, text in applied.before.items() if name != ".harden.yaml"})
    (tmp_path / "scratch").mkdir()
    before = rendered(tmp_path / "before", tmp_path / "scratch")
    after = rendered(applied.folder, tmp_path / "scratch")
    assert before.keys() == after.keys() == RELEASES.keys()
    for name, wanted in before.items():
        changes = [change for change in applied.report["changes"] if change["object"]["name"] == name]
        assert len(changes) == 3
        for change in changes:
            _put(wanted, change["path"], change["after"])
        assert after[name] == wanted


def _put(data: Any, path: list[Any], value: Any) -> None:
    for part in path[:-1]:
        data = data[part] if isinstance(data, list) else data.setdefault(part, {})
    data[path[-1]] = value


def test_counts_add_up_and_each_value_has_its_release(applied: Applied) -> None:
    report = applied.report
    summary = report["summary"]
    assert summary["edits"] == len(report["changes"]) == 3 * len(RELEASES)
    assert summary["changed"] == len(RELEASES)
    for name in ("held", "findings", "refused", "waived"):
        assert summary[name] == len(report[name])
    by_release: dict[str, set[str]] = {}
    for value in report["values"]:
        by_release.setdefault(value["release"], set()).add(".".join(value["key"]))
        assert len(value["objects"]) == 1 and value["transforms"]
    keys = {"securityContext.allowPrivilegeEscalation", "resources.requests.cpu", "resources.requests.memory"}
    assert len(by_release) == len(RELEASES)
    assert all(found == keys for found in by_release.values())
    assert {
        "HelmRelease/flux-values", "Application/argo-text", "ApplicationSet/everywhere", "HelmChart/k3s-content",
        "chart app of kustomize-inline/kustomization.yaml", "helm_release/heredoc",
    } <= by_release.keys()  # fmt: skip


def test_places_are_files_of_the_tree(applied: Applied) -> None:
    for record in [*applied.report["changes"], *applied.report["findings"]]:
        assert not record["file"].startswith("..") and "/harden-" not in record["file"]
    assert f"39 edits in {len(RELEASES)} files" in applied.apply.out
    assert f"13 edits in {len(RELEASES)} files" in applied.apply.out  # of one transform


# -- small trees


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """A committed tree of files, of which the configuration asks for values."""

    def make(files: dict[str, str], config: str = "helm: {values: true}\n") -> Path:
        write(tmp_path, {**files, ".harden.yaml": config})
        commit(tmp_path)
        return tmp_path

    return make


def found(folder: Path, id: str, *options: str, command: str = "diff") -> list[dict[str, Any]]:
    """The findings called ``id``."""
    report = json.loads(run(command, ".", "--format", "json", *options, cwd=folder).out)
    return [finding for finding in report["findings"] if finding["id"] == id]


def left(folder: Path, *options: str) -> list[str]:
    """What is said of releases whose chart is not hardened."""
    return [f"{one['message']}: {one['advice']}" for one in found(folder, "renders-elsewhere", *options)]


def test_a_chart_of_two_releases_is_hardened_in_both(made: Callable[..., Path]) -> None:
    folder = made({**CHART, "a.yaml": flux("a", "") + "---\n" + flux("b", "  values: {replicas: 2}\n")})
    done = run("apply", ".", *ONE, cwd=folder)
    assert done.status == 0, done.all
    one, other = (folder / "a.yaml").read_text().split("---\n")
    assert one.count("allowPrivilegeEscalation: false") == 1
    assert other.count("allowPrivilegeEscalation: false") == 1 and "replicas: 2" in other
    assert run("apply", ".", *ONE, cwd=folder).out.startswith("changed nothing")


def test_releases_of_one_name_are_told_apart_by_their_files(made: Callable[..., Path]) -> None:
    folder = made({**CHART, "one/web.yaml": flux("web", ""), "other/web.yaml": flux("web", "")})
    report = json.loads(run("diff", ".", "--format", "json", *ONE, cwd=folder).out)
    assert {value["release"] for value in report["values"]} == {
        "HelmRelease/web in one/web.yaml", "HelmRelease/web in other/web.yaml",
    }  # fmt: skip


def test_a_manifest_beside_a_release_is_hardened_too(made: Callable[..., Path]) -> None:
    folder = made({**CHART, "a.yaml": DEPLOYMENT + "---\n" + flux("web", "") + "---\n" + DEPLOYMENT})
    done = run("apply", ".", *ONE, cwd=folder)
    assert "3 edits in a.yaml" in done.out
    parts = (folder / "a.yaml").read_text().split("---\n")
    assert [part.count("allowPrivilegeEscalation: false") for part in parts] == [1, 1, 1]
    assert yaml.safe_load(parts[1])["spec"]["values"] == {"securityContext": {"allowPrivilegeEscalation": False}}


def test_what_cannot_be_written_is_a_finding_with_its_reason_and_the_text_to_add(made: Callable[..., Path]) -> None:
    parameters = "      parameters:\n        - name: securityContext\n          value: $ARGOCD_APP_NAME\n"
    folder = made({**CHART, "a.yaml": argo("web", parameters)})
    (finding,) = found(folder, "no-privilege-escalation", *ONE)
    assert "the parameter securityContext sets securityContext" in finding["message"]
    assert "allowPrivilegeEscalation: false" in finding["message"]
    assert finding["file"] == "charts/app/templates/app.yaml"
    assert run("apply", ".", *ONE, cwd=folder).out.startswith("changed nothing")


BROKEN = {
    "fails": '{{ fail "no values" }}\n',
    "is no YAML": "a: [\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_chart_that_cannot_be_read_is_a_finding_and_the_others_are_hardened(
    kind: str, made: Callable[..., Path]
) -> None:
    bad = {name.replace("app/", "bad/"): text for name, text in CHART.items()}
    bad["charts/bad/templates/bad.yaml"] = BROKEN[kind]
    folder = made({**CHART, **bad, "a.yaml": flux("bad", "", path="./charts/bad"), "b.yaml": flux("web", "")})
    (said,) = left(folder)
    assert said.startswith("HelmRelease/bad is not hardened by values: the chart charts/bad: ")
    assert "/tmp/" not in said and "\n" not in said
    done = run("apply", ".", *ONE, cwd=folder)
    assert done.status == 0
    assert "allowPrivilegeEscalation: false" in (folder / "b.yaml").read_text()
    assert (folder / "a.yaml").read_text() == flux("bad", "", path="./charts/bad")


@pytest.mark.parametrize("command", ["apply", "check", "diff"])
def test_without_helm_there_is_one_line_and_nothing_is_written(
    command: str, made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = made({**tree("flux-values"), "web.yaml": DEPLOYMENT})
    before = snapshot(folder)
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
    done = run(command, ".", cwd=folder)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1 and "helm" in done.err and "--helm-program" not in done.err
    assert snapshot(folder) == before


def test_without_a_chart_at_hand_no_helm_is_needed(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made({"a.yaml": flux("web", "", path="elsewhere")})
    monkeypatch.setenv("PATH", os.defpath)
    (said,) = left(folder)
    assert said.startswith("HelmRelease/web is not hardened by values: ") and "elsewhere" in said


def test_values_that_the_tree_does_not_show_are_named(made: Callable[..., Path]) -> None:
    values = "  valuesFrom:\n    - {kind: Secret, name: elsewhere}\n"
    folder = made({**CHART, "a.yaml": flux("web", values)})
    (finding,) = found(folder, "renders-elsewhere")
    assert finding["severity"] == "medium"
    assert "gets values that this tree does not show; it was rendered without " in finding["message"]
    assert "Secret/elsewhere" in finding["message"]
    assert run("apply", ".", *ONE, cwd=folder).status == 0
    assert "allowPrivilegeEscalation: false" in (folder / "a.yaml").read_text()  # those of the object win


SECRETS = ("Xk29fkPPqz77", "Qm41hhTTvv88", "Zt55aaBBcc11")


def test_secrets_of_values_are_shown_nowhere(made: Callable[..., Path]) -> None:
    secret = f"""\
---
apiVersion: v1
kind: Secret
metadata: {{name: own, namespace: apps}}
stringData:
  values.yaml: |
    args: ["--password={SECRETS[0]}"]
"""
    folder = made({
        **CHART,
        "a.yaml": flux("web", "  valuesFrom:\n    - {kind: Secret, name: own}\n") + secret,
        "b.yaml": argo("app", f"      values: |\n        args: [--port=80, --token={SECRETS[1]}]\n"),
        "c/kustomization.yaml": kustomize("c", "    valuesFile: own.yaml\n"),
        "c/own.yaml": f"args:\n- --password={SECRETS[2]}\nreplicas: 1\n",
    })  # fmt: skip
    for format in ("text", "json", "html"):
        done = run("diff", ".", "--format", format, *ONE, "--only", "secret-arg-literal", cwd=folder)
        assert done.status == 1
        assert not [secret for secret in SECRETS if secret in done.all]
    done = run("apply", ".", "-v", *ONE, cwd=folder)
    assert not [secret for secret in SECRETS if secret in done.all]
    own = (folder / "a.yaml").read_text().partition("---")[0]
    assert "password" not in own and "allowPrivilegeEscalation: false" in own


def quoting() -> dict[str, str]:
    """The chart, which prints a secret where it is none by its place: findings quote what an image is called."""
    name = "charts/app/templates/app.yaml"
    return {**CHART, name: CHART[name].replace("{{ .Values.image }}", "registry.example/app:{{ .Values.password }}")}


QUOTES = ["--only", "pin-image-digest", "--format", "json"]


@pytest.mark.parametrize("kind", ["Secret", "file"])
def test_a_secret_that_is_one_by_its_key_in_the_values_is_not_quoted(kind: str, made: Callable[..., Path]) -> None:
    values = f"password: {SECRETS[0]}\n"
    secret = (
        f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: own, namespace: apps}}\nstringData:\n  v: '{values}'"
    )
    files = {
        "Secret": {"a.yaml": flux("web", "  valuesFrom:\n    - {kind: Secret, name: own, valuesKey: v}\n") + secret},
        "file": {"c/kustomization.yaml": kustomize("c", "    valuesFile: own.yaml\n"), "c/own.yaml": values},
    }[kind]
    done = run("diff", ".", *QUOTES, cwd=made({**quoting(), **files}))
    (finding,) = json.loads(done.all)["findings"]
    assert "registry.example/app:" in finding["message"] and SECRETS[0] not in done.all


@pytest.mark.parametrize("given", [["-f", "own.yaml"], ["--set-value", f"password={SECRETS[0]}"]], ids=["-f", "--set"])
def test_a_secret_that_is_one_by_its_key_in_own_values_is_not_quoted(given: list[str], tmp_path: Path) -> None:
    write(tmp_path, {**quoting(), "own.yaml": f"password: {SECRETS[0]}\n"})
    done = run("diff", "charts/app", *given, *QUOTES, cwd=tmp_path)
    (finding,) = json.loads(done.all)["findings"]
    assert "registry.example/app:" in finding["message"] and SECRETS[0] not in done.all


@pytest.mark.parametrize("way", ["-f", "--set"])
def test_secrets_of_a_chart_by_itself_are_shown_nowhere(way: str, tmp_path: Path) -> None:
    write(tmp_path, {**CHART, "own.yaml": f"args: [--password={SECRETS[0]}]\nreplicas: 1\n"})
    commit(tmp_path)
    sets = "--set-value" if way == "--set" else "-f"
    given = [sets, "own.yaml"] if way == "-f" else [sets, f"args={{--password={SECRETS[0]}}}"]
    for command in ("check", "diff"):
        for format in ("text", "json"):
            done = run(
                command, "charts/app", *given, "--format", format, *ONE, "--only", "secret-arg-literal", cwd=tmp_path
            )
            assert done.status == 1 and SECRETS[0] not in done.all
    if way == "-f":
        done = run("values", "charts/app", *given, "--in-place", "own.yaml", "-v", *ONE, cwd=tmp_path)
        assert done.status == 0 and SECRETS[0] not in done.all
        assert "allowPrivilegeEscalation" in (tmp_path / "own.yaml").read_text()


def test_without_values_each_release_names_the_command(made: Callable[..., Path]) -> None:
    folder = made(tree(), config="")
    before = snapshot(folder)
    said = left(folder)
    assert len(said) == len(RELEASES)
    assert all(line.endswith("its values may harden it: harden apply . --values") for line in said)
    heads = [line.partition(";")[0] for line in said]
    assert {
        "chart app of kustomize-file/kustomization.yaml renders the chart charts/app",
        "helm_release/heredoc renders the chart charts/app",
        "HelmChart/k3s-content renders the chart that it holds",
        "ApplicationSet/everywhere renders the chart charts/app",
    } <= set(heads)
    done = run("apply", ".", *ONE, cwd=folder)
    assert done.status == 0 and snapshot(folder) == before


def test_the_command_that_a_finding_names_does_it(made: Callable[..., Path]) -> None:
    folder = made(tree("kustomize-inline"), config="")
    (finding,) = found(folder, "renders-elsewhere")
    assert run(*finding["advice"].split()[1:], *ONE, cwd=folder).status == 0
    assert "allowPrivilegeEscalation" in (folder / "kustomize-inline" / "kustomization.yaml").read_text()


def test_check_says_what_diff_says(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values", "kustomize-file"))
    reports = [json.loads(run(command, ".", "--format", "json", cwd=folder).out) for command in ("check", "diff")]
    checked, differed = reports
    for name in ("values", "changes", "findings", "held", "waived", "summary"):
        assert checked[name] == differed[name]
    assert run("check", ".", cwd=folder).status == 1
    assert run("apply", ".", cwd=folder).status == 0
    again = run("check", ".", cwd=folder)
    assert again.status == 0 and again.out.startswith("check passed"), again.out


def test_the_levels_of_pods_are_those_of_the_tree(made: Callable[..., Path]) -> None:
    folder = made({**tree("flux-values"), "web.yaml": DEPLOYMENT})
    report = json.loads(run("check", ".", "--format", "json", cwd=folder).out)
    assert len(report["levels"]) == 1
    plain = json.loads(run("check", "web.yaml", "--format", "json", cwd=folder).out)
    assert report["levels"][0] | {"pods": None} == plain["levels"][0] | {"pods": None}


def test_held_back_changes_are_counted(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values"))
    report = json.loads(run("diff", ".", "--format", "json", "--max-grade", "safe", *BOTH, cwd=folder).out)
    assert report["summary"]["held"] == len(report["held"]) > 0
    assert report["summary"]["edits"] == len(report["changes"]) == len(report["values"])


# -- options beside it


def test_since_looks_at_releases_whose_object_chart_or_values_differ(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values", "kustomize-file"))

    def changed() -> set[str]:
        report = json.loads(run("diff", ".", "--since", "HEAD", "--format", "json", *ONE, cwd=folder).out)
        return {value["release"] for value in report["values"]}

    flux, file = "HelmRelease/flux-values", "chart app of kustomize-file/kustomization.yaml"
    assert changed() == set()
    for name, wanted in (
        ("flux-values.yaml", {flux}), ("kustomize-file/own.yaml", {file}), ("charts/app/values.yaml", {flux, file}),
    ):  # fmt: skip
        (folder / name).write_text((folder / name).read_text() + "\n")
        (folder / name).write_text((folder / name).read_text().replace("replicas", "replicas ", 1))
        assert changed() == wanted, name
        restore(folder)


def test_a_patch_is_about_manifests(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values"))
    done = run("apply", ".", "--output", "json-patch", "--values", cwd=folder)
    assert (done.status, done.out) == (2, "") and done.err.count("\n") <= 2
    assert "--output json-patch is about manifests: it does not go with --values" in done.err
    done = run("apply", ".", "--output", "json-patch", cwd=folder)
    assert done.status == 0 and json.loads(done.out) == []
    assert "harden apply . --values" in done.err


def test_a_folder_beside_the_source_gets_the_values(made: Callable[..., Path], tmp_path_factory: Any) -> None:
    folder = made(tree("flux-values", "kustomize-file"))
    before = snapshot(folder)
    target = tmp_path_factory.mktemp("beside") / "out"
    done = run("apply", ".", "--output-dir", target, *ONE, cwd=folder)
    assert done.status == 0 and snapshot(folder) == before
    for name in ("flux-values.yaml", "kustomize-file/own.yaml"):
        assert "allowPrivilegeEscalation: false" in (target / name).read_text()


def test_a_baseline_holds_what_charts_lack(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values", "kustomize-file"))
    assert run("baseline", "write", ".", cwd=folder).status == 0
    known = run("check", ".", "--baseline", "harden.baseline", cwd=folder)
    assert known.status == 0, known.all
    write(folder, {"new.yaml": flux("new", "")})
    report = run("check", ".", "--baseline", "harden.baseline", "--format", "json", cwd=folder)
    assert report.status == 1
    assert {value["release"] for value in json.loads(report.out)["values"]} == {"HelmRelease/new"}


def test_who_may_not_lower_the_result_is_not_asked_for_values(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values"))
    (said,) = [f"{one['message']}: {one['advice']}" for one in found(
        folder, "renders-elsewhere", "--no-waivers", command="check",
    )]  # fmt: skip
    assert said.endswith("harden apply . --values")


EXCEPTIONS = """\
helm: {values: true}
exceptions:
  - {id: no-privilege-escalation, expires: "2027-03-01", reason: later, match: {path: "charts/app/templates/*"}}
  - {id: no-privilege-escalation, expires: "2027-03-01", reason: later, match: {name: nobody}}
"""


def test_an_exception_may_speak_of_templates(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values"), EXCEPTIONS)
    day = ["--as-of", "2026-11-28"]
    report = json.loads(run("diff", ".", "--format", "json", *BOTH, *day, cwd=folder).out)
    assert [waived["id"] for waived in report["waived"]] == ["no-privilege-escalation"]
    assert {tuple(value["transforms"]) for value in report["values"]} == {("resource-requests",)}
    stale = [finding["line"] for finding in report["findings"] if finding["id"] == "waiver-stale"]
    assert stale == [4]


def test_a_template_that_was_rendered_is_not_left_unread(made: Callable[..., Path]) -> None:
    files = tree("flux-values")
    off = "{{- if .Values.ingress }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n{{- end }}\n"
    assert found(made(files), "template") == []
    folder = made({**files, "charts/app/templates/off.yaml": off})
    (finding,) = found(folder, "template")
    assert finding["file"] == "charts/app/templates/off.yaml"
    assert "with the values of the repository it renders nothing" in finding["message"]


def test_the_patch_is_one_that_git_takes(made: Callable[..., Path]) -> None:
    folder = made(tree("flux-values", "argo-text", "heredoc"))
    patch = run("diff", ".", "--format", "patch", *ONE, cwd=folder)
    assert git(folder, "apply", "--check", "-", stdin=patch.out.encode()).returncode == 0
    git(folder, "apply", "-", stdin=patch.out.encode())
    assert run("diff", ".", *ONE, cwd=folder).status == 0
